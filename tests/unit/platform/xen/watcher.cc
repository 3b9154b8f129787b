// SPDX-License-Identifier: MIT
// With real processes: the test forks a worker, the worker starts its watcher, the worker dies. The
// watcher's operations are fakes that write into memory shared by all three.
#include "platform/xen/watcher.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

using namespace dm;
using namespace dm::xen;

namespace {

struct Seen {
  std::atomic<int> opened{0};
  std::atomic<int> restricted{0};
  std::atomic<int> crash_order{0};  ///< 1 = first operation
  std::atomic<int> destroy_order{0};
  std::atomic<unsigned> reason{99};
  std::atomic<unsigned> server{99};
  std::atomic<int> operations{0};
  std::atomic<int> open_descriptors{-1};  ///< in the watcher, besides 0-2
  std::atomic<int> watcher{0};            ///< its pid
  std::atomic<int> finished{-1};
  std::atomic<int> worker{0};  ///< its pid
  std::atomic<int> early{-1};  ///< poll() of the lifeline while the watcher lives
  std::atomic<int> ready{0};
  std::atomic<int> heard{-1};  ///< and after its death
};
Seen* seen = nullptr;

class SharedOps final : public DmOps {
 public:
  int create_server(ioservid_t& /*id*/) noexcept override { return EIO; }
  int destroy_server(ioservid_t id) noexcept override {
    seen->server = id;
    seen->destroy_order = ++seen->operations;
    return 0;
  }
  int set_server_state(ioservid_t /*id*/, bool /*enabled*/) noexcept override { return EIO; }
  int map_ports(ioservid_t /*id*/, PortRange /*range*/) noexcept override { return EIO; }
  int unmap_ports(ioservid_t /*id*/, PortRange /*range*/) noexcept override { return EIO; }
  int map_mmio(ioservid_t /*id*/, MmioRange /*range*/) noexcept override { return EIO; }
  int unmap_mmio(ioservid_t /*id*/, MmioRange /*range*/) noexcept override { return EIO; }
  int map_pci(ioservid_t /*id*/, PciBdf /*function*/) noexcept override { return EIO; }
  int unmap_pci(ioservid_t /*id*/, PciBdf /*function*/) noexcept override { return EIO; }
  int set_isa_level(std::uint8_t /*irq*/, bool /*level*/) noexcept override { return EIO; }
  int set_intx_level(std::uint8_t /*device*/,
                     std::uint8_t /*pin*/,
                     bool /*level*/) noexcept override {
    return EIO;
  }
  int set_link_route(std::uint8_t /*link*/, std::uint8_t /*irq*/) noexcept override { return EIO; }
  int modified_memory(std::uint64_t /*first*/, std::uint32_t /*pages*/) noexcept override {
    return EIO;
  }
  int modified_memory(std::span<Extent> /*extents*/) noexcept override { return EIO; }
  int set_mem_type(hvmmem_type_t /*type*/,
                   std::uint64_t /*first*/,
                   std::uint32_t /*pages*/) noexcept override {
    return EIO;
  }
  int shutdown(unsigned reason) noexcept override {
    seen->reason = reason;
    seen->crash_order = ++seen->operations;
    return 0;
  }
  int nr_vcpus(unsigned& /*vcpus*/) noexcept override { return EIO; }
  int restrict_to_domain() noexcept override {
    seen->restricted = 1;
    return 0;
  }
};

Result<std::unique_ptr<DmOps>> open_shared(DomId domid) {
  int open = 0;
  for (int descriptor = 3; descriptor < 1024; ++descriptor) {
    open += ::fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  }
  seen->open_descriptors = open;
  seen->watcher = ::getpid();
  seen->opened = domid;
  return std::unique_ptr<DmOps>{std::make_unique<SharedOps>()};
}

void note_finish(int status) noexcept {
  seen->finished = status;
  ::_exit(status);
}

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) {
      return true;
    }
    static_cast<void>(::poll(nullptr, 0, 1));
  }
  return false;
}

