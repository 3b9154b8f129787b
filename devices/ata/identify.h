// SPDX-License-Identifier: MIT
#pragma once

#include "devices/ata/geometry.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dm::ata {

/// An ASCII string field of IDENTIFY data. It is padded with spaces, cut if it is too long, and
/// unprintable bytes become '?'.
template <std::size_t N>
struct IdentifyString {
  std::array<char, N> text{};

  // NOLINTNEXTLINE(google-explicit-constructor): a string is a field
  constexpr IdentifyString(std::string_view from) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
      const char c = i < from.size() ? from[i] : ' ';
      text[i] = c >= ' ' && c <= '~' ? c : '?';
    }
  }
  // NOLINTNEXTLINE(google-explicit-constructor): as above
  constexpr IdentifyString(const char* from) noexcept : IdentifyString{std::string_view{from}} {}
};

/// How a disk names itself. Guests remember it, so the serial number has to be stable and, within
/// one machine, unique.
struct DiskIdentity {
  IdentifyString<20> serial;
  IdentifyString<8> firmware = "1.0";
  IdentifyString<40> model = "STUBDM HARDDISK";
};

/// The identity of the disk at position 0-3: serial number "DM00001" to "DM00004".
[[nodiscard]] DiskIdentity default_identity(unsigned position) noexcept;

/// The same for a CD-ROM drive.
[[nodiscard]] DiskIdentity default_cd_identity(unsigned position) noexcept;

/// What IDENTIFY DEVICE is made from.
struct IdentifySource {
  const DiskIdentity& identity;
  std::uint64_t total_sectors;
  std::uint32_t physical_block;  ///< bytes
  Geometry current;
  std::uint8_t max_multiple;
  std::uint8_t multiple;  ///< 0: not set
  std::uint8_t dma_mode;  ///< 20h-22h, or 0
  std::uint8_t unit;
  std::uint8_t max_trim_blocks;  ///< 0: no DATA SET MANAGEMENT
  bool write_cache;
  bool smart;
};

/// Writes the answer to IDENTIFY DEVICE, 512 bytes as they go over the data port. It claims only
/// what works. Source: ATA/ATAPI-6 8.16; ACS-2 for the words that are marked so.
void build_identify(const IdentifySource& source,
                    std::span<std::uint8_t, kSectorSize> out) noexcept;

/// Writes the answer of a CD-ROM drive to IDENTIFY PACKET DEVICE, ATA/ATAPI-6 8.17.
void build_packet_identify(const DiskIdentity& identity,
                           std::uint8_t dma_mode,
                           std::uint8_t unit,
                           std::span<std::uint8_t, kSectorSize> out) noexcept;

}  // namespace dm::ata
