// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/video_memory.h"
#include "core/range.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dm::sim {

/// Video memory of the simulated guest: plain bytes, and where they would lie.
class SimVideoMemory : public VideoMemory {
 public:
  static constexpr Gpa kHome{0xf1000000};  ///< behind the 16 MiB of the xen-platform device

  explicit SimVideoMemory(std::size_t bytes) : bytes_(bytes) {}

  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return bytes_; }
  [[nodiscard]] Gpa at() const noexcept override { return at_; }
  [[nodiscard]] Gpa home() const noexcept override { return kHome; }
  [[nodiscard]] bool move(Gpa to) noexcept override {
    ++asked_;
    const MmioRange wanted{to.value, to.value + bytes_.size() - 1};
    if (std::ranges::any_of(taken_, [&](const MmioRange& t) { return t.overlaps(wanted); })) {
      return false;
    }
    at_ = to;
    return true;
  }

  /// Puts something of the guest's there, RAM or the like.
  void take(MmioRange range) { taken_.push_back(range); }
  [[nodiscard]] std::uint64_t asked() const noexcept { return asked_; }

 private:
  std::vector<std::byte> bytes_;
  Gpa at_ = kHome;
  std::vector<MmioRange> taken_;
  std::uint64_t asked_ = 0;
};

}  // namespace dm::sim
