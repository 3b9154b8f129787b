// SPDX-License-Identifier: MIT
// C mode: four descriptors that are registers, one buffer each, taken in turn.
#include "devices/rtl8139/transmitter.h"

#include <algorithm>
#include <array>

namespace dm::rtl8139 {

namespace {

using regs::ISR;
using regs::TCR;
using regs::TSAD;
using regs::TSD;

}  // namespace

/// OWN clear hands the buffer over. What the card reports is not the driver's to write.
void Transmitter::hand_over(std::size_t descriptor, std::uint32_t value) noexcept {
  const std::uint32_t kept = TSD::STATUS::with(TSD::TUN::with(TSD::TOK::with(value, 0), 0), 0);
  file_.set<TSD>(kept, descriptor);
  std::uint8_t& pending = shared_.state.classic_pending;
  const std::uint32_t bit = 1U << descriptor;
  pending = static_cast<std::uint8_t>((pending & ~bit) | (TSD::OWN::test(value) ? 0U : bit));
  kick();
}

bool Transmitter::run_classic() noexcept {
  const std::size_t turn = shared_.state.classic_index;
  if ((std::uint32_t{shared_.state.classic_pending} >> turn & 1U) == 0) {
    return false;
  }
  frames_.clear();
  pieces_.clear();
  const Sent sent = send_classic(turn);
  buffer_.release();
  switch (sent) {
    case Sent::part:
    case Sent::busy:
      return true;
    case Sent::full:
      return wait_for_room();
    case Sent::all:
    case Sent::bad:
      break;
  }
  Tally& tally = shared_.state.tally;
  tally.tx_ok += sent == Sent::all ? 1U : 0U;
  tally.tx_error += sent == Sent::bad ? 1U : 0U;
  shared_.counters.tx_dropped += sent == Sent::bad ? 1U : 0U;
  const auto status = static_cast<std::uint32_t>(TSD::OWN::kMask | TSD::TOK::kMask);
  file_.set<TSD>(file_.get<TSD>(turn) | status, turn);
  shared_.state.classic_pending =
      static_cast<std::uint8_t>(shared_.state.classic_pending & ~(1U << turn));
  shared_.state.classic_index = static_cast<std::uint8_t>((turn + 1) % kClassicDescriptors);
  interrupts_.raise(ISR::TOK::kMask);
  return shared_.state.classic_pending != 0;
}

Transmitter::Sent Transmitter::send_classic(std::size_t descriptor) noexcept {
  address_[0] = file_.get<TSAD>(descriptor);
  length_[0] = TSD::SIZE::get(file_.get<TSD>(descriptor));
  const std::uint32_t fcs = file_.test<TCR, TCR::CRC>() ? kFcsBytes : 0;
  const Packet packet{
      .first = 0, .count = 1, .bytes = length_[0] - std::min(length_[0], fcs), .whole = true};
  return send_frame(packet);
}

}  // namespace dm::rtl8139
