// SPDX-License-Identifier: MIT
// With real processes: the test forks a worker, the worker starts its supervisor, the worker dies.
// The supervisor's operations are fakes that write into memory shared by all three.
#pragma once

#include "platform/supervisor/supervisor.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace dm::supervisor::test {

using xen::DmOps;
using xen::DomId;

struct Seen {
  std::atomic<int> opened{0};
  std::atomic<int> restricted{0};
  std::atomic<int> crash_order{0};  ///< 1 = first operation
  std::atomic<int> destroy_order{0};
  std::atomic<unsigned> reason{99};
  std::atomic<unsigned> server{99};
  std::atomic<int> operations{0};
  std::atomic<int> open_descriptors{-1};  ///< in the supervisor, besides 0-2
  std::atomic<int> supervisor{0};         ///< its pid
  std::atomic<int> finished{-1};
  std::atomic<int> worker{0};  ///< its pid
  std::atomic<int> early{-1};  ///< what the worker hears while the supervisor lives
  std::atomic<int> ready{0};
  std::atomic<bool> idle{false};  ///< the supervisor used no processor while it waited
  std::atomic<int> orphan{0};     ///< a pid
  std::atomic<int> heard{-1};     ///< and after its death
  std::atomic<unsigned> asked_to_sleep{99};
  std::atomic<unsigned> asked_for_disc{99};
  std::atomic<bool> got_disc{false};
  std::atomic<bool> broker_opened{false};
  std::atomic<int> broker_saw_the_end{0};
  std::atomic<int> answered{-1};    ///< what the worker got
  std::atomic<bool> shouts{false};  ///< the supervisor says what is no message
};
inline Seen* seen = nullptr;

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
  int relocate_memory(std::uint64_t /*from*/,
                      std::uint64_t /*to*/,
                      std::uint32_t /*pages*/) noexcept override {
    return EIO;
  }
  int pin_memory_cacheattr(std::uint64_t /*first*/,
                           std::uint64_t /*last*/,
                           std::uint32_t /*type*/) noexcept override {
    return EIO;
  }
  int track_dirty_vram(std::uint64_t /*first*/,
                       std::uint32_t /*pages*/,
                       std::span<std::uint64_t> /*bitmap*/) noexcept override {
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

/// In the supervisor, once it has closed what is not its own.
inline Result<std::unique_ptr<DmOps>> open_shared(DomId domid) {
  int open = 0;
  for (int descriptor = 3; descriptor < 1024; ++descriptor) {
    open += ::fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
    if (seen->shouts) {
      static_cast<void>(::send(descriptor, "nonsense!", 9, MSG_NOSIGNAL | MSG_DONTWAIT));
    }
  }
  seen->open_descriptors = open;
  seen->supervisor = ::getpid();
  static_cast<void>(::prctl(PR_SET_CHILD_SUBREAPER, 1));  // as pid 1 is
  seen->opened = domid;
  return std::unique_ptr<DmOps>{std::make_unique<SharedOps>()};
}

/// In the supervisor's process, as it is to be.
class SharedBroker final : public Broker {
 public:
  void open() override { seen->broker_opened = true; }
  [[nodiscard]] int sleep(std::uint32_t state) noexcept override {
    seen->asked_to_sleep = state;
    return ENOTTY;
  }
  [[nodiscard]] int disc(std::uint32_t position, host::UniqueFd& to) noexcept override {
    seen->asked_for_disc = position;
    to = host::UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    return 0;
  }
  void worker_ended() noexcept override { ++seen->broker_saw_the_end; }
};

inline void note_finish(int status) noexcept {
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
    // Orphans come to us, so the supervisor's end can be waited for.
    BOOST_REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    BOOST_REQUIRE(::pipe2(log.data(), 0) == 0);
  }
  ~Processes() {
    ::close(log[0]);
    ::munmap(seen, sizeof(Seen));
  }
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// Forks a process that starts a supervisor and then does `work`; it never returns from it.
  template <class Work>
  pid_t worker(Place place, Work work, bool with_broker = false) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(log[1], STDERR_FILENO);
      auto link = start({.domid = 7,
                         .place = place,
                         .finish = &note_finish,
                         .broker = with_broker ? std::make_unique<SharedBroker>() : nullptr,
                         .open_ops = &open_shared});
      if (!link) {
        ::_exit(99);
      }
      work(*link);
      ::_exit(0);
    }
    ::close(log[1]);
    return child;
  }
  /// Everything that worker and supervisor wrote, after both are gone.
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
  /// The supervisor's end, after which nobody is left.
  static void await_conclusion() {
    BOOST_REQUIRE(soon([] { return seen->finished >= 0; }));
    BOOST_TEST(ends(seen->supervisor));
  }
  static void serve(Link& link) {
    if (!link.serve(5)) {
      ::_exit(98);
    }
    link.black_box().record(
        {.addr = 0x3f8, .data = 'x', .count = 1, .type = 0, .size = 1, .vcpu = 0, .is_read = 0});
    link.black_box().record(
        {.addr = 0xf1000400, .data = 0, .count = 1, .type = 1, .size = 4, .vcpu = 1, .is_read = 1});
  }
  /// The bytes as they are, past everything that checks them.
  static void say(const Link& link, std::string_view bytes) {
    static_cast<void>(
        ::send(link.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }

  std::array<int, 2> log{-1, -1};
};

}  // namespace dm::supervisor::test
