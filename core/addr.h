// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>

namespace dm {

inline constexpr unsigned kPageShift = 12;
inline constexpr std::uint64_t kPageSize = std::uint64_t{1} << kPageShift;

/// A guest-physical address, in bytes. A type of its own so that it is never mistaken for a host
/// address, a length or an offset.
struct Gpa {
  std::uint64_t value = 0;

  [[nodiscard]] constexpr std::uint64_t gfn() const noexcept { return value >> kPageShift; }
  friend constexpr auto operator<=>(Gpa, Gpa) noexcept = default;
  /// Wraps like the guest's own arithmetic would; every user checks the result against real memory.
  friend constexpr Gpa operator+(Gpa a, std::uint64_t bytes) noexcept { return {a.value + bytes}; }
};

/// A PCI function on bus 0 of segment 0, the only bus this machine has.
struct PciBdf {
  std::uint8_t device = 0;    ///< 0-31
  std::uint8_t function = 0;  ///< 0-7

  [[nodiscard]] constexpr std::uint8_t devfn() const noexcept {
    return static_cast<std::uint8_t>(device << 3 | function);
  }
  friend constexpr auto operator<=>(PciBdf, PciBdf) noexcept = default;
};

}  // namespace dm
