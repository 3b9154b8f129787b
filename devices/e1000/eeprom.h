// SPDX-License-Identifier: MIT
#pragma once

#include "devices/e1000/state.h"
#include "devices/nic/frame.h"
#include "devices/nic/microwire.h"

#include <array>
#include <cstdint>

namespace dm::e1000 {

using nic::MacAddress;

/// The words of a fresh card (8254x SDM, 5.6), their sum 0xbaba.
[[nodiscard]] std::array<std::uint16_t, kEepromWords> default_eeprom(
    const MacAddress& mac) noexcept;

/// The 93C46 and the two ways to it: EERD, which answers at once, and EECD, where the driver moves
/// the wires itself (devices/nic/microwire.h).
class Eeprom {
 public:
  explicit Eeprom(CardState& state) noexcept
      : file_{state.file}, s_{state.eeprom}, wires_{s_, nic::Microwire::AfterWord::next_word} {}
  Eeprom(const Eeprom&) = delete;
  Eeprom& operator=(const Eeprom&) = delete;
  ~Eeprom() = default;

  void write_eecd(std::uint32_t value) noexcept;
  void write_eerd(std::uint32_t value) noexcept;
  /// What the card fetches after a reset: the address, LEDCTL.
  void load() noexcept;

 private:
  RegisterFile& file_;
  EepromState& s_;
  nic::Microwire wires_;
};

}  // namespace dm::e1000
