// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// What a process that serves a guest may ask of the kernel, as tables. README.md has a reason for
/// each row; a test compares the two. No system call, no allocation. Thread rule: any thread.
namespace dm::host {

/// Where the process runs: a bit for each home, and both.
enum class Homes : std::uint8_t { dom0 = 1, stub_domain = 2, both = 3 };
[[nodiscard]] constexpr bool includes(Homes homes, Homes one) noexcept {
  return (static_cast<unsigned>(homes) & static_cast<unsigned>(one)) != 0;
}

/// How the arguments are checked.
enum class Check : std::uint8_t {
  none,
  ioctl_request,    ///< the second argument is in kAllowedIoctls, or one that Xen needs
  socket_option,    ///< the second and third are a pair of kAllowedOptions
  fcntl_command,    ///< the second is in kAllowedFcntls
  no_execution,     ///< the third does not ask for memory that can be executed
  ring_gives_back,  ///< the second is IORING_UNREGISTER_FILES: a disc that was taken out is let go
  no_address,       ///< the fifth is null: a socket sends to its peer only
};

struct AllowedCall {
  long number;
  std::string_view name;
  Homes homes = Homes::both;
  Check check = Check::none;
};

/// Those of a request first: the kernel finds out by itself which are always allowed.
inline constexpr std::array kAllowedCalls{
    // event channels, device-model operations, consoles, cards, management
    AllowedCall{SYS_ioctl, "ioctl", Homes::both, Check::ioctl_request},
    AllowedCall{SYS_read, "read"},
    AllowedCall{SYS_write, "write"},
    AllowedCall{SYS_readv, "readv", Homes::dom0},
    AllowedCall{SYS_writev, "writev"},
    AllowedCall{SYS_sendto, "sendto", Homes::both, Check::no_address},
    AllowedCall{SYS_recvfrom, "recvfrom"},
    AllowedCall{SYS_recvmsg, "recvmsg"},
    AllowedCall{SYS_accept4, "accept4", Homes::dom0},
    AllowedCall{SYS_shutdown, "shutdown", Homes::dom0},
    AllowedCall{SYS_bind, "bind", Homes::stub_domain},
    AllowedCall{SYS_setsockopt, "setsockopt", Homes::both, Check::socket_option},
    AllowedCall{SYS_fcntl, "fcntl", Homes::both, Check::fcntl_command},
    AllowedCall{SYS_close, "close"},
    // disks, the saved state
    AllowedCall{SYS_io_uring_enter, "io_uring_enter"},
    AllowedCall{SYS_io_uring_register, "io_uring_register", Homes::both, Check::ring_gives_back},
    AllowedCall{SYS_preadv2, "preadv2"},
    AllowedCall{SYS_pwritev2, "pwritev2"},
    AllowedCall{SYS_fdatasync, "fdatasync"},
    AllowedCall{SYS_fallocate, "fallocate"},
    AllowedCall{SYS_getrusage, "getrusage", Homes::dom0},
    AllowedCall{SYS_lseek, "lseek"},
    AllowedCall{SYS_ftruncate, "ftruncate", Homes::dom0},
    AllowedCall{SYS_newfstatat, "newfstatat"},
    // the loop
    AllowedCall{SYS_epoll_pwait2, "epoll_pwait2"},
    AllowedCall{SYS_epoll_wait, "epoll_wait"},
    AllowedCall{SYS_epoll_ctl, "epoll_ctl"},
    AllowedCall{SYS_poll, "poll"},
    AllowedCall{SYS_timerfd_create, "timerfd_create"},
    AllowedCall{SYS_timerfd_settime, "timerfd_settime"},
    AllowedCall{SYS_clock_gettime, "clock_gettime"},
    AllowedCall{SYS_restart_syscall, "restart_syscall"},
    // memory, the guest's and our own
    AllowedCall{SYS_mmap, "mmap", Homes::both, Check::no_execution},
    AllowedCall{SYS_mprotect, "mprotect", Homes::both, Check::no_execution},
    AllowedCall{SYS_munmap, "munmap"},
    AllowedCall{SYS_madvise, "madvise"},
    AllowedCall{SYS_brk, "brk"},
    AllowedCall{SYS_futex, "futex"},
    // the end
    AllowedCall{SYS_exit, "exit"},
    AllowedCall{SYS_exit_group, "exit_group"},
};

/// Refused with EPERM instead of an end, since who asks has another way: an allocator that copies
/// instead, a disk without a thread or a ring of its own, a library that looks for a file that is
/// not there. An attacker gains nothing by the difference.
inline constexpr std::array kRefusedCalls{
    AllowedCall{SYS_openat, "openat"},
    AllowedCall{SYS_access, "access"},
    AllowedCall{SYS_faccessat2, "faccessat2"},
    AllowedCall{SYS_readlink, "readlink"},
    AllowedCall{SYS_unlink, "unlink"},
    AllowedCall{SYS_mremap, "mremap"},
    AllowedCall{SYS_clone, "clone"},
    AllowedCall{SYS_clone3, "clone3"},
    AllowedCall{SYS_eventfd2, "eventfd2"},
    AllowedCall{SYS_io_uring_setup, "io_uring_setup"},
    AllowedCall{SYS_socket, "socket"},
    AllowedCall{SYS_bind, "bind"},
    AllowedCall{SYS_rt_sigprocmask, "rt_sigprocmask"},
    AllowedCall{SYS_rt_sigaction, "rt_sigaction"},
    AllowedCall{SYS_sched_yield, "sched_yield"},
    AllowedCall{SYS_clock_nanosleep, "clock_nanosleep"},
    AllowedCall{SYS_sysinfo, "sysinfo"},
};

/// Requests of ioctl(2) to what Linux has here. Those of Xen's devices come from platform/xen.
inline constexpr std::array<std::uint32_t, 21> kAllowedIoctls{
    FIONBIO,      FIONREAD,                                             // the loop, sockets
    TUNGETIFF,    TUNSETOFFLOAD,                                        // taps
    SIOCGIFNAME,  SIOCGIFFLAGS,  SIOCGIFINDEX, SIOCGIFMTU, SIOCSIFMTU,  // packet sockets, links
    TCGETS,       0x802c542a,    0x402c542b,  // and TCGETS2, TCSETS2: lines
    TIOCMGET,     TIOCMBIS,      TIOCMBIC,     TIOCSBRK,   TIOCCBRK,
    BLKGETSIZE64, BLKPBSZGET,    BLKSSZGET,  // a disc's size
    0x1277,                                  // BLKDISCARD
};

struct SocketOption {
  std::uint32_t level;
  std::uint32_t option;
};
/// What a card on a packet socket listens to; a serial port's characters go at once.
inline constexpr std::array kAllowedOptions{SocketOption{SOL_PACKET, PACKET_ADD_MEMBERSHIP},
                                            SocketOption{SOL_PACKET, PACKET_DROP_MEMBERSHIP},
                                            SocketOption{IPPROTO_TCP, TCP_NODELAY}};
/// Duplicates, what a descriptor is open for, and the mark on an image in use. None of them names
/// another process.
inline constexpr std::array<std::uint32_t, 6> kAllowedFcntls{F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,
                                                             F_GETFL,         F_SETFL, F_OFD_SETLK};

[[nodiscard]] constexpr std::size_t count_allowed(Homes home) noexcept {
  std::size_t count = 0;
  for (const AllowedCall& call : kAllowedCalls) {
    count += includes(call.homes, home) ? 1U : 0U;
  }
  return count;
}
static_assert(count_allowed(Homes::dom0) < 40 && count_allowed(Homes::stub_domain) < 40);

}  // namespace dm::host
