// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "devices/chipset/chipset.h"
#include "devices/e1000/state.h"
#include "devices/ide/state.h"
#include "devices/uart16550/state.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace dm {

/// Which devices a machine was made with. A saved state goes into a machine of the same shape.
struct MachineShape {
  bool acpi = false;
  bool xen_platform = false;
  std::array<bool, 4> disks{};   ///< by IDE position, unplugged or not
  std::array<bool, 4> cdroms{};  ///< with a disc or without
  std::array<bool, 4> serial{};  ///< COM1-COM4
  std::uint8_t cards = 0;        ///< network cards, unplugged or not
  friend bool operator==(const MachineShape&, const MachineShape&) noexcept = default;
};

/// All that the guest can see of a machine, apart from its memory. Devices that the machine does
/// not have keep their power-on values.
struct MachineState {
  static constexpr std::size_t kMaxCards = 8;

  MachineShape shape;
  ChipsetState chipset;
  ide::ControllerState ide;
  std::array<UartState, 4> serial;
  std::vector<e1000::CardState> cards;  ///< as many as the shape says
};

template <class Visitor>
void describe(Visitor& v, MachineShape& s) {
  v.field(1, "acpi", s.acpi);
  v.field(2, "xen_platform", s.xen_platform);
  // Not as arrays: a loaded bool is made of any byte, an array's bytes are taken as they are.
  v.field(3, "primary_master", s.disks[0]);
  v.field(4, "primary_slave", s.disks[1]);
  v.field(5, "secondary_master", s.disks[2]);
  v.field(6, "secondary_slave", s.disks[3]);
  v.field(7, "com1", s.serial[0]);
  v.field(8, "com2", s.serial[1]);
  v.field(9, "com3", s.serial[2]);
  v.field(10, "com4", s.serial[3]);
  v.field(11, "cards", s.cards);
  v.field(12, "primary_master_cd", s.cdroms[0]);
  v.field(13, "primary_slave_cd", s.cdroms[1]);
  v.field(14, "secondary_master_cd", s.cdroms[2]);
  v.field(15, "secondary_slave_cd", s.cdroms[3]);
}

template <class Visitor>
void describe(Visitor& v, MachineState& s) {
  v.field(1, "shape", s.shape);
  v.field(2, "chipset", s.chipset);
  v.field(3, "ide", s.ide);
  v.field(4, "com1", s.serial[0]);
  v.field(5, "com2", s.serial[1]);
  v.field(6, "com3", s.serial[2]);
  v.field(7, "com4", s.serial[3]);
  constexpr std::array<std::string_view, MachineState::kMaxCards> kNames{
      "card0", "card1", "card2", "card3", "card4", "card5", "card6", "card7"};
  constexpr std::uint16_t kFirst = 16;
  s.cards.resize(std::min<std::size_t>(s.shape.cards, kNames.size()));
  for (std::size_t i = 0; i < s.cards.size(); ++i) {
    v.field(static_cast<std::uint16_t>(kFirst + i), kNames[i], s.cards[i]);
  }
}

/// Every device's own check, and that they agree: a disk is gone when, and only when, the guest has
/// unplugged it.
[[nodiscard]] bool validate(const MachineState& s) noexcept;

/// The file. A stream may have more after it, and a reader of one learns from the first
/// kSavedHeader bytes how much to read.
inline constexpr std::size_t kSavedHeader = 24;
inline constexpr std::size_t kMaxSavedState = std::size_t{1} << 20;

[[nodiscard]] std::vector<std::byte> write_saved_state(MachineState state);
/// Bytes of the whole file, kSavedHeader to kMaxSavedState, from its header.
[[nodiscard]] Result<std::size_t> saved_state_length(std::span<const std::byte> bytes);
/// Hostile bytes in, a valid state out, or one message.
[[nodiscard]] Result<MachineState> read_saved_state(std::span<const std::byte> bytes);

}  // namespace dm
