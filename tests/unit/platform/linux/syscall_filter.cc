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
#include <sys/ioctl.h>
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
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <ostream>
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

/// Requests of ioctl that only these tests allow: one that is none, and what takes a link down.
constexpr std::array<std::uint32_t, 2> kOwnIoctls{0x5a5a, SIOCSIFFLAGS};

bool filter(host::Homes home = host::Homes::dom0) {
  return host::filter_system_calls({.home = home, .ioctls = kOwnIoctls}).has_value();
}

/// What the kernel does about a call: lets it be made, refuses it, or raises SIGSYS.
enum class Fate { made, refused, trapped, unknown };
std::ostream& operator<<(std::ostream& out, Fate fate) {
  return out << std::array{"made", "refused", "trapped", "unknown"}.at(
             static_cast<std::size_t>(fate));
}

Fate fate_of(const std::function<long()>& call, host::Homes home = host::Homes::dom0) {
  const int status = status_of([&call, home] {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (!filter(home)) {
      return 1;
    }
    errno = 0;
    return call() == -1 && errno == EPERM ? 2 : 3;
  });
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
    return Fate::trapped;
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) < 2) {
    return Fate::unknown;
  }
  return WEXITSTATUS(status) == 2 ? Fate::refused : Fate::made;
}

BOOST_AUTO_TEST_SUITE(syscall_filter)

BOOST_AUTO_TEST_CASE(the_list_has_fewer_than_40_calls_and_the_readme_has_a_reason_for_each) {
  BOOST_TEST(host::count_allowed(host::Homes::dom0) < 40U);
  BOOST_TEST(host::count_allowed(host::Homes::stub_domain) < 40U);
  std::ifstream file{DM_PROCESS_README};
  const std::string readme{std::istreambuf_iterator<char>{file}, {}};
  std::size_t rows = 0;
  for (std::size_t at = readme.find("\n| `"); at != std::string::npos;
       at = readme.find("\n| `", at + 1)) {
    ++rows;
  }
  BOOST_TEST(rows > host::kAllowedCalls.size() / 2);
  for (const auto& call : host::kAllowedCalls) {
    const std::string name = "`" + std::string{call.name} + "`";
    BOOST_TEST((readme.find(name) != std::string::npos), call.name << " is not in the README");
  }
  for (const auto& call : host::kRefusedCalls) {
    const std::string name = "`" + std::string{call.name} + "`";
    BOOST_TEST((readme.find(name) != std::string::npos), call.name << " is not in the README");
  }
}

BOOST_AUTO_TEST_CASE(what_is_made_by_a_name_started_or_looked_at_is_refused) {
  const std::array<Call, 26> calls{{
      {"open", [] { return ::syscall(SYS_open, "/dev/null", O_RDONLY); }},
      {"openat", [] { return ::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY); }},
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
    for (const host::Homes home : {host::Homes::dom0, host::Homes::stub_domain}) {
      const Fate fate = fate_of(call.make, home);
      BOOST_TEST((fate == Fate::trapped || fate == Fate::refused), call.name << ": " << fate);
    }
  }
}

// Those that a library or the program itself may make, and that have another way.
BOOST_AUTO_TEST_CASE(some_calls_are_refused_and_end_nothing) {
  for (const auto& call : host::kRefusedCalls) {
    const bool only_in_dom0 = call.number == SYS_bind;
    const Fate fate =
        fate_of([&call] { return ::syscall(call.number, 0, 0, 0, 0, 0, 0); }, host::Homes::dom0);
    BOOST_TEST(fate == Fate::refused, call.name);
    if (only_in_dom0) {
      BOOST_TEST(fate_of([&call] { return ::syscall(call.number, -1, 0, 0); },
                         host::Homes::stub_domain) == Fate::made);
    }
  }
}

