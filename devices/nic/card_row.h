// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/obs/inspector.h"

#include <cstdint>
#include <string_view>

namespace dm::nic {

/// What a card counts for people, beside the registers in which its guest reads counters.
struct Counters {
  std::uint64_t unknown_accesses = 0;
  std::uint64_t tx_parts = 0;       ///< what the back end took: frames, or runs of segments
  std::uint64_t tx_dropped = 0;     ///< packets that make no frame, or found no link
  std::uint64_t rx_filtered = 0;    ///< frames for somebody else
  std::uint64_t rx_dropped = 0;     ///< frames that the guest's settings or buffers do not allow
  std::uint64_t rx_moved = 0;       ///< frames that were not where they should be, and copied
  std::uint64_t master_aborts = 0;  ///< DMA to what is not RAM
};

/// What inspection shows of every card alike, into an open row.
void show_card(Inspector& to,
               std::string_view name,
               const NetBackend& cable,
               const Counters& own,
               bool interrupt);

}  // namespace dm::nic
