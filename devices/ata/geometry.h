// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace dm::ata {

inline constexpr std::uint32_t kSectorSize = 512;  ///< bytes
inline constexpr std::uint64_t kLba28Limit = std::uint64_t{1} << 28;
inline constexpr std::uint64_t kLba48Limit = std::uint64_t{1} << 48;

/// A CHS translation. Sectors are numbered from 1.
struct Geometry {
  std::uint16_t cylinders = 0;
  std::uint8_t heads = 0;  ///< 1-16
  /// For each track; 1-63 by default, up to 255 by INITIALIZE DEVICE PARAMETERS.
  std::uint8_t sectors = 0;

  [[nodiscard]] constexpr std::uint32_t capacity() const noexcept {
    return std::uint32_t{cylinders} * heads * sectors;
  }
  friend constexpr bool operator==(const Geometry&, const Geometry&) noexcept = default;
};

/// The translation that a disk of `total` sectors reports after power-on: 16 heads, 63 sectors, and
/// as many cylinders as fit, from 1 to 16383 (ATA/ATAPI-6 annex B: every disk above 8.4 GB says
/// 16383/16/63). The CMOS bytes for the BIOS come from it too.
[[nodiscard]] constexpr Geometry default_geometry(std::uint64_t total) noexcept {
  constexpr std::uint64_t kTrack = std::uint64_t{16} * 63;
  const std::uint64_t cylinders = std::clamp<std::uint64_t>(total / kTrack, 1, 16383);
  return {.cylinders = static_cast<std::uint16_t>(cylinders), .heads = 16, .sectors = 63};
}

/// The translation after INITIALIZE DEVICE PARAMETERS (ATA-5 8.16; word 54 of IDENTIFY DEVICE).
/// `heads` and `sectors` must not be 0.
[[nodiscard]] constexpr Geometry translated_geometry(std::uint64_t total,
                                                     std::uint8_t heads,
                                                     std::uint8_t sectors) noexcept {
  const std::uint64_t cylinders = total / (std::uint64_t{heads} * sectors);
  return {.cylinders = static_cast<std::uint16_t>(std::min<std::uint64_t>(cylinders, 65535)),
          .heads = heads,
          .sectors = sectors};
}

}  // namespace dm::ata
