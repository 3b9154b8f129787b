// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace dm {

/// By which one process sees that the loop of another comes round. It lies in memory that the two
/// share (platform/supervisor). The loop counts its rounds and says when it sleeps; somebody else
/// looks now and then, but only while the loop is awake: so an idle guest costs nothing.
///
/// Who looks is woken by a timer that both have. The loop arms it when it wakes up and nobody looks
/// (wake() is true); the looker keeps it armed as long as the loop is awake. A round costs one
/// store, a sleep two more.
///
/// Thread rule: one thread beats, rests and wakes; one looks. The looker trusts nothing: a process
/// that was taken over may write anything here, and then only its own hanging goes unseen.
class Pulse {
 public:
  /// Between two looks.
  static constexpr std::chrono::seconds kLook{5};

  void beat() noexcept {
    rounds_.store(rounds_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// The loop goes to sleep, and stays there until something happens.
  void rest() noexcept { asleep_.store(1, std::memory_order_relaxed); }
  /// It is awake. True when the timer has to be armed.
  [[nodiscard]] bool wake() noexcept {
    // Ordered: either this sees that nobody looks, or the looker sees that the loop is awake.
    asleep_.store(0, std::memory_order_seq_cst);
    return looking_.load(std::memory_order_seq_cst) == 0 &&
           looking_.exchange(1, std::memory_order_seq_cst) == 0;
  }

  /// For the looker. True: the loop sleeps, so the timer shall rest until it wakes up.
  [[nodiscard]] bool let_rest() noexcept {
    if (asleep_.load(std::memory_order_seq_cst) == 0) {
      return false;
    }
    looking_.store(0, std::memory_order_seq_cst);
    // It may have woken up meanwhile and have seen that somebody looks.
    return asleep_.load(std::memory_order_seq_cst) != 0 ||
           looking_.exchange(1, std::memory_order_seq_cst) != 0;
  }
  /// Modulo 2^32.
  [[nodiscard]] std::uint32_t rounds() const noexcept {
    return rounds_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t> rounds_{0};
  std::atomic<std::uint32_t> asleep_{0};
  std::atomic<std::uint32_t> looking_{0};
};

}  // namespace dm
