// SPDX-License-Identifier: MIT
#pragma once

#include "core/net/headers.h"

#include <array>
#include <cstddef>
#include <cstdint>

/// What every network card has to do with frames, whatever its registers and rings look like.
namespace dm::nic {

using MacAddress = std::array<std::uint8_t, 6>;

using inet::kEthernetHeader;
using inet::kVlanTag;
/// Where the tag goes: behind the two addresses.
inline constexpr std::uint32_t kVlanOffset = inet::kEtherType;
/// A frame without FCS is at least this long on the wire (IEEE 802.3, 4.4.2).
inline constexpr std::uint32_t kShortestFrame = 60;
inline constexpr std::uint32_t kFcsBytes = 4;
/// No frame of our cards is longer, FCS included (8254x SDM, 13.4.22, LPE).
inline constexpr std::uint32_t kLongestFrame = 16384;

/// Whom a frame is for, by its destination address.
enum class Cast : std::uint8_t { unicast, multicast, broadcast };

[[nodiscard]] inline Cast cast_of(const std::byte* destination) noexcept {
  unsigned ones = 0xff;
  for (std::size_t i = 0; i < 6; ++i) {
    ones &= std::to_integer<unsigned>(destination[i]);
  }
  if (ones == 0xff) {
    return Cast::broadcast;
  }
  return (std::to_integer<unsigned>(destination[0]) & 1U) != 0 ? Cast::multicast : Cast::unicast;
}

}  // namespace dm::nic
