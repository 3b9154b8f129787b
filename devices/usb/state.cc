// SPDX-License-Identifier: MIT
#include "devices/usb/state.h"

#include "devices/usb/requests.h"

#include <algorithm>
#include <span>

namespace dm::usb {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): the datasheet's names

bool validate(const HidInputState& s, HidKind kind) noexcept {
  const HidQueue& q = s.queue;
  constexpr std::uint16_t kMost = 32767;
  const bool tablet = kind == HidKind::tablet;
  const auto on_screen = [](std::uint16_t at) { return at <= kMost; };
  if (q.first >= kQueue || q.count > kQueue || s.downs > s.down.size() || !on_screen(s.x) ||
      !on_screen(s.y)) {
    return false;
  }
  return !tablet || (std::ranges::all_of(q.x, on_screen) && std::ranges::all_of(q.y, on_screen));
}

bool validate(const HidState& s) noexcept {
  if (s.kind > HidKind::keyboard || s.stage > ControlStage::stalled || s.address >= 128 ||
      !validate(s.input, s.kind)) {
    return false;
  }
  const Request r = request_of(s.setup);
  switch (s.stage) {
    case ControlStage::idle:
    case ControlStage::stalled:
      return true;
    case ControlStage::data_in:
      return r.to_host() && acceptable(r, s) &&
             s.moved <= std::min<std::size_t>(answer(r, s).size(), r.length);
    case ControlStage::data_out:
      return !r.to_host() && acceptable(r, s) && r.length <= s.data.size() && s.moved <= r.length;
    case ControlStage::status_in:
      return acceptable(r, s) && r.length == 0;
  }
  return false;
}

bool is_port(std::uint16_t port, bool attached) noexcept {
  constexpr auto kBits = static_cast<std::uint16_t>(PORTSC::kStored | PORTSC::kClearable |
                                                    kMask16<PORTSC::ONE, PORTSC::CCS>);
  return (port & ~kBits) == 0 && PORTSC::ONE::test(port) && PORTSC::CCS::test(port) == attached &&
         (attached || !PORTSC::PE::test(port));
}

}  // namespace

bool validate(const UhciState& s) noexcept {
  constexpr std::uint32_t kFrameLength = 1'000'000;
  const bool runs = USBCMD::RS::test(s.command);
  return (s.command & ~USBCMD::kStored) == 0 &&
         (s.status & ~(USBSTS::kClearable | kMask16<USBSTS::HCHALTED>)) == 0 &&
         USBSTS::HCHALTED::test(s.status) != runs &&
         (s.interrupt_enable & ~USBINTR::kStored) == 0 && s.causes <= 3 &&
         s.sof_modify <= SOFMOD::kStored && s.frame <= FRNUM::NUMBER::kMax &&
         s.frame_part < kFrameLength && (s.frame_list & ~FLBASEADD::kStored) == 0 &&
         is_port(s.port0, s.device0.kind != HidKind::none) &&
         is_port(s.port1, s.device1.kind != HidKind::none) && validate(s.device0) &&
         validate(s.device1);
}

}  // namespace dm::usb
