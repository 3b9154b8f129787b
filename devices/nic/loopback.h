// SPDX-License-Identifier: MIT
#pragma once

#include "core/time/work.h"
#include "devices/nic/frame.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace dm::nic {

/// The one frame on its way from the transmitter to the receiver of a card in loopback. The
/// transmitter waits until the receiver has taken it, so frames never nest, wherever the rings
/// point. Thread rule: the loop's thread only.
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

}  // namespace dm::nic
