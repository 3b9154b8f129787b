// SPDX-License-Identifier: MIT
#include "devices/e1000/eeprom.h"

#include <cstddef>

namespace dm::e1000 {

namespace {

using regs::EECD;
using regs::EERD;

constexpr std::uint16_t kSum = 0xbaba;
constexpr std::size_t kControlWord = 0x0a;
constexpr std::size_t kLedWord = 0x2f;
constexpr std::size_t kChecksumWord = 0x3f;
// Initialization control word 1 (8254x SDM, 5.6): what of it goes into CTRL.
using WordIlos = reg::Flag<4>;
using WordLrst = reg::Flag<9>;
using WordFd = reg::Flag<10>;
using WordFrcspd = reg::Flag<11>;
// Of a LED's half of word 2Fh: blink, invert, mode.
constexpr std::uint32_t kLedBits = 0xcf;

}  // namespace

std::array<std::uint16_t, kEepromWords> default_eeprom(const MacAddress& mac) noexcept {
  std::array<std::uint16_t, kEepromWords> words;
  words.fill(0xffff);
  for (std::size_t i = 0; i < 3; ++i) {
    words[i] = static_cast<std::uint16_t>(mac[2 * i] | mac[2 * i + 1] << 8);
  }
  words[0x03] = 0x0000;  // compatibility
  words[0x04] = 0xffff;  // ID LED: default
  words[0x05] = 0x0000;  // image version
  words[0x08] = 0x3000;  // board number
  words[0x09] = 0x1000;
  words[kControlWord] = 0x6403;  // initialization control 1: FD, and ids are in here
  words[0x0b] = 0x001e;          // subsystem, as in configuration space
  words[0x0c] = 0x8086;
  words[0x0d] = 0x100e;
  words[0x0e] = 0x8086;
  words[0x0f] = 0x3040;      // initialization control 2
  words[0x24] = 0x0000;      // initialization control 3: no wake-up
  words[kLedWord] = 0x0602;  // LED0: link up; LED2: link 100
  std::uint16_t sum = 0;
  for (std::size_t i = 0; i < kChecksumWord; ++i) {
    sum = static_cast<std::uint16_t>(sum + words[i]);
  }
  words[kChecksumWord] = static_cast<std::uint16_t>(kSum - sum);
  return words;
}

void Eeprom::load() noexcept {
  wires_.select(false);
  file_.set<regs::RAL>(s_.words[0] | std::uint32_t{s_.words[1]} << 16U);
  file_.set<regs::RAH>(regs::RAH::AV::with(std::uint32_t{s_.words[2]}, 1));
  using regs::CTRL;
  const std::uint16_t control = s_.words[kControlWord];
  std::uint32_t ctrl = file_.get<CTRL>();
  ctrl = CTRL::FD::with(ctrl, WordFd::get(control));
  ctrl = CTRL::LRST::with(ctrl, WordLrst::get(control));
  ctrl = CTRL::FRCSPD::with(ctrl, WordFrcspd::get(control));
  file_.set<CTRL>(CTRL::ILOS::with(ctrl, WordIlos::get(control)));
  using regs::LEDCTL;
  const std::uint32_t leds = s_.words[kLedWord];
  const std::uint32_t led0 = LEDCTL::LED0::with(file_.get<LEDCTL>(), leds & kLedBits);
  file_.set<LEDCTL>(LEDCTL::LED2::with(led0, leds >> 8U & kLedBits));
}

void Eeprom::write_eerd(std::uint32_t value) noexcept {
  if (!EERD::START::test(value)) {
    file_.set<EERD>(EERD::ADDR::with(file_.get<EERD>(), EERD::ADDR::get(value)));
    return;
  }
  const std::uint32_t address = EERD::ADDR::get(value);
  const std::uint32_t data = address < kEepromWords ? s_.words[address] : 0U;
  // START clears itself. Only DONE at bit 4: iPXE takes bit 1 for a card with another layout.
  file_.set<EERD>(EERD::DONE::with(EERD::ADDR::with(EERD::DATA::with(0U, data), address), 1));
}

void Eeprom::write_eecd(std::uint32_t value) noexcept {
  const std::uint32_t old = file_.get<EECD>();
  const auto writable = static_cast<std::uint32_t>(EECD::Layout::kWritable);
  if (EECD::CS::test(value) != EECD::CS::test(old)) {
    wires_.select(EECD::CS::test(value));
  }
  if (EECD::CS::test(value) && EECD::SK::test(value) && !EECD::SK::test(old)) {
    wires_.clock(EECD::DI::test(value));
  }
  std::uint32_t now = (old & ~writable) | (value & writable);
  now = EECD::GNT::with(now, EECD::REQ::get(value));
  file_.set<EECD>(EECD::DO::with(now, s_.data_out ? 1 : 0));
}

}  // namespace dm::e1000
