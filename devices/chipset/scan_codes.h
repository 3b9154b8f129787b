// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dm::chipset {

/// What a keyboard sends for a key that goes down or up: 1 to 8 bytes, or none.
struct ScanCodes {
  static constexpr std::size_t kMost = 8;
  std::array<std::uint8_t, kMost> bytes{};
  std::size_t count = 0;

  constexpr void put(std::uint8_t byte) noexcept {
    if (count < kMost) {
      bytes[count++] = byte;
    }
  }
};

/// Keys as core/backend/input_sink.h names them, for what is special about them.
inline constexpr std::uint8_t kKeyLeftShift = 0x2a;
inline constexpr std::uint8_t kKeyRightShift = 0x36;
inline constexpr std::uint8_t kKeyLeftCtrl = 0x1d;
inline constexpr std::uint8_t kKeyRightCtrl = 0x9d;
inline constexpr std::uint8_t kKeyLeftAlt = 0x38;
inline constexpr std::uint8_t kKeyRightAlt = 0xb8;
inline constexpr std::uint8_t kKeySysRq = 0x54;  ///< Print Screen with Alt
inline constexpr std::uint8_t kKeyPrintScreen = 0xb7;
inline constexpr std::uint8_t kKeyPause = 0xc6;

/// The modifiers that are down.
struct Modifiers {
  bool shift = false;
  bool ctrl = false;
};

/// What a byte of scan code set 2 is in set 1: what the 8042 does to the keyboard's bytes. F0h
/// (break) is not for it: there the next byte gets bit 7.
[[nodiscard]] std::uint8_t set2_to_set1(std::uint8_t byte) noexcept;

/// The sequence for a key in scan code set 1, 2 or 3. Pause has none when it goes up, except in set
/// 3. No sequence: the set has no such key.
/// Source: IBM PS/2 Hardware Interface Technical Reference, Keyboards (101- and 102-key), scan
/// codes. Later keys, and set 3 for Windows keys: Microsoft, Keyboard Scan Code Specification 1.3a.
[[nodiscard]] ScanCodes scan_codes(std::uint8_t set,
                                   std::uint8_t key,
                                   bool down,
                                   Modifiers held) noexcept;

}  // namespace dm::chipset
