// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <xen/xen.h>

#include <string>
#include <string_view>

namespace dm::xen {

/// "No such file or directory (2)"
[[nodiscard]] std::string error_text(int error);

/// Says why `device` (a file under /dev/xen) cannot be opened, and what to check.
[[nodiscard]] Error explain_open(std::string_view device, int error);

/// Says why the first operation on a domain failed: there is no such domain, it is no HVM guest, we
/// may not serve it, or it has too many servers. `what` names the operation.
[[nodiscard]] Error explain_domain(std::string_view what, domid_t domid, int error);

}  // namespace dm::xen
