// SPDX-License-Identifier: MIT
// In the worker's place: a process that has given up what a worker gives up (ioreq/daemon,
// session_start.cc) and then tries what somebody would try who has taken it over. Beside it lives a
// victim: a process that is not its own. Needs root, to have something to lose.
#include "platform/linux/process/privileges.h"
#include "platform/linux/process/syscall_filter.h"
#include "platform/xen/worker_ioctls.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <span>
#include <string>

namespace dm::test {
namespace {

/// What the attacker knows and has.
struct Place {
  pid_t victim = -1;
  std::uint64_t secret = 0;  ///< an address in the victim
  int terminal = -1;         ///< it may have one open: a serial port's
  int socket = -1;           ///< and a socket
};
Place place;

struct Attack {
  const char* name;
  std::function<long()> make;  ///< -1: it did not work
};

/// As Session::give_up_privileges() does it in dom0.
bool take_workers_place() {
#if defined(__SANITIZE_ADDRESS__)
  const bool limited = true;  // its shadow alone is more memory than that
#else
  const bool limited = host::limit_resources().has_value();
#endif
  static_cast<void>(host::leave_networks());
  return limited && host::enter_empty_root() &&
         host::confine({.chroot = "", .run_as = host::user_of_guest(7)}) &&
         host::filter_system_calls({.home = host::Homes::dom0, .ioctls = xen::kWorkerIoctls});
}

/// True if it failed, or was ended for it.
bool is_refused(const Attack& attack, std::string& how) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int signal : {SIGSYS, SIGSEGV, SIGABRT}) {
      static_cast<void>(::signal(signal, SIG_DFL));
    }
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    const int status = take_workers_place() ? (attack.make() == -1 ? 0 : 1) : 2;
    for (;;) {
      ::syscall(SYS_exit_group, status);
    }
  }
  int status = 0;
  BOOST_TEST_REQUIRE(::waitpid(child, &status, 0) == child);
  how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                            : "status " + std::to_string(WEXITSTATUS(status));
  return WIFSIGNALED(status) ? WTERMSIG(status) == SIGSYS : WEXITSTATUS(status) == 0;
}

long call(long number,
          std::uint64_t a = 0,
          std::uint64_t b = 0,
          std::uint64_t c = 0,
          std::uint64_t d = 0,
          std::uint64_t e = 0) {
  return ::syscall(number, a, b, c, d, e, 0);
}
std::uint64_t text(const char* of) {
  return reinterpret_cast<std::uint64_t>(of);
}
std::uint64_t victim() {
  return static_cast<std::uint64_t>(place.victim);
}
constexpr std::uint64_t kHere = static_cast<std::uint64_t>(AT_FDCWD);

void expect_all_refused(std::span<const Attack> attacks) {
  for (const Attack& attack : attacks) {
    std::string how;
    BOOST_TEST(is_refused(attack, how), attack.name << " was not refused: " << how);
  }
}

