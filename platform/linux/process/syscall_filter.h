// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

namespace dm::host {

/// Limits this process to the 39 system calls that serving a guest takes, on what is open already.
/// It cannot open or make anything by a name, start a process or a thread, make a socket, look at
/// other processes, or map executable memory. Nothing in the process can undo this. A refused call
/// gets EPERM and does not kill the process, because a call that some library makes and nobody
/// thought of must not end the guest; an attacker gains nothing by the difference. A call by the
/// 32-bit interface ends the process.
///
/// io_uring could go around such a filter, so its rings are restricted when they are made
/// (uring_engine.h). The filter program is written by hand: it has only forward jumps, and
/// libseccomp would be a tenth of a stub domain's whole ramdisk.
///
/// For processes that have opened everything that they will ever need. It applies to all threads of
/// the process. The error says what the kernel lacks. Source: Linux
/// Documentation/userspace-api/seccomp_filter.rst.
[[nodiscard]] Result<> filter_system_calls();

}  // namespace dm::host
