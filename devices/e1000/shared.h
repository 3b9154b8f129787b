// SPDX-License-Identifier: MIT
#pragma once

#include "devices/e1000/state.h"
#include "devices/nic/card_row.h"
#include "devices/nic/frame.h"
#include "devices/nic/loopback.h"
#include "devices/nic/segment_header.h"

#include <cstdint>

namespace dm::e1000 {

using nic::Cast;
using nic::cast_of;
using nic::Counters;
using nic::kEthernetHeader;
using nic::kFcsBytes;
using nic::kLongestFrame;
using nic::kShortestFrame;
using nic::kVlanOffset;
using nic::kVlanTag;
using nic::Loopback;
using nic::SegmentHeader;

/// What both directions of a card share. Chip owns it.
struct Shared {
  CardState state;
  Counters counters;
  bool bus_master = false;
  bool paused = false;
  bool link = false;
  bool loopback = false;  ///< RCTL.LBM, or the PHY's own
};

}  // namespace dm::e1000
