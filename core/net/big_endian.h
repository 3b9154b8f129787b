// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Fields of network headers, most significant byte first, in a private copy. Whoever calls has
/// seen to it that they are inside. Puts take the low bits of the value.
namespace dm::inet {

[[nodiscard]] inline std::uint16_t get16(std::span<const std::byte> from, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(from[at]) << 8U |
                                    std::to_integer<unsigned>(from[at + 1]));
}
[[nodiscard]] inline std::uint32_t get32(std::span<const std::byte> from, std::size_t at) noexcept {
  return std::uint32_t{get16(from, at)} << 16U | get16(from, at + 2);
}
inline void put16(std::span<std::byte> to, std::size_t at, std::uint32_t value) noexcept {
  to[at] = static_cast<std::byte>(value >> 8U & 0xffU);
  to[at + 1] = static_cast<std::byte>(value & 0xffU);
}
inline void put32(std::span<std::byte> to, std::size_t at, std::uint32_t value) noexcept {
  put16(to, at, value >> 16U);
  put16(to, at + 2, value & 0xffffU);
}

}  // namespace dm::inet
