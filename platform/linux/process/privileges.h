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

/// Gives up privileges for good: root directory, groups, user. Then it checks that root is out of
/// reach. Everything must be open before. Thread rule: start-up only, while the process has one
/// thread.
[[nodiscard]] Result<> confine(const Confinement& to);

/// For a process that stays root, because it opens images later and starts qemu-nbd for them. Of
/// root's capabilities it keeps those for files of other users, locked memory and limits, for
/// itself and for what it starts; it can never get others. A process that is not root keeps what it
/// has. Thread rule: start-up only, while the process has one thread. Source: capabilities(7).
[[nodiscard]] Result<> keep_file_rights();

}  // namespace dm::host