BOOST_AUTO_TEST_CASE(arguments_are_looked_at) {
  const auto ioctl = [](unsigned long request) {
    return [request] { return ::syscall(SYS_ioctl, -1, request, nullptr); };
  };
  BOOST_TEST(fate_of(ioctl(FIONREAD)) == Fate::made);
  BOOST_TEST(fate_of(ioctl(kOwnIoctls[0])) == Fate::made);
  // The kernel looks at 32 bits of a request.
  BOOST_TEST(fate_of(ioctl(FIONREAD | 0x1'0000'0000UL)) == Fate::made);
  for (const std::uint64_t request :
       std::initializer_list<std::uint64_t>{TIOCSTI, TUNSETIFF, TIOCLINUX, 0, ~std::uint64_t{0}}) {
    BOOST_TEST(fate_of(ioctl(request)) == Fate::trapped, request);
  }
  const auto option = [](int level, int name) {
    return [level, name] { return ::syscall(SYS_setsockopt, -1, level, name, nullptr, 0); };
  };
  BOOST_TEST(fate_of(option(SOL_PACKET, PACKET_ADD_MEMBERSHIP)) == Fate::made);
  BOOST_TEST(fate_of(option(IPPROTO_TCP, TCP_NODELAY)) == Fate::made);
  BOOST_TEST(fate_of(option(IPPROTO_TCP, PACKET_DROP_MEMBERSHIP)) == Fate::trapped);
  BOOST_TEST(fate_of(option(SOL_SOCKET, SO_ATTACH_FILTER)) == Fate::trapped);
  BOOST_TEST(fate_of(option(SOL_PACKET, PACKET_RX_RING)) == Fate::trapped);
  const auto command = [](int name) {
    return [name] { return ::syscall(SYS_fcntl, -1, name, 0); };
  };
  BOOST_TEST(fate_of(command(F_GETFL)) == Fate::made);
  BOOST_TEST(fate_of(command(F_SETOWN)) == Fate::trapped);
  BOOST_TEST(fate_of(command(F_SETSIG)) == Fate::trapped);
  const auto send_to = [](unsigned long address) {
    return [address] { return ::syscall(SYS_sendto, -1, nullptr, 0, 0, address, 0); };
  };
  BOOST_TEST(fate_of(send_to(0)) == Fate::made);
  BOOST_TEST(fate_of(send_to(0x1000)) == Fate::trapped);
  BOOST_TEST(fate_of(send_to(0x7f00'0000'0000)) == Fate::trapped);
  const auto map = [](int protection) {
    return [protection] {
      return ::syscall(SYS_mmap, nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    };
  };
  BOOST_TEST(fate_of(map(PROT_READ | PROT_WRITE)) == Fate::made);
  BOOST_TEST(fate_of(map(PROT_READ | PROT_EXEC)) == Fate::trapped);
  BOOST_TEST(fate_of(map(PROT_READ | PROT_WRITE | PROT_EXEC)) == Fate::trapped);
  BOOST_TEST(fate_of([] {
               return ::syscall(SYS_mprotect, nullptr, 4096, PROT_READ | PROT_EXEC);
             }) == Fate::trapped);
}

BOOST_AUTO_TEST_CASE(memory_is_had) {
  BOOST_TEST(status_of([] {
               if (!filter()) {
                 return 1;
               }
               void* const page = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
               if (page == MAP_FAILED || ::mprotect(page, 4096, PROT_READ) != 0) {
                 return 2;
               }
               const std::vector<char> small(1000);
               std::vector<char> large(std::size_t{64} << 20);
               large.resize(std::size_t{65} << 20);
               return ::munmap(page, 8192) == 0 && small.size() < large.size() ? 0 : 3;
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
      if (!filter()) {
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
        if (!filter()) {
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

/// After the filter; its number is that of what did not work.
int use_card(Cable& cable) {
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
    if (!filter(host::Homes::stub_domain)) {
      return 1;
    }
    const int wrong = use_card(cable);
    // The cable's end goes back to another network, which is not allowed here.
    ::syscall(SYS_exit_group, wrong);
    return wrong;
  });
  BOOST_TEST_REQUIRE(WIFEXITED(status));
  BOOST_TEST((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77), WEXITSTATUS(status));
}

BOOST_AUTO_TEST_CASE(the_process_can_still_end_both_ways) {
  BOOST_TEST(status_of([] { return filter() ? 0 : 1; }) == 0);
  const int status = status_of([]() -> int {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (!filter()) {
      return 1;
    }
    std::abort();
  });
  BOOST_TEST(WIFSIGNALED(status));  // SIGSYS or SIGABRT: abort() finds out who it is first
}

BOOST_AUTO_TEST_CASE(the_32_bit_interface_ends_the_process) {
  const int status = status_of([] {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (!filter()) {
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
