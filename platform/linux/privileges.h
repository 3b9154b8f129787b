// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <string>

namespace dm::host {

/// What libxl asks for with dm_restrict=1.
struct Confinement {
  std::string chroot;  ///< directory to make the root, empty: none
  std::string run_as;  ///< "user" or "uid:gid", empty: stay
};

/// Gives up privileges for good: root directory, groups, user; then makes sure that root is out of
/// reach. Everything must be open by now. Start-up only, while the process has one thread.
[[nodiscard]] Result<> confine(const Confinement& to);

}  // namespace dm::host
