// SPDX-License-Identifier: MIT
#pragma once

#include "core/state/describe.h"
#include "devices/ata/state.h"

#include <array>
#include <cstdint>

/// All of the IDE function that a guest can see, as plain aggregates. The drives' part is in
/// devices/ata/state.h.
namespace dm::ide {

struct BusMasterState {
  std::uint8_t command = 0;
  std::uint8_t status = 0;
  std::uint32_t table = 0;    ///< as the guest writes it
  std::uint32_t latched = 0;  ///< where the table was when start was written
  bool armed = false;         ///< started, and no transfer has used it yet

  // A transfer has begun and not ended.
  bool running = false;
  bool longer = false;      ///< its table holds more than the drive has to move
  bool unfetched = false;   ///< it began without bus mastering: the table was not read
  std::uint64_t moved = 0;  ///< bytes so far
};

struct ChannelState {
  std::uint8_t selected = 0;  ///< DEV, 0 or 1
  std::uint8_t control = 0;   ///< HOB, SRST, nIEN
  BusMasterState bus_master;
};

struct ControllerState {
  std::array<std::uint8_t, 256> config{};
  std::array<ChannelState, 2> channels;
  /// Primary master, primary slave, secondary master, secondary slave.
  std::array<ata::DriveState, 4> drives;
};

template <class Visitor>
void describe(Visitor& v, BusMasterState& s) {
  v.field(1, "command", s.command);
  v.field(2, "status", s.status);
  v.field(3, "table", s.table);
  v.field(4, "latched", s.latched);
  v.field(5, "armed", s.armed);
  v.field(6, "running", s.running);
  v.field(7, "longer", s.longer);
  v.field(8, "unfetched", s.unfetched);
  v.field(9, "moved", s.moved);
}

template <class Visitor>
void describe(Visitor& v, ChannelState& s) {
  v.field(1, "selected", s.selected);
  v.field(2, "control", s.control);
  v.field(3, "bus_master", s.bus_master);
}

template <class Visitor>
void describe(Visitor& v, ControllerState& s) {
  v.field(1, "config", s.config);
  v.field(2, "primary", s.channels[0]);
  v.field(3, "secondary", s.channels[1]);
  v.field(4, "primary_master", s.drives[0]);
  v.field(5, "primary_slave", s.drives[1]);
  v.field(6, "secondary_master", s.drives[2]);
  v.field(7, "secondary_slave", s.drives[3]);
}

/// True when every number is one that the function and its drives could have produced, and they
/// agree. The disk's size is checked when a drive takes its part over.
[[nodiscard]] bool validate(const ControllerState& s) noexcept;

}  // namespace dm::ide
