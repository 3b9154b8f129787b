// SPDX-License-Identifier: MIT
#include "devices/rtl8139/eeprom.h"

#include <cstddef>

namespace dm::rtl8139 {

namespace {

using regs::EECR;

constexpr std::size_t kAddressWord = 7;  // three words, the low byte first

[[nodiscard]] bool selected(std::uint8_t value) noexcept {
  return EECR::EEM::get(value) == EECR::kProgram && EECR::EECS::test(value);
}

}  // namespace

std::array<std::uint16_t, nic::kEepromWords> default_eeprom(const nic::MacAddress& mac) noexcept {
  std::array<std::uint16_t, nic::kEepromWords> words{};
  words[0] = 0x8129;  // by which drivers tell an EEPROM of this size
  words[1] = 0x10ec;
  words[2] = 0x8139;
  for (std::size_t i = 0; i < 3; ++i) {
    words[kAddressWord + i] = static_cast<std::uint16_t>(mac[2 * i] | mac[2 * i + 1] << 8);
  }
  return words;
}

void Eeprom::load() noexcept {
  file_.set<regs::IDR0>(s_.words[kAddressWord] | std::uint32_t{s_.words[kAddressWord + 1]} << 16U);
  file_.set<regs::IDR4>(s_.words[kAddressWord + 2]);
}

bool Eeprom::write(const Written& w) noexcept {
  const std::uint8_t old = file_.get<EECR>();
  file_.merge(EECR::kOffset, w);
  const std::uint8_t now = file_.get<EECR>();
  if (selected(now) != selected(old)) {
    wires_.select(selected(now));
  }
  if (selected(now) && EECR::EESK::test(now) && !EECR::EESK::test(old)) {
    wires_.clock(EECR::EEDI::test(now));
  }
  if (EECR::EEM::get(now) != EECR::kLoad) {
    return false;
  }
  load();
  file_.set<EECR>(EECR::EEM::with(now, 0));
  return true;
}

std::uint32_t Eeprom::read() const noexcept {
  const std::uint8_t value = file_.get<EECR>();
  const bool shown = EECR::EEM::get(value) == EECR::kProgram && s_.data_out;
  return EECR::EEDO::with(value, shown ? 1 : 0);
}

}  // namespace dm::rtl8139
