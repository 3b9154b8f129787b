// SPDX-License-Identifier: MIT
#pragma once

#include "devices/e1000/state.h"
#include "devices/nic/frame.h"
#include "devices/nic/loopback.h"
#include "devices/nic/segment_header.h"

#include <cstdint>

namespace dm::e1000 {

using nic::Cast;
using nic::cast_of;
using nic::kEthernetHeader;
using nic::kFcsBytes;
using nic::kLongestFrame;
using nic::kShortestFrame;
using nic::kVlanOffset;
using nic::kVlanTag;
using nic::Loopback;
using nic::SegmentHeader;

struct Counters {
  std::uint64_t unknown_accesses = 0;
  std::uint64_t tx_parts = 0;       ///< what the backend took: frames, or runs of segments
  std::uint64_t tx_dropped = 0;     ///< packets that make no frame, or found no link
  std::uint64_t rx_filtered = 0;    ///< frames for somebody else
  std::uint64_t rx_dropped = 0;     ///< frames the guest's settings do not allow
  std::uint64_t rx_moved = 0;       ///< frames that were not where they should be, and copied
  std::uint64_t master_aborts = 0;  ///< DMA to what is not RAM
};

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
