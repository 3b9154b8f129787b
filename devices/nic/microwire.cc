// SPDX-License-Identifier: MIT
#include "devices/nic/microwire.h"

namespace dm::nic {

namespace {

constexpr std::uint8_t kAddressMask = 0x3f;

// An instruction: start bit, two bits of opcode, six of address; opcode 00 has four more in the
// address (93C46 datasheet, instruction set).
constexpr std::uint8_t kInstructionBits = 9;
constexpr std::uint8_t kWordBits = 16;
constexpr std::uint32_t kWrite = 1;
constexpr std::uint32_t kRead = 2;
constexpr std::uint32_t kErase = 3;

}  // namespace

bool validate(const MicrowireState& s) noexcept {
  return s.bits <= kInstructionBits + kWordBits && s.out_bits <= kWordBits &&
         s.address < kEepromWords;
}

void Microwire::select(bool on) noexcept {
  if (!on && !s_.reading && s_.bits == kInstructionBits + kWordBits && s_.write_enabled) {
    s_.words[s_.address & kAddressMask] = static_cast<std::uint16_t>(s_.shift);
  }
  s_.bits = 0;
  s_.shift = 0;
  s_.out_bits = 0;
  s_.reading = false;
  s_.data_out = true;  // ready
}

void Microwire::next_bit() noexcept {
  if (s_.out_bits == 0) {  // the next word follows
    s_.address = static_cast<std::uint8_t>((s_.address + 1U) & kAddressMask);
    s_.out = s_.words[s_.address];
    s_.out_bits = kWordBits;
  }
  --s_.out_bits;
  s_.data_out = (std::uint32_t{s_.out} >> (s_.out_bits & 15U) & 1U) != 0;
}

void Microwire::clock(bool data_in) noexcept {
  if (s_.reading && (s_.out_bits != 0 || after_ == AfterWord::next_word)) {
    next_bit();
    return;
  }
  if (s_.reading) {  // the word is out
    s_.reading = false;
    s_.bits = 0;
    s_.shift = 0;
    s_.data_out = true;
  }
  if (s_.bits == 0 && !data_in) {
    return;  // no start bit yet
  }
  if (s_.bits >= kInstructionBits + kWordBits) {
    return;
  }
  s_.shift = s_.shift << 1U | (data_in ? 1U : 0U);
  ++s_.bits;
  if (s_.bits == kInstructionBits) {
    instruction();
  }
}

void Microwire::instruction() noexcept {
  const std::uint32_t opcode = s_.shift >> 6U & 3U;
  s_.address = s_.shift & kAddressMask;
  switch (opcode) {
    case kRead:
      s_.reading = true;
      s_.out = s_.words[s_.address];
      s_.out_bits = kWordBits;
      s_.data_out = false;  // the dummy bit before the data
      break;
    case kWrite:
      break;  // 16 bits of data follow
    case kErase:
      if (s_.write_enabled) {
        s_.words[s_.address] = 0xffff;
      }
      s_.bits = 0;
      break;
    default:
      // 11xxxx enables writing, 00xxxx disables it; the whole-chip instructions do nothing.
      if (s_.address >> 4U == 3) {
        s_.write_enabled = true;
      } else if (s_.address >> 4U == 0) {
        s_.write_enabled = false;
      }
      s_.bits = 0;
      break;
  }
}

}  // namespace dm::nic
