// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"

#include <array>
#include <cstddef>

namespace dm::chipset {

/// Characters that a guest's PV drivers send to the host's log: a line at a time, with a limited
/// length and rate (XSA-180). The log itself replaces control characters. Thread rule: the loop's
/// thread only. No allocation.
class GuestLog {
 public:
  /// Adds a character. A newline ends the line, and so does a full buffer.
  void put(char c) noexcept;
  /// Number of lines that the rate limit held back.
  [[nodiscard]] std::uint64_t suppressed() const noexcept { return limit_.suppressed(); }

 private:
  static constexpr std::size_t kLineSize = 256;
  // Drivers say a few dozen lines when they start, and then little.
  static constexpr std::uint32_t kBurst = 60;
  static constexpr std::uint64_t kRefillNs = 1'000'000'000;

  void flush() noexcept;

  std::array<char, kLineSize> line_{};
  std::size_t size_ = 0;
  log::Limit limit_{kBurst, kRefillNs};
};

}  // namespace dm::chipset
