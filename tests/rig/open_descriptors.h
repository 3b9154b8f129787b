// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace dm::rig {

/// How many descriptors this process has open, and one for the looking.
[[nodiscard]] inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator list{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(list), end(list)));
}

}  // namespace dm::rig
