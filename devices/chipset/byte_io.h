// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/io_handler.h"

#include <concepts>
#include <cstdint>

namespace dm::chipset {

/// An 8-bit chip sees a wider access as one access for each byte, low byte first: the PCI-to-ISA
/// bridge splits it so. `byte_of(offset)` returns one byte of the region.
template <class ByteOf>
requires std::is_nothrow_invocable_r_v<std::uint8_t, ByteOf, std::uint64_t>
[[nodiscard]] std::uint64_t read_bytes(IoAccess a, ByteOf byte_of) noexcept {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < a.size; ++i) {
    value |= std::uint64_t{byte_of(a.offset + i)} << (8 * i);
  }
  return value;
}

/// `take(offset, byte)` takes one byte of the region.
template <class Take>
requires std::is_nothrow_invocable_v<Take, std::uint64_t, std::uint8_t>
void write_bytes(IoAccess a, std::uint64_t value, Take take) noexcept {
  for (unsigned i = 0; i < a.size; ++i) {
    take(a.offset + i, static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

}  // namespace dm::chipset
