// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace dm::host {

/// Decides whether a call that usually does not wait, but may, runs on the loop. A write to the
/// page cache takes microseconds until the host throttles writers, and few file systems can say so
/// beforehand. So writes run on the loop while they do not wait. A write that waited sends the next
/// ones to the engine for a while, twice as long each time. So a vCPU is held up only now and then.
/// Thread rule: the loop's thread only.
///
/// Slow does not mean waiting: on a busy host, the thread may just have lost the CPU. The thread
/// waited only if it gave up the CPU by itself. Finding that out costs a system call, so it is done
/// only after a slow call.
class InlineGate {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Waited : std::uint8_t { no, yes, unknown };
  static constexpr std::chrono::milliseconds kSlow{1};
  static constexpr std::chrono::milliseconds kShortest{100};
  static constexpr std::chrono::milliseconds kLongest{10'000};
  static constexpr unsigned kQuickCalls = 1000;  ///< in a row, and nobody is suspicious any more

  [[nodiscard]] bool open(Clock::time_point now) const noexcept { return now >= closed_until_; }
  /// True if the caller should find out whether its call waited.
  [[nodiscard]] bool suspicious() const noexcept { return suspicion_ != 0; }

  /// A call made here took from `start` to `end`.
  void took(Clock::time_point start, Clock::time_point end, Waited waited) noexcept {
    if (end - start < kSlow) {
      suspicion_ -= suspicion_ != 0 ? 1U : 0U;
      if (end - closed_until_ >= penalty_) {
        penalty_ = kShortest;  // quick for as long as it was kept out: forgiven
      }
      return;
    }
    suspicion_ = kQuickCalls;
    if (waited == Waited::yes) {
      closed_until_ = end + penalty_;
      penalty_ = std::min(penalty_ * 2, kLongest);
    }
  }

 private:
  Clock::time_point closed_until_{};
  std::chrono::milliseconds penalty_ = kShortest;
  unsigned suspicion_ = 0;
};

}  // namespace dm::host
