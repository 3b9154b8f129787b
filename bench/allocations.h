// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm::bench {

/// Heap allocations of this process so far: the program's own operator new counts them.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace dm::bench
