// SPDX-License-Identifier: MIT
#include "devices/ide/state.h"

#include "devices/ata/regs.h"
#include "devices/ide/regs.h"

#include <algorithm>
#include <cstddef>

namespace dm::ide {

namespace {

bool validate(const ChannelState& s) noexcept {
  const BusMasterState& bm = s.bus_master;
  constexpr std::uint8_t kStatusBits = 0x67;
  return s.selected <= 1 && (s.control & 0x79U) == 0 &&
         (bm.command & ~regs::BMICX::Layout::kWritable) == 0 && (bm.status & ~kStatusBits) == 0 &&
         (bm.table & 3U) == 0 && (bm.latched & 3U) == 0 &&
         ((!bm.armed && !bm.running) || regs::BMICX::SSBM::test(bm.command)) &&
         !(bm.armed && bm.running) && bm.moved <= ata::kMaxDmaBytes && bm.moved % 2 == 0;
}

}  // namespace

bool validate(const ControllerState& s) noexcept {
  for (std::size_t i = 0; i < s.channels.size(); ++i) {
    const int moving =
        (transfers(s.drives[2 * i]) ? 1 : 0) + (transfers(s.drives[2 * i + 1]) ? 1 : 0);
    if (moving != (s.channels[i].bus_master.running ? 1 : 0)) {
      return false;
    }
  }
  // SRST holds both drives of a channel, and nothing else holds a drive.
  for (std::size_t i = 0; i < s.drives.size(); ++i) {
    const bool held = ata::regs::CONTROL::SRST::test(s.channels[i / 2].control);
    const ata::DriveState& drive = s.drives[i];
    if (drive.kind != ata::DriveKind::absent && held != held_by_reset(drive)) {
      return false;
    }
  }
  return std::ranges::all_of(s.channels, [](const ChannelState& c) { return validate(c); }) &&
         std::ranges::all_of(s.drives, [](const ata::DriveState& d) { return validate(d); });
}

}  // namespace dm::ide
