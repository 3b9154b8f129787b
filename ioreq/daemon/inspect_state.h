// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <boost/json/object.hpp>

#include <string>

namespace dm {

/// What `stubdm inspect --state FILE` prints: the saved state in FILE, which `xl save` or the
/// device model has written. Needs no Xen, no guest and no privilege. Every byte of the file is
/// hostile; at most one state of it is in memory. When several states follow each other, as a stub
/// domain's do after several saves, the last complete one is shown. Fails with one line: what is
/// wrong, or that QEMU has written the state. Allocates.
[[nodiscard]] Result<boost::json::object> inspect_state(const std::string& path);

}  // namespace dm
