// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm::bench {

/// What the hot path must not do, counted for the whole process since its start: the program's own
/// malloc, operator new and pthread locks count themselves.
struct HotPath {
  std::uint64_t allocations = 0;
  std::uint64_t locks = 0;  ///< mutexes and reader-writer locks taken, contended or not
};
[[nodiscard]] HotPath hot_path() noexcept;

}  // namespace dm::bench
