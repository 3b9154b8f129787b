// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>

namespace dm::host {

/// Decides whether a call that usually does not wait, but may, is made on the loop. A write to the
/// page cache takes microseconds until the host throttles writers, and few file systems can say
/// beforehand. So it is made here while it is quick; one that was slow sends the next ones to the
/// engine for a while, twice as long each time. A vCPU is thus held up once in a while at most, by
/// one call.
class InlineGate {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kSlow{1};
  static constexpr std::chrono::milliseconds kShortest{100};
  static constexpr std::chrono::milliseconds kLongest{10'000};

  [[nodiscard]] bool open(Clock::time_point now) const noexcept { return now >= closed_until_; }

  /// A call made here took from `start` to `end`.
  void took(Clock::time_point start, Clock::time_point end) noexcept {
    if (end - start >= kSlow) {
      closed_until_ = end + penalty_;
      penalty_ = std::min(penalty_ * 2, kLongest);
    } else if (end - closed_until_ >= penalty_) {
      penalty_ = kShortest;  // quick for as long as it was kept out: forgiven
    }
  }

 private:
  Clock::time_point closed_until_{};
  std::chrono::milliseconds penalty_ = kShortest;
};

}  // namespace dm::host
