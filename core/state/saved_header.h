// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace dm::state {

/// The head of a saved machine, little endian as all of it. It tells a reader how much to read, and
/// a console that carries such states where each begins. The format behind it is in
/// ioreq/machine/machine_state.h.
struct SavedHeader {
  static constexpr std::array<char, 8> kMagic{'s', 't', 'u', 'b', 'd', 'm', '-', 's'};
  static constexpr std::uint32_t kVersion = 3;

  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t length = 0;  ///< bytes, with this header and with padding
  std::uint32_t crc = 0;     ///< CRC-32 of what follows it
  /// Which save of its device model it is, from 1; 0 before version 3, whose sum was without it.
  std::uint32_t number = 0;
};
inline constexpr std::size_t kSavedHeader = sizeof(SavedHeader);
static_assert(kSavedHeader == 24);

/// Bytes; a state has no more.
inline constexpr std::size_t kMaxSavedState = std::size_t{1} << 20;

/// True if a saved machine of any version begins there.
[[nodiscard]] inline bool begins_saved_state(std::span<const std::byte> bytes) noexcept {
  return bytes.size() >= SavedHeader::kMagic.size() &&
         std::memcmp(bytes.data(), SavedHeader::kMagic.data(), SavedHeader::kMagic.size()) == 0;
}

/// Reads it from hostile bytes. The length is kSavedHeader to kMaxSavedState then. An error is one
/// message.
[[nodiscard]] inline Result<SavedHeader> read_saved_header(std::span<const std::byte> bytes) {
  SavedHeader header;
  if (bytes.size() < sizeof header) {
    return Error{"the saved state ends inside its header"};
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != SavedHeader::kMagic) {
    return Error{"this is not a saved state of stubdm"};
  }
  if (header.version == 0 || header.version > SavedHeader::kVersion ||
      (header.version < 3 && header.number != 0)) {
    return fail("the saved state has format ", std::to_string(header.version),
                ", and this program reads formats 1 to ", std::to_string(SavedHeader::kVersion),
                " only");
  }
  if (header.length < sizeof header || header.length > kMaxSavedState) {
    return fail("the saved state says it has ", std::to_string(header.length),
                " bytes, which none has");
  }
  return header;
}

}  // namespace dm::state
