// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <xen/xen.h>

#include <string>
#include <string_view>

namespace dm::xen {

/// "No such file or directory (2)"
[[nodiscard]] std::string error_text(int error);

/// Why `device` (a file under /dev/xen) cannot be opened, and what to check.
[[nodiscard]] Error explain_open(std::string_view device, int error);

/// Why the first operations on a domain fail: there is none, it is no HVM guest, it is not ours to
/// serve, it has too many servers. `what` says what was tried.
[[nodiscard]] Error explain_domain(std::string_view what, domid_t domid, int error);

}  // namespace dm::xen
