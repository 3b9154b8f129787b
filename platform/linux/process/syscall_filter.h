// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/process/allowed_calls.h"

#include <cstdint>
#include <span>

namespace dm::host {

struct FilterRules {
  Homes home = Homes::dom0;
  /// Requests of ioctl(2) besides kAllowedIoctls.
  std::span<const std::uint32_t> ioctls{};
  /// A program that does not serve a guest has a table of its own.
  std::span<const AllowedCall> calls{kAllowedCalls};
};

/// Limits this process to the system calls of allowed_calls.h, fewer than 40, on what is open
/// already. It cannot open or make anything by a name, start a process or a thread, make a socket,
/// look at other processes, signal them, or map executable memory. Nothing in the process can undo
/// this.
///
/// What is not allowed raises SIGSYS (SECCOMP_RET_TRAP), whose handler ends the guest and says
/// which call it was (last_words.h); without a handler it ends the process. A few calls are refused
/// with EPERM instead (kRefusedCalls). A call by the 32-bit interface ends the process.
///
/// io_uring could go around such a filter, so its rings are restricted when they are made
/// (uring_engine.h). The filter program is written by hand: it has only forward jumps, and
/// libseccomp would be a tenth of a stub domain's whole ramdisk.
///
/// For processes that have opened everything that they will ever need. It applies to all threads of
/// the process. The error says what the kernel lacks. Source: Linux
/// Documentation/userspace-api/seccomp_filter.rst.
[[nodiscard]] Result<> filter_system_calls(const FilterRules& rules);

}  // namespace dm::host
