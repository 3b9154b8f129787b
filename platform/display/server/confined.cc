// SPDX-License-Identifier: MIT
#include "platform/display/server/confined.h"

#include "platform/linux/process/last_words.h"
#include "platform/linux/process/privileges.h"
#include "platform/linux/process/syscall_filter.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace dm::display {

namespace {

using host::AllowedCall;
using host::Check;
using host::Homes;

constexpr std::array kCalls{
    // viewers, the worker, the supervisor, the log
    AllowedCall{SYS_poll, "poll"},
    AllowedCall{SYS_select, "select"},
    AllowedCall{SYS_pselect6, "pselect6"},
    AllowedCall{SYS_read, "read"},
    AllowedCall{SYS_write, "write"},
    AllowedCall{SYS_recvfrom, "recvfrom"},
    AllowedCall{SYS_recvmsg, "recvmsg"},
    AllowedCall{SYS_sendto, "sendto", Homes::both, Check::no_address},
    AllowedCall{SYS_shutdown, "shutdown"},
    AllowedCall{SYS_getpeername, "getpeername"},
    AllowedCall{SYS_getsockname, "getsockname"},
    AllowedCall{SYS_setsockopt, "setsockopt", Homes::both, Check::socket_option},
    AllowedCall{SYS_fcntl, "fcntl", Homes::both, Check::fcntl_command},
    AllowedCall{SYS_close, "close"},
    // challenges
    AllowedCall{SYS_getrandom, "getrandom"},
    AllowedCall{SYS_clock_gettime, "clock_gettime"},
    AllowedCall{SYS_restart_syscall, "restart_syscall"},
    // memory of its own
    AllowedCall{SYS_mmap, "mmap", Homes::both, Check::no_execution},
    AllowedCall{SYS_munmap, "munmap"},
    AllowedCall{SYS_madvise, "madvise"},
    AllowedCall{SYS_brk, "brk"},
    AllowedCall{SYS_futex, "futex"},
    // the end
    AllowedCall{SYS_exit, "exit"},
    AllowedCall{SYS_exit_group, "exit_group"},
};

/// AddressSanitizer keeps more memory for itself than the limit.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLimited = false;
#else
constexpr bool kLimited = true;
#endif

}  // namespace

Result<> confine_display(std::uint32_t domid) {
  if (auto prepared = host::prepare_last_words(nullptr); !prepared) {
    return prepared;
  }
  static_cast<void>(host::leave_networks());
  if (::geteuid() == 0) {
    if (auto empty = host::enter_empty_root(); !empty) {
      return empty;
    }
    if (auto lost = host::confine({.chroot = {}, .run_as = host::user_of_display(domid)}); !lost) {
      return lost;
    }
  }
  // Not before: another user takes it back. It must not outlive the supervisor, whatever it waits
  // for.
  static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGKILL));
  if (auto limited = kLimited ? host::limit_resources() : Result<>{}; !limited) {
    return limited;
  }
  return host::filter_system_calls({.ioctls = {}, .calls = kCalls});
}

}  // namespace dm::display
