// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace dm::toolstack {

/// What --help prints: what this program is, how xl comes to start it, and which options it takes.
[[nodiscard]] std::string_view help_text() noexcept;
/// What --version prints, with its line end.
[[nodiscard]] std::string version_text();

}  // namespace dm::toolstack
