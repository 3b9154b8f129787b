// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace dm::toolstack {

/// stubdm's own version, "0.1.0": from the build's project() line.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace dm::toolstack
