// SPDX-License-Identifier: MIT
// The DISPI registers of VBE modes, by ports and by BAR 2. Source: Bochs, vbe_display_api.txt;
// QEMU, docs/specs/standard-vga.txt and, for what drivers read back, hw/display/vga.c.
#include "devices/vga/chip.h"

#include <algorithm>
#include <cstring>

namespace dm::vga {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): this file is about nothing else
using dispi::ENABLE;

/// Does the access lie in a part of BAR 2?
[[nodiscard]] constexpr bool in(IoAccess a, std::uint32_t first, std::uint32_t size) noexcept {
  return a.offset >= first && a.offset - first < size && a.size <= size - (a.offset - first);
}

}  // namespace

std::uint16_t Chip::read_dispi_register(std::uint16_t index) const noexcept {
  const DispiState& d = state_.dispi;
  if (index == dispi::kVideoMemory) {
    return static_cast<std::uint16_t>(video_.size() / kBankSize);
  }
  if (index >= dispi::kCount) {
    return 0;
  }
  if (ENABLE::GETCAPS::test(d.reg[dispi::kEnable])) {
    switch (index) {
      case dispi::kXres:
        return dispi::kMaxXres;
      case dispi::kYres:
        return dispi::kMaxYres;
      case dispi::kBpp:
        return dispi::kMaxBpp;
      default:
        break;
    }
  }
  return d.reg[index];
}

void Chip::write_dispi_register(std::uint16_t index, std::uint16_t value) noexcept {
  DispiState& d = state_.dispi;
  switch (index) {
    case dispi::kId:
      if (value >= dispi::kOldestId && value <= dispi::kNewestId) {
        d.reg[index] = value;
      }
      return;
    case dispi::kXres:
    case dispi::kYres:
    case dispi::kBpp:
    case dispi::kVirtWidth:
    case dispi::kXOffset:
    case dispi::kYOffset:
      d.reg[index] = value;
      fix_up(d, video_.size());
      follow_dispi();
      return;
    case dispi::kBank:
      write_bank(value);
      return;
    case dispi::kEnable:
      write_enable(value);
      return;
    default:
      return;
  }
}

/// A bank of a mode by planes has 64 KiB of each.
void Chip::write_bank(std::uint16_t value) noexcept {
  DispiState& d = state_.dispi;
  const std::size_t banks = video_.size() / kBankSize;
  const std::size_t reachable = d.reg[dispi::kBpp] == 4 ? banks / 4 : banks;
  const auto bank = static_cast<std::uint16_t>(value & (reachable - 1));
  d.reg[dispi::kBank] = bank;
  d.bank_offset = bank * kBankSize;
}

/// The picture is cleared before the answer, however large it is: a guest draws into video memory
/// as soon as it goes on, without asking us, and what it has drawn must not be cleared. So this
/// access costs up to all of video memory, as much as the guest pays for writing it once.
void Chip::write_enable(std::uint16_t value) noexcept {
  DispiState& d = state_.dispi;
  const bool turned_on = ENABLE::ENABLED::test(value) && !d.enabled();
  d.reg[dispi::kEnable] = value;
  d.bank_offset = turned_on ? d.bank_offset : 0;
  if (!turned_on) {
    fix_up(d, video_.size());
    follow_dispi();
    return;
  }
  d.reg[dispi::kVirtWidth] = 0;
  d.reg[dispi::kXOffset] = 0;
  d.reg[dispi::kYOffset] = 0;
  fix_up(d, video_.size());
  follow_dispi();
  if (!ENABLE::NOCLEAR::test(value) && d.enabled()) {
    const std::uint64_t bytes =
        std::min<std::uint64_t>(geometry(d).line * d.reg[dispi::kYres], video_.size());
    std::memset(video_.data(), 0, bytes);
    wrote(0, bytes);
  }
}

