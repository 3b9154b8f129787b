// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

namespace dm::host {

/// From now on this process gets no more of its kernel than serving a guest takes: 39 system calls
/// on what is open already. It cannot open or make anything by a name, start a process or a thread,
/// make a socket, look at other processes, or map memory that can be executed; nobody in it can
/// take that back. What is refused is answered with EPERM, not with death, because a call that some
/// library makes and nobody thought of must not end the guest; who has taken the process over gains
/// nothing by the difference. The 32-bit interface ends the process.
///
/// io_uring is a way around such a filter: its rings are restricted when they are made
/// (uring_engine.h). The program is written by hand, as there is no way in it but forward;
/// libseccomp would be a tenth of a stub domain's whole ramdisk.
///
/// For processes that have opened everything they will ever need. The error says what the kernel
/// lacks. All threads there are get it. Source: Linux
/// Documentation/userspace-api/seccomp_filter.rst.
[[nodiscard]] Result<> filter_system_calls();

}  // namespace dm::host