struct Beside {
  Beside() {
    if (::geteuid() != 0) {
      return;
    }
    BOOST_TEST_REQUIRE(::pipe2(life.data(), O_CLOEXEC) == 0);
    place.secret = reinterpret_cast<std::uint64_t>(&place);
    place.victim = ::fork();
    if (place.victim == 0) {
      char byte = 0;
      ::close(life[1]);
      static_cast<void>(!::read(life[0], &byte, 1));
      for (;;) {
        ::syscall(SYS_exit_group, 0);
      }
    }
    std::array<int, 2> ends{};
    BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    place.socket = ends[0];
    other_end = ends[1];
    place.terminal = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    can = true;
  }
  ~Beside() {
    if (can) {
      // Alive all the time, and ended by nobody but us.
      BOOST_TEST(::waitpid(place.victim, nullptr, WNOHANG) == 0);
      ::close(life[1]);
      ::close(life[0]);
      BOOST_TEST(::waitpid(place.victim, nullptr, 0) == place.victim);
      ::close(place.socket);
      ::close(other_end);
      ::close(place.terminal);
    }
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  bool ready() const {
    if (!can) {
      std::fputs("NOT RUN: only root has something to lose\n", stderr);
    }
    return can;
  }

  std::array<int, 2> life{};
  int other_end = -1;
  bool can = false;
};

BOOST_FIXTURE_TEST_SUITE(attacker, Beside)

BOOST_AUTO_TEST_CASE(no_file_of_the_host_can_be_reached) {
  if (!ready()) {
    return;
  }
  const std::array<Attack, 17> attacks{{
      {"open", [] { return call(SYS_open, text("/etc/passwd"), O_RDONLY); }},
      {"openat", [] { return call(SYS_openat, kHere, text("/etc/passwd"), O_RDONLY); }},
      {"openat above", [] { return call(SYS_openat, kHere, text("../../etc/passwd"), O_RDONLY); }},
      {"openat2", [] { return call(SYS_openat2, kHere, text("/etc/passwd"), 0, 24); }},
      {"open itself", [] { return call(SYS_openat, kHere, text("/proc/self/mem"), O_RDWR); }},
      {"create", [] { return call(SYS_openat, kHere, text("/x"), O_CREAT | O_RDWR, 0600); }},
      {"stat", [] { return call(SYS_newfstatat, kHere, text("/etc"), place.secret, 0); }},
      {"statx", [] { return call(SYS_statx, kHere, text("/etc"), 0, 0x7ff, place.secret); }},
      {"readlink", [] { return call(SYS_readlink, text("/proc/self/exe"), place.secret, 8); }},
      {"getdents", [] { return call(SYS_getdents64, 0, place.secret, 8); }},
      {"unlink", [] { return call(SYS_unlink, text("/etc/passwd")); }},
      {"mkdir", [] { return call(SYS_mkdir, text("/x"), 0700); }},
      {"link", [] { return call(SYS_link, text("/etc/passwd"), text("/x")); }},
      {"mount", [] { return call(SYS_mount, text("x"), text("/"), text("proc")); }},
      {"chroot", [] { return call(SYS_chroot, text("..")); }},
      {"by handle", [] { return call(SYS_open_by_handle_at, kHere, place.secret, O_RDONLY); }},
      {"inotify", [] { return call(SYS_inotify_init1, 0); }},
  }};
  expect_all_refused(attacks);
}

BOOST_AUTO_TEST_CASE(no_other_process_can_be_reached) {
  if (!ready()) {
    return;
  }
  const std::array<Attack, 15> attacks{{
      {"ptrace", [] { return call(SYS_ptrace, 16 /* ATTACH */, victim()); }},
      {"seize", [] { return call(SYS_ptrace, 0x4206 /* SEIZE */, victim()); }},
      {"read memory", [] { return call(SYS_process_vm_readv, victim(), place.secret, 1); }},
      {"write memory", [] { return call(SYS_process_vm_writev, victim(), place.secret, 1); }},
      {"kill", [] { return call(SYS_kill, victim(), SIGKILL); }},
      {"kill all", [] { return call(SYS_kill, ~std::uint64_t{0}, SIGKILL); }},
      {"tgkill", [] { return call(SYS_tgkill, victim(), victim(), SIGKILL); }},
      {"queue a signal", [] { return call(SYS_rt_sigqueueinfo, victim(), SIGKILL, 0); }},
      {"open a pidfd", [] { return call(SYS_pidfd_open, victim(), 0); }},
      {"take a descriptor", [] { return call(SYS_pidfd_getfd, 0, 0, 0); }},
      {"change its limits", [] { return call(SYS_prlimit64, victim(), RLIMIT_CORE, 0, 0); }},
      {"change its priority", [] { return call(SYS_setpriority, 0, victim(), 19); }},
      {"move it", [] { return call(SYS_sched_setaffinity, victim(), 8, place.secret); }},
      {"signal by a descriptor", [] { return call(SYS_fcntl, 2, F_SETOWN, victim()); }},
      {"compare", [] { return call(SYS_kcmp, victim(), 1, 0, 0, 0); }},
  }};
  expect_all_refused(attacks);
}

BOOST_AUTO_TEST_CASE(nothing_can_be_started) {
  if (!ready()) {
    return;
  }
  static constexpr std::uint64_t kExecutable = PROT_READ | PROT_EXEC;
  static constexpr std::uint64_t kPrivate = MAP_PRIVATE | MAP_ANONYMOUS;
  const std::array<Attack, 11> attacks{{
      {"execve", [] { return call(SYS_execve, text("/bin/sh")); }},
      {"execveat", [] { return call(SYS_execveat, kHere, text("/bin/sh")); }},
      {"fork", [] { return call(SYS_fork); }},
      {"vfork", [] { return call(SYS_vfork); }},
      {"clone", [] { return call(SYS_clone, SIGCHLD); }},
      {"a thread", [] { return call(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND); }},
      {"clone3", [] { return call(SYS_clone3, place.secret, 88); }},
      {"executable memory", [] { return call(SYS_mmap, 0, 4096, kExecutable, kPrivate, 0); }},
      {"memory made executable", [] { return call(SYS_mprotect, 0x1000, 4096, kExecutable); }},
      {"the same with a key", [] { return call(SYS_pkey_mprotect, 0x1000, 4096, kExecutable); }},
      {"a file in memory", [] { return call(SYS_memfd_create, text("x"), 0); }},
  }};
  expect_all_refused(attacks);
}

BOOST_AUTO_TEST_CASE(no_socket_can_be_made_and_none_led_elsewhere) {
  if (!ready()) {
    return;
  }
  static sockaddr_un store{};
  store.sun_family = AF_UNIX;
  std::strcpy(store.sun_path, "/run/xenstored/socket");  // NOLINT(*.strcpy)
  static const auto address = reinterpret_cast<std::uint64_t>(&store);
  static const auto own = static_cast<std::uint64_t>(place.socket);
  const std::array<Attack, 12> attacks{{
      {"unix", [] { return call(SYS_socket, AF_UNIX, SOCK_STREAM); }},
      {"inet", [] { return call(SYS_socket, AF_INET, SOCK_STREAM); }},
      {"netlink", [] { return call(SYS_socket, AF_NETLINK, SOCK_RAW); }},
      {"packet", [] { return call(SYS_socket, AF_PACKET, SOCK_RAW); }},
      {"vsock", [] { return call(SYS_socket, AF_VSOCK, SOCK_STREAM); }},
      {"a pair", [] { return call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, place.secret); }},
      {"xenstore", [] { return call(SYS_connect, own, address, sizeof store); }},
      {"sendto xenstore",
       [] { return ::syscall(SYS_sendto, place.socket, "x", 1, 0, &store, sizeof store); }},
      {"sendmsg", [] { return call(SYS_sendmsg, own, place.secret); }},
      {"bind", [] { return call(SYS_bind, own, address, sizeof store); }},
      {"listen", [] { return call(SYS_listen, own, 1); }},
      {"attach a program",
       [] { return call(SYS_setsockopt, own, SOL_SOCKET, SO_ATTACH_FILTER, place.secret, 16); }},
  }};
  expect_all_refused(attacks);
}

