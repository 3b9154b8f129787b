// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

/// Fields of network headers, most significant byte first, in a private copy. Whoever calls has
/// seen to it that they are inside. Puts take the low bits of the value.
namespace dm::inet {

/// Between the order of the network and that of the machine.
[[nodiscard]] constexpr std::uint16_t swapped(std::uint16_t value) noexcept {
  return std::endian::native == std::endian::big
             ? value
             : static_cast<std::uint16_t>(value << 8U | value >> 8U);
}
[[nodiscard]] constexpr std::uint32_t swapped(std::uint32_t value) noexcept {
  return std::endian::native == std::endian::big
             ? value
             : value << 24U | (value << 8U & 0xff0000U) | (value >> 8U & 0xff00U) | value >> 24U;
}

// One access each, and, where a library checks spans, one check: of the last byte.
[[nodiscard]] inline std::uint16_t get16(std::span<const std::byte> from, std::size_t at) noexcept {
  std::uint16_t stored = 0;
  std::memcpy(&stored, &from[at + 1] - 1, sizeof stored);
  return swapped(stored);
}
[[nodiscard]] inline std::uint32_t get32(std::span<const std::byte> from, std::size_t at) noexcept {
  std::uint32_t stored = 0;
  std::memcpy(&stored, &from[at + 3] - 3, sizeof stored);
  return swapped(stored);
}
inline void put16(std::span<std::byte> to, std::size_t at, std::uint32_t value) noexcept {
  const std::uint16_t stored = swapped(static_cast<std::uint16_t>(value & 0xffffU));
  std::memcpy(&to[at + 1] - 1, &stored, sizeof stored);
}
inline void put32(std::span<std::byte> to, std::size_t at, std::uint32_t value) noexcept {
  const std::uint32_t stored = swapped(value);
  std::memcpy(&to[at + 3] - 3, &stored, sizeof stored);
}

}  // namespace dm::inet
