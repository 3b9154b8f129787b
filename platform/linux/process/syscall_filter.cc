// SPDX-License-Identifier: MIT
#include "platform/linux/process/syscall_filter.h"

#include "platform/linux/error_text.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace dm::host {

namespace {

// Those of a request first; the kernel finds out by itself which are always allowed.
constexpr std::array kAllowed{
    // event channels, device-model operations, consoles, cards
    SYS_ioctl, SYS_read, SYS_write, SYS_writev, SYS_sendto, SYS_recvfrom, SYS_recvmsg,
    SYS_setsockopt, SYS_bind, SYS_fcntl, SYS_close,
    // disks
    SYS_io_uring_enter, SYS_preadv2, SYS_pwritev2, SYS_fdatasync, SYS_fallocate,
    // the loop
    SYS_epoll_pwait2, SYS_epoll_wait, SYS_epoll_ctl, SYS_poll, SYS_timerfd_create,
    SYS_timerfd_settime, SYS_clock_gettime, SYS_restart_syscall,
    // memory, the guest's and our own
    SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex,
    // signals and the end
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_getpid, SYS_gettid, SYS_tgkill,
    SYS_exit_group};
/// Allowed unless the third argument asks for memory that can be executed.
constexpr std::array kWithoutExecution{SYS_mmap, SYS_mprotect};

/// Allowed where the second argument is this: a ring gives its image back, so that a disc which was
/// taken out is not held open (uring_engine.cc). Nothing can be registered.
struct OneCommand {
  long call;
  std::uint32_t command;
};
constexpr std::array kOneCommand{OneCommand{SYS_io_uring_register, IORING_UNREGISTER_FILES}};

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;

// A program's parts, in instructions.
constexpr std::size_t kHead = 4;
constexpr std::size_t kPerAllowed = 2;
constexpr std::size_t kPerChecked = 5;
constexpr std::size_t kLength = kHead + kAllowed.size() * kPerAllowed +
                                (kWithoutExecution.size() + kOneCommand.size()) * kPerChecked + 1;

constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
/// Goes on if they are equal, else skips so many.
constexpr sock_filter equal_or_skip(std::uint32_t value, std::uint8_t skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}
constexpr sock_filter answer(std::uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

constexpr std::array<sock_filter, kLength> make_program() {
  std::array<sock_filter, kLength> program{};
  std::size_t at = 0;
  program.at(at++) = load(offsetof(seccomp_data, arch));
  program.at(at++) = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
  program.at(at++) = answer(SECCOMP_RET_KILL_PROCESS);
  program.at(at++) = load(offsetof(seccomp_data, nr));
  for (const long call : kAllowed) {
    program.at(at++) = equal_or_skip(static_cast<std::uint32_t>(call), 1);
    program.at(at++) = answer(SECCOMP_RET_ALLOW);
  }
  for (const long call : kWithoutExecution) {
    program.at(at++) = equal_or_skip(static_cast<std::uint32_t>(call), 4);
    program.at(at++) = load(offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t));
    program.at(at++) = BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
    program.at(at++) = answer(kRefuse);
    program.at(at++) = answer(SECCOMP_RET_ALLOW);
  }
  for (const OneCommand& one : kOneCommand) {
    program.at(at++) = equal_or_skip(static_cast<std::uint32_t>(one.call), 4);
    program.at(at++) = load(offsetof(seccomp_data, args) + sizeof(std::uint64_t));
    program.at(at++) = equal_or_skip(one.command, 1);
    program.at(at++) = answer(SECCOMP_RET_ALLOW);
    program.at(at++) = answer(kRefuse);
  }
  program.at(at++) = answer(kRefuse);  // the interface of x32, too: its numbers are others
  return program;
}

}  // namespace

Result<> filter_system_calls() {
  static constexpr auto kProgram = make_program();
  auto program = kProgram;  // the kernel's interface does not promise to leave it alone
  const sock_fprog all{.len = static_cast<unsigned short>(program.size()),
                       .filter = program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &all) != 0) {
    return fail("cannot filter system calls: ", error_text(errno),
                ". The kernel was built without SECCOMP_FILTER");
  }
  return {};
}

}  // namespace dm::host
