// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace dm::supervisor {

/// Tells a worker that hangs from one that works, waits or is held up by others. Pure: it is given
/// what was seen, at intervals (core/obs/pulse.h). Thread rule: any thread.
class Vigil {
 public:
  /// Of the worker's own processor time without a round of its loop. The bounds of one request and
  /// of one unit of work are thousands of times smaller (core/bounds.h). On a host that gives the
  /// worker no processor this time stands still.
  static constexpr std::chrono::seconds kSpins{10};
  /// In one blocked system call after the other, without a round. A reset waits 20 s for each of
  /// four disks on servers that are silent (platform/linux/README.md).
  static constexpr std::chrono::seconds kBlocked{120};

  struct Look {
    std::uint32_t rounds = 0;
    std::chrono::nanoseconds processor{0};  ///< that the worker has used since its start
    std::chrono::nanoseconds now{0};        ///< of a clock that goes on
    /// As in /proc/PID/stat: 'S' and 'D' are blocked, 'R' runs or wants to, 'T' and 't' are
    /// stopped by somebody; 0 if it is not known.
    char state = 0;
  };
  enum class Verdict : std::uint8_t { goes_on, spins, blocked };

  /// What a look says together with those before it.
  [[nodiscard]] constexpr Verdict look(const Look& seen) noexcept {
    if (!watching_ || seen.rounds != at_.rounds) {
      at_ = seen;
      blocked_ = std::chrono::nanoseconds{0};
      watching_ = true;
    } else if (seen.state == 'S' || seen.state == 'D') {
      blocked_ += seen.now - last_;
    }
    last_ = seen.now;
    if (seen.processor - at_.processor >= kSpins) {
      return Verdict::spins;
    }
    return blocked_ >= kBlocked ? Verdict::blocked : Verdict::goes_on;
  }
  /// The loop sleeps: what was seen before says nothing about what comes after.
  constexpr void rest() noexcept { watching_ = false; }

 private:
  Look at_{};  ///< when the loop was last seen to have come round
  std::chrono::nanoseconds last_{0};
  std::chrono::nanoseconds blocked_{0};
  bool watching_ = false;
};

}  // namespace dm::supervisor