/// While VBE is on, the legacy registers that guests read back are those of its mode, whatever is
/// written to them. What the picture is made of is not taken from them then (CVE-2016-3712).
void Chip::follow_dispi() noexcept {
  const DispiState& d = state_.dispi;
  if (!d.enabled()) {
    return;
  }
  auto& cr = state_.crt;
  auto& gr = state_.graphics;
  const auto set = [](std::uint8_t& reg, unsigned clear, unsigned bits) {
    reg = static_cast<std::uint8_t>((reg & ~clear) | bits);
  };
  const unsigned last_line = d.reg[dispi::kYres] - 1U;
  set(gr[GR6::kOffset], GR6::MM::kMask, 0x04 | GR6::GM::kMask);  // 64 KiB at A0000h
  const unsigned shift = d.reg[dispi::kBpp] == 4 ? 0 : 2;
  gr[GR5::kOffset] = GR5::SR::with(gr[GR5::kOffset], shift);
  set(cr[CR17::kOffset], 0, CR17::CMS0::kMask | CR17::SRS::kMask);
  cr[CR13::kOffset] = static_cast<std::uint8_t>(geometry(d).line / 8);
  cr[CR01::kOffset] = static_cast<std::uint8_t>(d.reg[dispi::kXres] / 8 - 1);
  cr[CR12::kOffset] = static_cast<std::uint8_t>(last_line);
  set(cr[CR07::kOffset], CR07::VDE8::kMask | CR07::VDE9::kMask,
      (last_line >> 7U & CR07::VDE8::kMask) | (last_line >> 3U & CR07::VDE9::kMask) |
          CR07::LC8::kMask);
  cr[CR18::kOffset] = 0xff;
  set(cr[CR09::kOffset], CR09::DSC::kMask | CR09::MSL::kMask, CR09::LC9::kMask);
}

// Index at 1CEh, data at 1CFh and again at 1D0h: sixteen bits or nothing.
std::uint64_t Chip::read_dispi(IoAccess a) noexcept {
  if (a.size != 2 || a.offset > port::kDispiDataEven - port::kDispiIndex) {
    return all_ones(a.size);
  }
  return a.offset == 0 ? state_.dispi.index : read_dispi_register(state_.dispi.index);
}

void Chip::write_dispi(IoAccess a, std::uint64_t value) noexcept {
  if (a.size != 2 || a.offset > port::kDispiDataEven - port::kDispiIndex) {
    return;
  }
  if (a.offset == 0) {
    state_.dispi.index = static_cast<std::uint16_t>(value);
  } else {
    write_dispi_register(state_.dispi.index, static_cast<std::uint16_t>(value));
  }
}

std::uint64_t Chip::read_registers(IoAccess a) noexcept {
  const auto offset = static_cast<std::uint32_t>(a.offset);
  if (in(a, bar2::kEdid, bar2::kEdidSize)) {
    std::uint64_t value = 0;
    if (offset < edid_.size()) {
      std::memcpy(&value, edid_.data() + offset,
                  std::min<std::size_t>(a.size, edid_.size() - offset));
    }
    return value;
  }
  if (in(a, bar2::kPorts, bar2::kPortsSize)) {
    return read_ports(port::kAttribute, {.offset = offset - bar2::kPorts, .size = a.size});
  }
  if (in(a, bar2::kDispi, bar2::kDispiSize) && a.size == 2 && offset % 2 == 0) {
    return read_dispi_register(static_cast<std::uint16_t>((offset - bar2::kDispi) / 2));
  }
  if (a.size == 4 && offset == bar2::kExtended) {
    return bar2::kExtendedSize;
  }
  if (a.size == 4 && offset == bar2::kByteOrder) {
    return state_.big_endian ? bar2::kBig : bar2::kLittle;
  }
  return all_ones(a.size);
}

void Chip::write_registers(IoAccess a, std::uint64_t value) noexcept {
  const auto offset = static_cast<std::uint32_t>(a.offset);
  if (in(a, bar2::kPorts, bar2::kPortsSize)) {
    write_ports(port::kAttribute, {.offset = offset - bar2::kPorts, .size = a.size}, value);
  } else if (in(a, bar2::kDispi, bar2::kDispiSize) && a.size == 2 && offset % 2 == 0) {
    write_dispi_register(static_cast<std::uint16_t>((offset - bar2::kDispi) / 2),
                         static_cast<std::uint16_t>(value));
  } else if (a.size == 4 && offset == bar2::kByteOrder &&
             (value == bar2::kBig || value == bar2::kLittle)) {
    state_.big_endian = value == bar2::kBig;
  }
}

}  // namespace dm::vga
