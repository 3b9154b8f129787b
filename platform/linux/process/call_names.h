// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/process/allowed_calls.h"

#include <array>
#include <string_view>

namespace dm::host {

/// Calls that the filter traps and somebody may want to make all the same.
inline constexpr std::array kTrappedCalls{
    AllowedCall{SYS_open, "open"},
    AllowedCall{SYS_creat, "creat"},
    AllowedCall{SYS_stat, "stat"},
    AllowedCall{SYS_lstat, "lstat"},
    AllowedCall{SYS_fstat, "fstat"},
    AllowedCall{SYS_mkdir, "mkdir"},
    AllowedCall{SYS_unlinkat, "unlinkat"},
    AllowedCall{SYS_rename, "rename"},
    AllowedCall{SYS_getdents64, "getdents64"},
    AllowedCall{SYS_chroot, "chroot"},
    AllowedCall{SYS_mount, "mount"},
    AllowedCall{SYS_connect, "connect"},
    AllowedCall{SYS_listen, "listen"},
    AllowedCall{SYS_sendmsg, "sendmsg"},
    AllowedCall{SYS_socketpair, "socketpair"},
    AllowedCall{SYS_getsockopt, "getsockopt"},
    AllowedCall{SYS_pipe2, "pipe2"},
    AllowedCall{SYS_dup2, "dup2"},
    AllowedCall{SYS_dup3, "dup3"},
    AllowedCall{SYS_fork, "fork"},
    AllowedCall{SYS_vfork, "vfork"},
    AllowedCall{SYS_execve, "execve"},
    AllowedCall{SYS_execveat, "execveat"},
    AllowedCall{SYS_wait4, "wait4"},
    AllowedCall{SYS_kill, "kill"},
    AllowedCall{SYS_tgkill, "tgkill"},
    AllowedCall{SYS_getpid, "getpid"},
    AllowedCall{SYS_gettid, "gettid"},
    AllowedCall{SYS_rt_sigreturn, "rt_sigreturn"},
    AllowedCall{SYS_ptrace, "ptrace"},
    AllowedCall{SYS_process_vm_readv, "process_vm_readv"},
    AllowedCall{SYS_process_vm_writev, "process_vm_writev"},
    AllowedCall{SYS_pidfd_open, "pidfd_open"},
    AllowedCall{SYS_pidfd_getfd, "pidfd_getfd"},
    AllowedCall{SYS_pidfd_send_signal, "pidfd_send_signal"},
    AllowedCall{SYS_setuid, "setuid"},
    AllowedCall{SYS_setresuid, "setresuid"},
    AllowedCall{SYS_capset, "capset"},
    AllowedCall{SYS_prctl, "prctl"},
    AllowedCall{SYS_seccomp, "seccomp"},
    AllowedCall{SYS_unshare, "unshare"},
    AllowedCall{SYS_setns, "setns"},
    AllowedCall{SYS_memfd_create, "memfd_create"},
    AllowedCall{SYS_pkey_mprotect, "pkey_mprotect"},
    AllowedCall{SYS_userfaultfd, "userfaultfd"},
    AllowedCall{SYS_bpf, "bpf"},
    AllowedCall{SYS_perf_event_open, "perf_event_open"},
    AllowedCall{SYS_keyctl, "keyctl"},
    AllowedCall{SYS_getrandom, "getrandom"},
    AllowedCall{SYS_nanosleep, "nanosleep"},
    AllowedCall{SYS_pread64, "pread64"},
    AllowedCall{SYS_pwrite64, "pwrite64"},
};

/// For messages: "socket", or "see ausyscall(8)".
[[nodiscard]] constexpr std::string_view name_of_call(long number) noexcept {
  const auto find = [number](const auto& calls) -> std::string_view {
    for (const AllowedCall& call : calls) {
      if (call.number == number) {
        return call.name;
      }
    }
    return {};
  };
  for (const std::string_view name :
       {find(kAllowedCalls), find(kRefusedCalls), find(kTrappedCalls)}) {
    if (!name.empty()) {
      return name;
    }
  }
  return "see ausyscall(8)";
}

}  // namespace dm::host
