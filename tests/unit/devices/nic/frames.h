// SPDX-License-Identifier: MIT
// Frames for the tests of network cards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dm::test {

using Bytes = std::vector<std::byte>;

inline constexpr std::array<std::uint8_t, 6> kMac{0x00, 0x16, 0x3e, 0x12, 0x34, 0x56};

[[nodiscard]] inline std::byte byte_of(std::size_t i) {
  return static_cast<std::byte>((i * 7 + i / 251 + 3) & 0xffU);
}
/// A frame of `size` bytes for `to`, its contents different at every place.
[[nodiscard]] inline Bytes frame_to(std::span<const std::uint8_t> to,
                                    std::size_t size,
                                    std::uint16_t type = 0x88b5) {
  Bytes frame(size);
  for (std::size_t i = 0; i < size; ++i) {
    frame[i] = byte_of(i);
  }
  for (std::size_t i = 0; i < 6; ++i) {
    frame.at(i) = std::byte{to[i]};
    frame.at(6 + i) = static_cast<std::byte>(0x50 + i);
  }
  frame.at(12) = static_cast<std::byte>(type >> 8U);
  frame.at(13) = static_cast<std::byte>(type & 0xffU);
  return frame;
}
[[nodiscard]] inline Bytes frame_to_us(std::size_t size) {
  return frame_to(kMac, size);
}
inline constexpr std::array<std::uint8_t, 6> kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
inline constexpr std::array<std::uint8_t, 6> kOther{0x00, 0x16, 0x3e, 0x99, 0x99, 0x99};

}  // namespace dm::test
