// SPDX-License-Identifier: MIT
// Processes that filter themselves: what serving takes works on, everything else is refused.
#include "platform/linux/process/syscall_filter.h"

#include "core/obs/log.h"
#include "platform/linux/image/disk.h"
#include "platform/linux/loop/alarm.h"
#include "tests/unit/platform/linux/net_rig.h"
#include "tests/unit/platform/linux/support.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dm::test {
namespace {

/// In a process of its own, as waitpid(2) tells its end.
template <class Work>
int status_of(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int signal : {SIGABRT, SIGSYS, SIGSEGV}) {
      static_cast<void>(::signal(signal, SIG_DFL));  // not the test's own
    }
    // Not _exit(): before a call that does not return, ASan looks at its signal stack.
    for (;;) {
      ::syscall(SYS_exit_group, work());
    }
  }
  int status = 0;
  BOOST_TEST_REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

struct Call {
  const char* name;
  std::function<long()> make;
};

/// One request on a loop of its own, as a device makes it.
struct Request {
  Request(BlockOp op, std::vector<std::byte>& data) : spans{std::span{data}} {
    block.op = op;
    block.length = op == BlockOp::flush ? 0 : data.size();
    block.data = op == BlockOp::flush ? std::span<const std::span<std::byte>>{} : std::span{spans};
    block.owner = this;
    block.done = [](BlockRequest& done, BlockStatus result) noexcept {
      auto& self = *static_cast<Request*>(done.owner);
      self.finished = true;
      self.status = result;
    };
  }
  bool runs(host::Loop& loop, BlockBackend& disk) {
    disk.submit(block);
    return run_until(loop, [this] { return finished; }) && status == BlockStatus::ok;
  }
  std::array<std::span<std::byte>, 1> spans;
  BlockRequest block;
  bool finished = false;
  BlockStatus status = BlockStatus::io_error;
};

/// UBSan looks at memory by way of a pipe before it follows a virtual call.
bool sanitized() {
#if defined(__SANITIZE_ADDRESS__)
  std::fputs("NOT RUN: a sanitizer makes system calls of its own\n", stderr);
  return true;
#else
  return false;
#endif
}

BOOST_AUTO_TEST_SUITE(syscall_filter)

