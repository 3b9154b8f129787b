// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>

/// What a PS/2 keyboard sends for a key, and how its controller translates it. Keys are named by
/// their codes of set 1; bit 7 stands for the prefix E0h. No state. Thread rule: any thread.
/// Source: IBM PS/2 Hardware Interface Technical Reference, Keyboards (101- and 102-key), "Scan
/// Code Tables", and Keyboard and Auxiliary Device Controller, "Scan Code Translation".
namespace dm::chipset {

inline constexpr std::uint8_t kExtendedKey = 0x80;
inline constexpr std::uint8_t kPauseKey = 0xc6;
inline constexpr std::uint8_t kPrintKey = 0xb7;

/// Modifiers that are held.
enum Modifier : std::uint8_t {
  kLeftShift = 1,
  kRightShift = 2,
  kLeftCtrl = 4,
  kRightCtrl = 8,
  kLeftAlt = 16,
  kRightAlt = 32,
};
/// Those that are held after the key has gone down or up.
[[nodiscard]] std::uint8_t hold(std::uint8_t modifiers, std::uint8_t code, bool down) noexcept;

/// The bytes of one key that goes down or up. The longest are eight: Pause in set 2.
class ScanSequence {
 public:
  void add(std::uint8_t byte) noexcept {
    if (size_ < bytes_.size()) {
      bytes_.at(size_++) = byte;
    }
  }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
    return std::span{bytes_}.first(size_);
  }

 private:
  std::array<std::uint8_t, 8> bytes_{};
  std::size_t size_ = 0;
};

/// `set` is 1, 2 or 3. Nothing for a key that the set does not have.
[[nodiscard]] ScanSequence scan_sequence(std::uint8_t set,
                                         std::uint8_t code,
                                         bool down,
                                         std::uint8_t modifiers) noexcept;

/// The controller's translation of one byte of set 2 into set 1. F0h says that the next one is a
/// break code: it is swallowed, and `release` remembers it. False: there is nothing to send.
[[nodiscard]] bool translate_set2(std::uint8_t& byte, bool& release) noexcept;

}  // namespace dm::chipset
