// SPDX-License-Identifier: MIT
#pragma once

#include "core/irq/irq_line.h"
#include "core/time/timer.h"
#include "devices/e1000/state.h"

#include <cstdint>

namespace dm::e1000 {

/// Causes, mask and pin (8254x SDM, 3.2.7, 3.4.3 and 13.4.17 to 13.4.21). Causes are latched when
/// they happen, because firmware polls ICR with everything masked. ITR delays only the pin;
/// RDTR/RADV and TIDV/TADV delay the causes RXT0 and TXDW themselves. Only changes of the pin leave
/// this object. Thread rule: the loop's thread only.
class Interrupts {
 public:
  Interrupts(CardState& state, TimerQueue& timers, IrqLine irq) noexcept;
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() = default;

  void raise(std::uint32_t causes) noexcept;
  /// Read of ICR: returns all causes, masked or not, and clears them.
  [[nodiscard]] std::uint32_t take() noexcept;
  void clear(std::uint32_t causes) noexcept;
  void unmask(std::uint32_t causes) noexcept;
  void mask(std::uint32_t causes) noexcept;
  void write_itr(std::uint32_t value) noexcept;

  /// A frame is in memory: raises RXT0, now or when RDTR and RADV say.
  void received() noexcept;
  /// RDTR.FPD: RXT0 waits no longer.
  void flush_received() noexcept;
  /// Descriptors were written back. `delayable`: all of them had IDE set.
  void transmitted(bool delayable, std::uint32_t other_causes) noexcept;

  /// Clears causes and mask, stops the timers, sets the pin low.
  void reset() noexcept;
  /// After a load: sets the pin as it was. Delays begin anew.
  void restore() noexcept;
  [[nodiscard]] bool level() const noexcept { return irq_.level(); }
  /// For the function, which masks it. Its level is this class's alone.
  [[nodiscard]] IrqLine& line() noexcept { return irq_; }

 private:
  [[nodiscard]] bool wanted() const noexcept {
    return (state_.file.get<regs::ICR>() & state_.file.get<regs::IMS>()) != 0;
  }
  [[nodiscard]] bool is_held_back(GuestTime until) const noexcept;
  void update() noexcept;
  void assert_pin() noexcept;
  void set_pin(bool level) noexcept;
  void stop_timers() noexcept;
  void on_throttle() noexcept;
  void delay_receive(GuestTime now) noexcept;
  void delay_transmit(GuestTime now) noexcept;
  void on_receive_delay() noexcept;
  void on_transmit_delay() noexcept;

  CardState& state_;
  TimerQueue& timers_;
  IrqLine irq_;
  Timer throttle_;
  Timer receive_packet_;
  Timer receive_absolute_;
  Timer transmit_packet_;
  Timer transmit_absolute_;
  GuestTime allowed_at_{};  ///< the pin's next chance
};

}  // namespace dm::e1000
