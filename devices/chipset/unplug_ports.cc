// SPDX-License-Identifier: MIT
#include "devices/chipset/unplug_ports.h"

#include "devices/chipset/byte_io.h"
#include "devices/chipset/xen_platform_regs.h"

namespace dm::chipset {

namespace hw = xen_platform;
using hw::FLAGS;
using hw::UNPLUG;

namespace {
constexpr bool is(IoAccess a, std::uint64_t offset, std::uint8_t size) noexcept {
  return a.offset == offset && a.size == size;
}
}  // namespace

bool validate(const UnplugPortsState& s) noexcept {
  return (s.flags & ~FLAGS::ROM_LOCK::kMask) == 0 && (s.unplugged & ~UNPLUG::Layout::kNamed) == 0;
}

std::uint64_t UnplugPorts::read_fixed(IoAccess a) const noexcept {
  if (is(a, hw::kMagicOrMask, 2)) {
    return hw::kMagic;
  }
  if (is(a, hw::kFlagsOrBuild, 1)) {
    return state_.flags;
  }
  return is(a, hw::kVersionOrLog, 1) ? hw::kVersion : all_ones(a.size);
}

void UnplugPorts::write_fixed(IoAccess a, std::uint64_t value) noexcept {
  if (is(a, hw::kMagicOrMask, 2)) {
    unplug(static_cast<std::uint16_t>(value));
  } else if (is(a, hw::kFlagsOrBuild, 1)) {
    write_flags(static_cast<std::uint8_t>(value));
  } else if (is(a, hw::kFlagsOrBuild, 4)) {
    note_driver(static_cast<std::uint32_t>(value));
  } else if (is(a, hw::kVersionOrLog, 1)) {
    guest_log_.put(static_cast<char>(value));
  } else if (is(a, hw::kProduct, 2)) {
    state_.product = static_cast<std::uint16_t>(value);
  } else {
    ++ignored_;
  }
}

std::uint64_t UnplugPorts::read_bar(IoAccess a) const noexcept {
  return read_bytes(a, [this](std::uint64_t at) noexcept {
    return at == hw::kFlagsOrBuild ? state_.flags : std::uint8_t{0xff};
  });
}

void UnplugPorts::write_bar(IoAccess a, std::uint64_t value) noexcept {
  write_bytes(a, value, [this](std::uint64_t at, std::uint8_t byte) noexcept {
    if (at == hw::kFlagsOrBuild) {
      write_flags(byte);
    } else if (at == hw::kOldUnplugAll && byte == 1) {
      unplug(UNPLUG::IDE_DISKS::kMask | UNPLUG::NICS::kMask);
    } else if (at == hw::kOldUnplugSome && byte == 1) {
      unplug(UNPLUG::IDE_DISKS::kMask);
    } else if (at == hw::kOldUnplugSome && byte == 2) {
      unplug(UNPLUG::NICS::kMask);
    } else {
      ++ignored_;
    }
  });
}

void UnplugPorts::write_flags(std::uint8_t value) noexcept {
  const auto flags = static_cast<std::uint8_t>(value & FLAGS::ROM_LOCK::kMask);
  if (flags != state_.flags) {
    state_.flags = flags;
    control_.protect_rom(hw::kRomFirstGfn, hw::kRomPages, FLAGS::ROM_LOCK::test(flags));
  }
}

void UnplugPorts::unplug(std::uint16_t mask) noexcept {
  const auto known = static_cast<std::uint16_t>(mask & UNPLUG::Layout::kNamed);
  state_.unplugged |= known;
  const bool all_disks = UNPLUG::IDE_DISKS::test(known);
  const UnplugRequest request{
      .ide_disks = all_disks,
      .ide_secondary_disks = !all_disks && UNPLUG::AUX_IDE_DISKS::test(known),
      .nics = UNPLUG::NICS::test(known)};
  if (request.ide_disks || request.ide_secondary_disks || request.nics) {
    notes_.info("guest unplugs emulated devices, mask ", log::hex(known));
    unplug_.unplug(request);
  }
}

void UnplugPorts::note_driver(std::uint32_t build) noexcept {
  state_.build = build;
  notes_.info("guest has PV drivers: product ", state_.product, ", build ", log::hex(build));
}

void UnplugPorts::restore(const UnplugPortsState& s) noexcept {
  const bool locked = FLAGS::ROM_LOCK::test(state_.flags);
  const auto still_there = static_cast<std::uint16_t>(s.unplugged & ~state_.unplugged);
  state_ = s;
  if (FLAGS::ROM_LOCK::test(s.flags) != locked) {
    control_.protect_rom(hw::kRomFirstGfn, hw::kRomPages, !locked);
  }
  unplug(still_there);
}

}  // namespace dm::chipset
