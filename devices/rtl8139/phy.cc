// SPDX-License-Identifier: MIT
#include "devices/rtl8139/phy.h"

#include <utility>

namespace dm::rtl8139 {

namespace {

using regs::BMCR;
using regs::BMSR;
using regs::CSCR;
using regs::MSR;

constexpr std::uint32_t kUp = 0x0024;  // BMSR: negotiated, link
constexpr std::uint32_t kLink = 0x0004;
constexpr std::uint32_t kPartner = 0x05e1;  // ANLPAR: as we are

}  // namespace

bool Phy::set_cable(bool up) noexcept {
  if (up == cable_) {
    return false;
  }
  cable_ = up;
  s_.link_was_down = s_.link_was_down || !up;
  s_.link_changed = true;
  return true;
}

std::uint32_t Phy::read_msr() noexcept {
  const std::uint16_t control = s_.file.get<BMCR>();
  const bool slow = !BMCR::ANE::test(control) && !BMCR::SPD_SET::test(control);
  const std::uint32_t speed = MSR::SPEED_10::with(std::uint32_t{MSR::kReset}, slow ? 1 : 0);
  return MSR::LINKB::with(speed, cable_ ? 0 : 1);
}

std::uint32_t Phy::read_bmsr() noexcept {
  const std::uint32_t now = BMSR::kReset | (cable_ ? kUp : 0);
  return std::exchange(s_.link_was_down, false) ? now & ~kLink : now;
}

std::uint32_t Phy::read_anlpar() noexcept {
  return cable_ ? kPartner : 0;
}

std::uint32_t Phy::read_cscr() noexcept {
  const std::uint32_t up = CSCR::LINK_OK::with(std::uint32_t{CSCR::kReset}, cable_ ? 1 : 0);
  return CSCR::LINK_CHANGE::with(up, std::exchange(s_.link_changed, false) ? 1 : 0);
}

}  // namespace dm::rtl8139
