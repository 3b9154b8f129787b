// SPDX-License-Identifier: MIT
#pragma once

#include "devices/nic/frame.h"
#include "devices/nic/microwire.h"
#include "devices/rtl8139/state.h"

#include <array>
#include <cstdint>

namespace dm::rtl8139 {

/// The words of a fresh card.
[[nodiscard]] std::array<std::uint16_t, nic::kEepromWords> default_eeprom(
    const nic::MacAddress& mac) noexcept;

/// The 93C46 behind the register 9346CR, where the driver moves the wires itself
/// (devices/nic/microwire.h). Thread rule: the loop's thread only.
class Eeprom {
 public:
  explicit Eeprom(CardState& state) noexcept
      : file_{state.file},
        s_{state.eeprom},
        wires_{s_, nic::Microwire::AfterWord::new_instruction} {}
  Eeprom(const Eeprom&) = delete;
  Eeprom& operator=(const Eeprom&) = delete;
  ~Eeprom() = default;

  /// 9346CR. True when the card is to load what it fetches after a reset: load() was called.
  bool write(const Written& w) noexcept;
  [[nodiscard]] std::uint32_t read() const noexcept;
  /// What the card fetches after a reset: the station address.
  void load() noexcept;

 private:
  RegisterFile& file_;
  nic::MicrowireState& s_;
  nic::Microwire wires_;
};

}  // namespace dm::rtl8139