BOOST_AUTO_TEST_CASE(what_is_made_by_a_name_started_or_looked_at_is_refused) {
  const std::array<Call, 25> calls{{
      {"open", [] { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }},
      {"creat", [] { return ::syscall(SYS_creat, "/tmp/x", 0600); }},
      {"unlink", [] { return ::unlink("/tmp/x"); }},
      {"mkdir", [] { return ::mkdir("/tmp/x", 0700); }},
      {"mount", [] { return ::syscall(SYS_mount, "x", "/", "proc", 0, nullptr); }},
      {"chroot", [] { return ::chroot("/"); }},
      {"execve", [] { return ::execl("/bin/true", "true", nullptr); }},
      {"fork", [] { return ::syscall(SYS_fork); }},
      {"clone", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
      {"clone3", [] { return ::syscall(SYS_clone3, nullptr, 0); }},
      {"socket", [] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }},
      {"connect", [] { return ::connect(0, nullptr, 0); }},
      {"kill", [] { return ::kill(::getpid(), 0); }},
      {"ptrace", [] { return ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr); }},
      {"process_vm_readv",
       [] { return ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); }},
      {"setuid", [] { return ::syscall(SYS_setuid, 0); }},
      {"memfd_create", [] { return ::syscall(SYS_memfd_create, "x", 0); }},
      {"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
      {"io_uring_register", [] { return ::syscall(SYS_io_uring_register, 0, 0, nullptr, 0); }},
      {"io_uring_register of files",
       [] { return ::syscall(SYS_io_uring_register, 0, IORING_REGISTER_FILES, nullptr, 0); }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
      {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 0); }},
      {"pidfd_getfd", [] { return ::syscall(SYS_pidfd_getfd, 0, 0, 0); }},
      {"seccomp", [] { return ::syscall(SYS_seccomp, 0, 0, nullptr); }},
      {"no such call", [] { return ::syscall(100'000); }},
  }};
  for (const Call& call : calls) {
    const int status = status_of([&call] {
      if (!host::filter_system_calls()) {
        return 1;
      }
      errno = 0;
      return call.make() == -1 && errno == EPERM ? 0 : 2;
    });
    BOOST_TEST(status == 0, call.name);
  }
}

BOOST_AUTO_TEST_CASE(memory_is_had_but_none_that_can_be_executed) {
  BOOST_TEST(status_of([] {
               if (!host::filter_system_calls()) {
                 return 1;
               }
               const auto map = [](int protection) {
                 return ::mmap(nullptr, 8192, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
               };
               void* const page = map(PROT_READ | PROT_WRITE);
               if (page == MAP_FAILED || ::mprotect(page, 4096, PROT_READ) != 0) {
                 return 2;
               }
               if (map(PROT_READ | PROT_EXEC) != MAP_FAILED ||
                   map(PROT_READ | PROT_WRITE | PROT_EXEC) != MAP_FAILED || errno != EPERM) {
                 return 3;
               }
               if (::mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 || errno != EPERM ||
                   ::syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1) == 0) {
                 return 4;
               }
               const std::vector<char> small(1000);
               const std::vector<char> large(std::size_t{64} << 20);
               return ::munmap(page, 8192) == 0 && small.size() < large.size() ? 0 : 5;
             }) == 0);
}

// Past the page cache, as a stub domain's disks are, and through it; by io_uring, and by threads,
// which cannot be had any more, so that the loop does their work.
BOOST_AUTO_TEST_CASE(a_disk_that_was_opened_before_is_served) {
  if (sanitized()) {
    return;
  }
  const TempDir dir;
  const std::string path = dir.image("disk.img", 1 << 20);
  for (const auto& [direct, threads] :
       {std::pair{true, false}, std::pair{false, false}, std::pair{true, true}}) {
    const int status = status_of([&path, direct = direct, threads = threads] {
      if (threads) {
        ::setenv("DM_TEST_ENGINE", "pool", 1);
      }
      log::set_sink([](log::Level, std::string_view) noexcept {});
      host::Loop loop;
      DiskConfig config;
      config.path = path;
      config.direct = direct;
      auto disk = host::open_disk(loop, config);
      if (!disk) {
        return direct ? 77 : 1;  // a file system without O_DIRECT
      }
      const host::UniqueFd other{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
      if (!host::filter_system_calls()) {
        return 2;
      }
      std::vector<std::byte> out(16384, std::byte{0x5a});
      std::vector<std::byte> in(16384);
      if (!Request{BlockOp::write, out}.runs(loop, **disk) ||
          !Request{BlockOp::flush, out}.runs(loop, **disk) ||
          !Request{BlockOp::read, in}.runs(loop, **disk)) {
        return 3;
      }
      if (in != out || (*disk)->flush_now() != BlockStatus::ok) {
        return 4;
      }
      // Closed, it is let go at once: a ring may give its file back.
      disk->reset();
      struct flock lock {};
      lock.l_type = F_WRLCK;
      lock.l_start = 0x7374'7562'646d'0000;
      lock.l_len = 1;
      return ::fcntl(other.get(), F_OFD_SETLK, &lock) == 0 ? 0 : 5;
    });
    BOOST_TEST_REQUIRE(WIFEXITED(status));
    BOOST_TEST((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77),
               "direct " << direct << ", threads " << threads << ": " << WEXITSTATUS(status));
  }
}

struct Ticks {
  void tick() noexcept { ++count; }
  int count = 0;
};

BOOST_AUTO_TEST_CASE(timers_sockets_and_the_loop_work_on) {
  if (sanitized()) {
    return;
  }
  BOOST_TEST(
      status_of([] {
        host::Loop loop;
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) {
          return 1;
        }
        Ticks ticks;
        Ticks reads;
        host::Watch watch{loop, host::UniqueFd{ends[0]}, host::Callback::bind<&Ticks::tick>(reads)};
        watch.await_readable();
        if (!host::filter_system_calls()) {
          return 2;
        }
        host::Alarm alarm{loop, host::Callback::bind<&Ticks::tick>(ticks)};
        if (!alarm.arm(1ms) || !run_until(loop, [&] { return ticks.count == 1; })) {
          return 3;
        }
        char byte = 'x';
        if (::send(ends[1], &byte, 1, MSG_NOSIGNAL) != 1 ||
            !run_until(loop, [&] { return reads.count == 1; })) {
          return 4;
        }
        return ::recv(ends[0], &byte, 1, 0) == 1 && ::close(ends[1]) == 0 ? 0 : 5;
      }) == 0);
}

// A stub domain's cards are packet sockets; the tap plays the other end here, and only sends.
BOOST_AUTO_TEST_CASE(a_card_works_on) {
  if (sanitized()) {
    return;
  }
  const int status = status_of([] {
    log::set_sink([](log::Level, std::string_view) noexcept {});
    Cable cable;
    if (!cable.there()) {
      return 77;
    }
    if (!host::filter_system_calls()) {
      return 1;
    }
    const Bytes frame = udp_frame(700);
    if (cable.send(*cable.tap, frame) != SendStatus::sent || cable.take(*cable.packet) != frame) {
      return 2;
    }
    Bytes large = tcp_frame(20'000);
    if (cable.send(*cable.packet, frame) != SendStatus::sent ||
        cable.send(*cable.packet, large, gso_of(1448)) != SendStatus::sent) {
      return 3;
    }
    errno = 0;
    cable.packet->set_promiscuous(true);
    cable.packet->set_promiscuous(false);
    if (errno == EPERM) {
      return 4;
    }
    cable.set_up(false);
    if (!run_until(cable.loop, [&cable] { return !cable.packet->link_up(); })) {
      return 5;
    }
    cable.set_up(true);
    return run_until(cable.loop, [&cable] { return cable.packet->link_up(); }) ? 0 : 6;
  });
  BOOST_TEST_REQUIRE(WIFEXITED(status));
  BOOST_TEST((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77), WEXITSTATUS(status));
}

BOOST_AUTO_TEST_CASE(the_process_can_still_end_both_ways) {
  BOOST_TEST(status_of([] { return host::filter_system_calls() ? 0 : 1; }) == 0);
  const int status = status_of([]() -> int {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (!host::filter_system_calls()) {
      return 1;
    }
    ::raise(SIGABRT);  // as abort() does
    return 2;
  });
  BOOST_TEST(WIFSIGNALED(status));
  BOOST_TEST(WTERMSIG(status) == SIGABRT);
}

BOOST_AUTO_TEST_CASE(the_32_bit_interface_ends_the_process) {
  const int status = status_of([] {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (!host::filter_system_calls()) {
      return 1;
    }
    long result = 20;  // getpid
    asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return 2;
  });
  const bool ended =
      WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
  BOOST_TEST(ended);  // SIGSEGV: this kernel has no such interface
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
