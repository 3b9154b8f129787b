// SPDX-License-Identifier: MIT
#include "devices/e1000/regs.h"
#include "devices/e1000/state.h"

#include <cstddef>
#include <cstdint>

namespace dm::e1000 {

namespace {

constexpr std::uint32_t kLongestFragment = 0xfffff;

/// Bits that the chip changes by itself, beside those that software writes.
[[nodiscard]] std::uint32_t changeable(std::size_t word, const Decoded& d) noexcept {
  switch (word) {
    case regs::STATUS::kWord:
      return regs::STATUS::LU::kMask;
    case regs::EECD::kWord:
      return regs::EECD::DO::kMask | regs::EECD::GNT::kMask | d.writable;
    case regs::EERD::kWord:
      return d.writable | regs::EERD::DONE::kMask | regs::EERD::DATA::kMask;
    case regs::MDIC::kWord:
      return d.writable | regs::MDIC::READY::kMask | regs::MDIC::ERROR::kMask;
    case regs::PBA::kWord:
      return d.writable | regs::PBA::TXA::kMask;
    default:
      break;
  }
  const bool counter = word >= regs::CRCERRS::kWord && word <= regs::TSCTFC::kWord;
  return counter ? ~std::uint32_t{0} : d.writable;
}

[[nodiscard]] bool valid(const RegisterFile& file) noexcept {
  for (std::size_t i = 0; i < kRegisterWords; ++i) {
    const Decoded& d = regs::List::kDecode[i];
    // Storage is where a register is, not where the 82542 had it.
    const std::uint32_t may_change = d.known() && d.word == i ? changeable(i, d) : 0;
    if (((file.word[i] ^ regs::List::kReset[i]) & ~may_change) != 0) {
      return false;
    }
  }
  return file.get<regs::ICS>() == 0 && file.get<regs::IMC>() == 0;
}

[[nodiscard]] bool valid(const TxContext& s) noexcept {
  return s.paylen <= kLongestFragment;
}

[[nodiscard]] bool valid(const TxPacket& s) noexcept {
  if (!s.open) {
    return !s.complete && s.fragments == 0 && s.bytes == 0 && s.sent == 0;
  }
  if (s.fragments > kMaxFragments || s.bytes > kMaxPacket || !valid(s.context)) {
    return false;
  }
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < s.fragments; ++i) {
    if (s.length[i] > kLongestFragment || s.report[i] > 3) {
      return false;
    }
    sum += s.length[i];
  }
  if (!s.discard && sum != s.bytes) {
    return false;
  }
  // Parts have been sent of a packet that is complete, segmented, and not at its end.
  const std::uint32_t header = s.context.hdrlen;
  return s.sent == 0 || (s.complete && s.segment && !s.discard && s.context.mss != 0 &&
                         header <= s.bytes && s.sent < s.bytes - header);
}

}  // namespace

bool validate(const CardState& s) noexcept {
  const bool wanted = (s.file.get<regs::ICR>() & s.file.get<regs::IMS>()) != 0;
  return (wanted || !s.pin) && valid(s.file) && nic::validate(s.eeprom) && valid(s.plain_context) &&
         valid(s.segment_context) && valid(s.packet);
}

}  // namespace dm::e1000
