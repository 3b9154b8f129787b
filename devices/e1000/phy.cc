// SPDX-License-Identifier: MIT
#include "devices/e1000/phy.h"

#include <array>

namespace dm::e1000 {

namespace {

using regs::MDIC;
using regs::STATUS;

constexpr std::uint32_t kPhyAddress = 1;

// clang-format off
constexpr std::uint32_t BMCR = 0, BMSR = 1, ANLPAR = 5, GSTATUS = 10, PSSR = 17, PINTS = 19;
constexpr std::uint16_t kReset     = 0x8000;   // BMCR, self-clearing
constexpr std::uint16_t kLoopback  = 0x4000;
constexpr std::uint16_t kAutoNeg   = 0x1000;
constexpr std::uint16_t kPowerDown = 0x0800;
constexpr std::uint16_t kRestart   = 0x0200;   // self-clearing
constexpr std::uint16_t kAnComplete = 0x0020;  // BMSR
constexpr std::uint16_t kLinkStatus = 0x0004;

struct PhyRegister {
  std::uint16_t reset;
  std::uint16_t writable;
  bool there;
};
constexpr std::array<PhyRegister, kPhyRegisters> kRegisters{{
    {0x1140, 0x7dc0, true},   //  0 BMCR: 1000 Mb/s, full duplex, negotiation on
    {0x7949, 0, true},        //  1 BMSR, link and negotiation apart
    {0x0141, 0, true},        //  2 ID 1: Marvell
    {0x0c20, 0, true},        //  3 ID 2: 88E1011
    {0x0de1, 0xffff, true},   //  4 advertisement
    {0x01e0, 0, true},        //  5 partner's abilities
    {0x0000, 0, true},        //  6 expansion
    {0x2001, 0xffff, true},   //  7 next page
    {0x0000, 0, true},        //  8 partner's next page
    {0x0e00, 0xffff, true},   //  9 1000BASE-T control
    {0x0000, 0, true},        // 10 1000BASE-T status
    {}, {}, {}, {},
    {0x3000, 0, true},        // 15 extended status: 1000BASE-T
    {0x0360, 0xffff, true},   // 16 PHY specific control
    {0x0000, 0, true},        // 17 PHY specific status
    {0x0000, 0xffff, true},   // 18 interrupt enable
    {0x0000, 0, true},        // 19 interrupt status
    {0x0d60, 0xffff, true},   // 20 extended PHY specific control
    {0x0000, 0, true},        // 21 receive error counter
    {0x0000, 0xffff, true},   // 22 page
    {0x0000, 0, true},        // 23
    {0x4100, 0xffff, true},   // 24 LED control
    {0x0000, 0xffff, true},   // 25 LED override
    {}, {}, {},
    {0x0000, 0xffff, true},   // 29 page select
    {0x0000, 0xffff, true},   // 30 general control
    {},
}};
// clang-format on

}  // namespace

bool Phy::link() const noexcept {
  return cable_ && (s_.reg[BMCR] & kPowerDown) == 0;
}

bool Phy::loopback() const noexcept {
  return (s_.reg[BMCR] & kLoopback) != 0;
}

void Phy::refresh() noexcept {
  const bool up = link();
  const bool negotiated = up && (s_.reg[BMCR] & kAutoNeg) != 0;
  file_.set<STATUS>(STATUS::LU::with(file_.get<STATUS>(), up ? 1 : 0));
  s_.reg[BMSR] = static_cast<std::uint16_t>(kRegisters[BMSR].reset | (up ? kLinkStatus : 0) |
                                            (negotiated ? kAnComplete : 0));
  s_.reg[ANLPAR] = static_cast<std::uint16_t>(up ? 0x41e0 : 0x01e0);  // acknowledged
  s_.reg[GSTATUS] = up ? 0x3c00 : 0;
  s_.reg[PSSR] = static_cast<std::uint16_t>(up ? 0xac00 : 0xa000);  // resolved, link
}

void Phy::reset() noexcept {
  for (std::size_t i = 0; i < kPhyRegisters; ++i) {
    s_.reg[i] = kRegisters[i].reset;
  }
  refresh();
}

bool Phy::set_cable(bool up) noexcept {
  const bool before = link();
  cable_ = up;
  s_.link_was_down = s_.link_was_down || (before && !link());
  refresh();
  return link() != before;
}

/// True when the rest of the chip should hear of the link.
bool Phy::write_control(std::uint16_t value) noexcept {
  const bool before = link();
  if ((value & kReset) != 0) {
    reset();  // the bits beside the reset count: a 88E1011 takes speed and negotiation over with it
  }
  s_.reg[BMCR] = value & kRegisters[BMCR].writable;
  s_.link_was_down = s_.link_was_down || (before && !link());
  refresh();
  return link() != before || ((value & (kReset | kRestart)) != 0 && link());
}

bool Phy::write(std::uint32_t reg, std::uint16_t value) noexcept {
  if (reg == BMCR) {
    return write_control(value);
  }
  const std::uint16_t mask = kRegisters[reg].writable;
  s_.reg[reg] = static_cast<std::uint16_t>((s_.reg[reg] & ~mask) | (value & mask));
  return false;
}

std::uint16_t Phy::read(std::uint32_t reg) noexcept {
  std::uint16_t value = s_.reg[reg];
  if (reg == BMSR && s_.link_was_down) {
    s_.link_was_down = false;
    value = static_cast<std::uint16_t>(value & ~kLinkStatus);
  } else if (reg == PINTS) {
    s_.reg[PINTS] = 0;
  }
  return value;
}

Phy::Effect Phy::write_mdic(std::uint32_t value) noexcept {
  Effect effect;
  const auto writable = static_cast<std::uint32_t>(MDIC::Layout::kWritable);
  const std::uint32_t reg = MDIC::REG::get(value);
  std::uint32_t result = MDIC::READY::with(value & writable, 1);
  const std::uint32_t op = MDIC::OP::get(value);
  const bool there = MDIC::PHY::get(value) == kPhyAddress && kRegisters[reg].there;
  if (op == MDIC::kRead || op == MDIC::kWrite) {
    if (!there) {
      result = MDIC::ERROR::with(result, 1);
    } else if (op == MDIC::kRead) {
      result = MDIC::DATA::with(result, read(reg));
    } else {
      effect.link_event = write(reg, static_cast<std::uint16_t>(MDIC::DATA::get(value)));
    }
  }
  file_.set<MDIC>(result);
  effect.mdio_done = MDIC::INT_EN::test(value);
  return effect;
}

}  // namespace dm::e1000
