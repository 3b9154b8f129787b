// SPDX-License-Identifier: MIT
#pragma once

#include "devices/nic/card_row.h"
#include "devices/nic/frame.h"
#include "devices/nic/loopback.h"
#include "devices/rtl8139/state.h"

#include <cstdint>

namespace dm::rtl8139 {

using nic::Cast;
using nic::Counters;
using nic::kEthernetHeader;
using nic::kFcsBytes;
using nic::kLongestFrame;
using nic::kShortestFrame;
using nic::kVlanOffset;
using nic::kVlanTag;
using nic::Loopback;
using nic::MacAddress;

/// What both directions of a card share. Chip owns it.
struct Shared {
  CardState state;
  Counters counters;
  bool bus_master = false;
  bool paused = false;
  bool link = false;
  bool loopback = false;  ///< TCR.LBK

  [[nodiscard]] bool plus_transmit() const noexcept {
    return state.file.test<regs::CpCR, regs::CpCR::CPTX>();
  }
  [[nodiscard]] bool plus_receive() const noexcept {
    return state.file.test<regs::CpCR, regs::CpCR::CPRX>();
  }
};

}  // namespace dm::rtl8139