struct Processes {
  Processes() {
    void* const memory =
        ::mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    BOOST_REQUIRE(memory != MAP_FAILED);
    seen = new (memory) Seen;
    // Orphans come to us, so the watcher's end can be waited for.
    BOOST_REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    BOOST_REQUIRE(::pipe2(log.data(), 0) == 0);
  }
  ~Processes() {
    ::close(log[0]);
    ::munmap(seen, sizeof(Seen));
  }
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// Forks a process that starts a watcher and then does `work`; it never returns from it.
  template <class Work>
  pid_t worker(Watcher::Place place, Work work) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(log[1], STDERR_FILENO);
      Watcher::Options options;
      options.domid = 7;
      options.place = place;
      options.open_ops = &open_shared;
      options.finish = &note_finish;
      auto watcher = Watcher::start(options);
      if (!watcher) {
        ::_exit(99);
      }
      work(*watcher);
      ::_exit(0);
    }
    ::close(log[1]);
    return child;
  }
  /// Everything that worker and watcher wrote, after both are gone.
  std::string text() {
    std::string all;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(log[0], buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }
  static bool ends(pid_t pid) {
    return soon([pid] { return ::waitpid(pid, nullptr, WNOHANG) == pid; });
  }
  static void serve(Watcher& watcher) {
    watcher.server_created(5);
    watcher.black_box().record({.addr = 0x3f8,
                                .data = 'x',
                                .count = 1,
                                .type = 0,
                                .size = 1,
                                .vcpu = 0,
                                .is_read = false});
    watcher.black_box().record({.addr = 0xf1000400,
                                .data = 0,
                                .count = 1,
                                .type = 1,
                                .size = 4,
                                .vcpu = 1,
                                .is_read = true});
  }

  std::array<int, 2> log{-1, -1};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(watcher, Processes)

BOOST_AUTO_TEST_CASE(a_killed_worker_gets_its_guest_crashed_and_then_its_server_destroyed) {
  const pid_t pid = worker(Watcher::Place::child, [](Watcher& w) {
    serve(w);
    while (seen->restricted == 0) {
    }
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  BOOST_REQUIRE(soon([] { return seen->finished >= 0; }));
  BOOST_TEST(ends(seen->watcher));
  BOOST_TEST(seen->opened == 7);
  BOOST_TEST(seen->crash_order == 1);
  BOOST_TEST(seen->destroy_order == 2);
  BOOST_TEST(seen->reason == 3U);  // SHUTDOWN_crash
  BOOST_TEST(seen->server == 5U);
  BOOST_TEST(seen->finished == 1);
  const std::string said = text();
  BOOST_TEST(said.find("domain 7 died unexpectedly after 2 requests") != std::string::npos, said);
  BOOST_TEST(said.find("last request: memory 0xf1000400 read, size 4") != std::string::npos, said);
  BOOST_TEST(said.find("port 0x3f8 write, size 1, count 1, data 0x78, vCPU 0") != std::string::npos,
             said);
}

BOOST_AUTO_TEST_CASE(a_worker_that_dies_before_the_watcher_is_ready_is_noticed_too) {
  const pid_t pid = worker(Watcher::Place::child, [](Watcher& w) {
    serve(w);
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  BOOST_REQUIRE(soon([] { return seen->finished >= 0; }));
  BOOST_TEST(ends(seen->watcher));
  BOOST_TEST(seen->crash_order == 1);
}

BOOST_AUTO_TEST_CASE(an_orderly_end_is_silent) {
  const pid_t pid = worker(Watcher::Place::child, [](Watcher& w) {
    serve(w);
    w.orderly_end();
  });
  BOOST_TEST(ends(pid));
  BOOST_REQUIRE(soon([] { return seen->finished >= 0; }));
  BOOST_TEST(ends(seen->watcher));
  BOOST_TEST(seen->finished == 0);
  BOOST_TEST(seen->operations == 0);
  BOOST_TEST(text().empty());
}

BOOST_AUTO_TEST_CASE(the_destructor_counts_as_an_orderly_end) {
  const pid_t pid = worker(Watcher::Place::child, [](Watcher& w) {
    serve(w);
    const Watcher taken{std::move(w)};
  });
  BOOST_TEST(ends(pid));
  BOOST_REQUIRE(soon([] { return seen->finished >= 0; }));
  BOOST_TEST(ends(seen->watcher));
  BOOST_TEST(seen->operations == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_that_ends_before_it_has_a_server_needs_no_answer) {
  const pid_t pid = worker(Watcher::Place::child, [](Watcher&) { ::_exit(1); });
  BOOST_TEST(ends(pid));
  BOOST_REQUIRE(soon([] { return seen->finished >= 0; }));
  BOOST_TEST(ends(seen->watcher));
  BOOST_TEST(seen->operations == 0);
}

BOOST_AUTO_TEST_CASE(the_watcher_keeps_nothing_open_but_the_worker) {
  const pid_t pid = worker(Watcher::Place::child, [](Watcher& w) { w.orderly_end(); });
  BOOST_TEST(ends(pid));
  BOOST_REQUIRE(soon([] { return seen->finished >= 0; }));
  BOOST_TEST(ends(seen->watcher));
  BOOST_TEST(seen->open_descriptors == 1);
}

BOOST_AUTO_TEST_CASE(the_watcher_ignores_what_is_sent_to_the_group) {
  const pid_t pid = worker(Watcher::Place::child, [](Watcher& w) {
    serve(w);
    for (;;) {
      ::pause();
    }
  });
  BOOST_REQUIRE(soon([] { return seen->restricted != 0; }));
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    BOOST_TEST(::kill(seen->watcher, signal) == 0);
  }
  static_cast<void>(::poll(nullptr, 0, 50));
  BOOST_TEST(::kill(seen->watcher, 0) == 0);
  BOOST_TEST(seen->finished == -1);
  ::kill(pid, SIGKILL);
  BOOST_TEST(ends(pid));
  BOOST_REQUIRE(soon([] { return seen->finished >= 0; }));
  BOOST_TEST(ends(seen->watcher));
  BOOST_TEST(seen->operations == 2);
}

BOOST_AUTO_TEST_CASE(as_parent_it_knows_the_signal_that_killed_the_worker) {
  // The forked process becomes the watcher, its child the worker.
  const pid_t pid = worker(Watcher::Place::parent, [](Watcher& w) {
    serve(w);
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  BOOST_TEST(seen->watcher == pid);
  BOOST_TEST(seen->operations == 2);
  BOOST_TEST(seen->finished == 1);
  const std::string said = text();
  BOOST_TEST(said.find("was killed by signal 9") != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(as_parent_it_knows_that_a_worker_failed_before_it_served) {
  const pid_t pid = worker(Watcher::Place::parent, [](Watcher&) { ::_exit(1); });
  BOOST_TEST(ends(pid));
  BOOST_TEST(seen->finished == 1);
  BOOST_TEST(seen->operations == 0);
}

BOOST_AUTO_TEST_CASE(as_parent_it_reaps_orphans_and_ends_with_the_worker) {
  const pid_t pid = worker(Watcher::Place::parent, [](Watcher& w) {
    serve(w);
    w.orderly_end();
  });
  BOOST_TEST(ends(pid));
  BOOST_TEST(seen->finished == 0);
  BOOST_TEST(seen->operations == 0);
}

/// In the worker: the watcher is killed, which the worker hears of without asking.
void await_watcher(Watcher& watcher) {
  const int lifeline = watcher.take_lifeline();
  pollfd wait{.fd = lifeline, .events = POLLIN, .revents = 0};
  seen->early = ::poll(&wait, 1, 0);
  seen->ready = 1;
  seen->heard = ::poll(&wait, 1, 5000);
  const bool once = watcher.take_lifeline() == -1;
  ::_exit(once && (::fcntl(lifeline, F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 1);
}

BOOST_AUTO_TEST_CASE(the_worker_hears_of_the_end_of_its_watcher) {
  const pid_t pid = worker(Watcher::Place::child, [](Watcher& w) {
    serve(w);
    await_watcher(w);
  });
  BOOST_REQUIRE(soon([] { return seen->ready != 0 && seen->restricted != 0; }));
  BOOST_TEST(seen->early == 0);
  BOOST_TEST(::kill(seen->watcher, SIGKILL) == 0);
  BOOST_TEST(ends(pid));
  BOOST_TEST(seen->heard == 1);
  BOOST_TEST(ends(seen->watcher));
  BOOST_TEST(seen->operations == 0);  // that is the worker's now
}

BOOST_AUTO_TEST_CASE(the_worker_hears_of_the_end_of_a_watcher_that_is_its_parent) {
  const pid_t watcher = worker(Watcher::Place::parent, [](Watcher& w) {
    seen->worker = ::getpid();
    serve(w);
    await_watcher(w);
  });
  BOOST_REQUIRE(soon([] { return seen->ready != 0 && seen->restricted != 0; }));
  BOOST_TEST(seen->early == 0);
  BOOST_TEST(::kill(watcher, SIGKILL) == 0);
  BOOST_TEST(ends(watcher));
  BOOST_TEST(ends(seen->worker));  // an orphan, and so ours
  BOOST_TEST(seen->heard == 1);
}

BOOST_AUTO_TEST_SUITE_END()
