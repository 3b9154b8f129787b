// SPDX-License-Identifier: MIT
#pragma once

#include "core/irq/irq_line.h"
#include "core/time/timer.h"
#include "devices/rtl8139/state.h"

#include <cstdint>

namespace dm::rtl8139 {

/// Causes, mask and pin, and the counter TCTR, whose match with TimerInt is a cause. Causes are
/// latched when they happen, masked or not, because firmware polls ISR. Only changes of the pin
/// leave this object. The host's timer runs only while a match can raise the pin: else matches are
/// worked out when somebody looks. Thread rule: the loop's thread only.
class Interrupts {
 public:
  Interrupts(CardState& state, TimerQueue& timers, IrqLine irq) noexcept;
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() = default;

  void raise(std::uint64_t causes) noexcept;
  /// ISR. Causes stay.
  [[nodiscard]] std::uint32_t causes() noexcept;
  void clear(std::uint32_t causes) noexcept;
  void write_mask(const Written& w) noexcept;
  /// TCTR, in steps of 30 ns.
  [[nodiscard]] std::uint32_t count() const noexcept;
  void restart_count() noexcept;
  void write_interval(const Written& w) noexcept;

  /// Nothing is enabled, TCTR is 0, the pin is low.
  void reset() noexcept;
  /// Brings the state up to date; TCTR stands still.
  void pause() noexcept;
  void resume() noexcept;
  /// After a load, while paused: sets the pin as it was.
  void restore() noexcept;
  [[nodiscard]] bool level() const noexcept { return irq_.level(); }
  /// For the function, which masks it. Its level is this class's alone.
  [[nodiscard]] IrqLine& line() noexcept { return irq_; }

 private:
  void update() noexcept;
  void look_for_match() noexcept;
  void arm() noexcept;
  void on_timer() noexcept;
  [[nodiscard]] std::uint64_t elapsed() const noexcept;

  CardState& state_;
  TimerQueue& timers_;
  IrqLine irq_;
  Timer timer_;
  GuestTime base_{};        ///< when TCTR was 0
  GuestTime not_before_{};  ///< the next interrupt of the timer
  bool paused_ = false;
};

}  // namespace dm::rtl8139
