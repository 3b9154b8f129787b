// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

/// True when [at, at+len) lies inside [base, base+size). Written with subtractions so that nothing
/// can wrap, whatever the guest put into the four numbers.
[[nodiscard]] constexpr bool within(std::uint64_t base,
                                    std::uint64_t size,
                                    std::uint64_t at,
                                    std::uint64_t len) noexcept {
  return at >= base && at - base <= size && len <= size - (at - base);
}

/// An inclusive range of ports or guest-physical addresses, as Xen counts them.
template <class T>
struct Range {
  T first;
  T last;

  [[nodiscard]] constexpr bool overlaps(const Range& other) const noexcept {
    return first <= other.last && other.first <= last;
  }
  /// Does [at, at+len) lie inside? `len` is at least 1.
  [[nodiscard]] constexpr bool holds(T at, std::uint64_t len) const noexcept {
    return at >= first && at <= last && len - 1 <= static_cast<std::uint64_t>(last - at);
  }
};

using PortRange = Range<std::uint16_t>;
using MmioRange = Range<std::uint64_t>;

}  // namespace dm