// On descriptors that it has: the filter looks at the request, whatever the descriptor is.
BOOST_AUTO_TEST_CASE(handles_lead_to_no_other_domain_and_terminals_take_no_keys) {
  if (!ready()) {
    return;
  }
  static const auto tty = static_cast<std::uint64_t>(place.terminal);
  const std::array<Attack, 9> attacks{{
      {"hypercall", [] { return call(SYS_ioctl, tty, IOCTL_PRIVCMD_HYPERCALL, place.secret); }},
      {"map by frames", [] { return call(SYS_ioctl, tty, IOCTL_PRIVCMD_MMAP, place.secret); }},
      {"map a resource",
       [] { return call(SYS_ioctl, tty, IOCTL_PRIVCMD_MMAP_RESOURCE, place.secret); }},
      {"another's grants",
       [] { return call(SYS_ioctl, tty, IOCTL_GNTDEV_MAP_GRANT_REF, place.secret); }},
      {"copy of grants",
       [] { return call(SYS_ioctl, tty, IOCTL_GNTDEV_GRANT_COPY, place.secret); }},
      {"a VIRQ", [] { return call(SYS_ioctl, tty, IOCTL_EVTCHN_BIND_VIRQ, place.secret); }},
      {"keys", [] { return call(SYS_ioctl, tty, TIOCSTI, text("x")); }},
      {"the console", [] { return call(SYS_ioctl, tty, TIOCCONS, 0); }},
      {"another tap",
       [] { return call(SYS_ioctl, tty, 0x400454ca /* TUNSETIFF */, place.secret); }},
  }};
  expect_all_refused(attacks);
}

BOOST_AUTO_TEST_CASE(privileges_do_not_come_back) {
  if (!ready()) {
    return;
  }
  const std::array<Attack, 18> attacks{{
      {"setuid", [] { return call(SYS_setuid, 0); }},
      {"setresuid", [] { return call(SYS_setresuid, 0, 0, 0); }},
      {"setgroups", [] { return call(SYS_setgroups, 0, 0); }},
      {"capset", [] { return call(SYS_capset, place.secret, place.secret); }},
      {"a user namespace", [] { return call(SYS_unshare, CLONE_NEWUSER); }},
      {"another namespace", [] { return call(SYS_setns, 0, 0); }},
      {"another filter", [] { return call(SYS_seccomp, 1, 0, place.secret); }},
      {"prctl", [] { return call(SYS_prctl, PR_SET_DUMPABLE, 1); }},
      {"bpf", [] { return call(SYS_bpf, 0, place.secret, 8); }},
      {"perf", [] { return call(SYS_perf_event_open, place.secret, 0, 0, 0, 0); }},
      {"userfaultfd", [] { return call(SYS_userfaultfd, 0); }},
      {"a ring", [] { return call(SYS_io_uring_setup, 1, place.secret); }},
      {"files for a ring", [] { return call(SYS_io_uring_register, 0, 2, place.secret, 1); }},
      {"keys", [] { return call(SYS_keyctl, 0, 0); }},
      {"a module", [] { return call(SYS_finit_module, 0, text(""), 0); }},
      {"another kernel", [] { return call(SYS_kexec_load, 0, 0, 0, 0); }},
      {"shared memory", [] { return call(SYS_shmget, 0, 4096, 01600); }},
      {"the clock", [] { return call(SYS_settimeofday, place.secret, 0); }},
  }};
  expect_all_refused(attacks);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
