// SPDX-License-Identifier: MIT
#pragma once

#include "core/net/headers.h"
#include "core/time/work.h"
#include "devices/e1000/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace dm::e1000 {

/// No frame of this part is longer (8254x SDM, 13.4.22, LPE), FCS included.
inline constexpr std::uint32_t kLongestFrame = 16384;
using inet::kEthernetHeader;
using inet::kVlanTag;
/// Where the tag goes: behind the two addresses.
inline constexpr std::uint32_t kVlanOffset = inet::kEtherType;
/// A frame without FCS is at least this long on the wire (IEEE 802.3, 4.4.2).
inline constexpr std::uint32_t kShortestFrame = 60;

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

/// The one frame on its way from the transmitter to the receiver of a card in loopback. The
/// transmitter waits until the receiver has taken it, so frames never nest, wherever the rings
/// point.
class Loopback {
 public:
  [[nodiscard]] bool busy() const noexcept { return size_ != 0; }
  [[nodiscard]] std::span<std::byte> frame() noexcept { return std::span{frame_}.first(size_); }
  void take() noexcept { size_ = 0; }
  void put(std::span<const std::span<std::byte>> pieces) noexcept {
    std::size_t at = 0;
    for (const auto piece : pieces) {
      if (piece.size() > frame_.size() - at) {
        return;  // longer than the wire allows: lost
      }
      std::memcpy(frame_.data() + at, piece.data(), piece.size());
      at += piece.size();
    }
    size_ = at;
    reader_->schedule();
  }
  /// Sets the receiver's work. Call it once, before anything is put.
  void set_reader(Work& reader) noexcept { reader_ = &reader; }

 private:
  std::array<std::byte, kLongestFrame + 64> frame_;
  std::size_t size_ = 0;
  Work* reader_ = nullptr;
};

}  // namespace dm::e1000
