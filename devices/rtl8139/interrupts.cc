// SPDX-License-Identifier: MIT
#include "devices/rtl8139/interrupts.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace dm::rtl8139 {

namespace {

using regs::IMR;
using regs::ISR;
using regs::TimerInt;

/// A step of TCTR: the clock of PCI at 33 MHz.
constexpr std::uint64_t kStep = 30;  // ns
/// No guest gets interrupts of its timer faster than this, however small TimerInt is.
constexpr std::chrono::microseconds kFastest{20};

/// How often TCTR has been equal to `interval` in its first `steps`. It begins anew each 2^32.
[[nodiscard]] constexpr std::uint64_t matches(std::uint64_t steps,
                                              std::uint32_t interval) noexcept {
  return steps < interval ? 0 : ((steps - interval) >> 32U) + 1;
}

}  // namespace

Interrupts::Interrupts(CardState& state, TimerQueue& timers, IrqLine irq) noexcept
    : state_{state},
      timers_{timers},
      irq_{std::move(irq)},
      timer_{Timer::bind<&Interrupts::on_timer>(timers, *this)},
      base_{timers.now()} {}

std::uint64_t Interrupts::elapsed() const noexcept {
  return paused_ ? state_.timer_elapsed
                 : static_cast<std::uint64_t>((timers_.now() - base_).count());
}

void Interrupts::update() noexcept {
  irq_.set((state_.file.get<ISR>() & state_.file.get<IMR>()) != 0);
}

void Interrupts::raise(std::uint64_t causes) noexcept {
  state_.file.set<ISR>(state_.file.get<ISR>() | static_cast<std::uint32_t>(causes));
  update();
}

/// A match is kept when TCTR or TimerInt is written after it, so each of them looks first. Most
/// drivers have no TimerInt: for them no clock is read.
void Interrupts::look_for_match() noexcept {
  const std::uint32_t interval = state_.file.get<TimerInt>();
  if (interval == 0) {
    return;
  }
  const std::uint64_t now = elapsed();
  const bool met = matches(now / kStep, interval) != matches(state_.timer_seen / kStep, interval);
  state_.timer_seen = now;
  if (met) {
    raise(ISR::TimeOut::kMask);
  }
}

void Interrupts::arm() noexcept {
  const std::uint32_t interval = state_.file.get<TimerInt>();
  if (paused_ || interval == 0 || !state_.file.test<IMR, IMR::TimeOut>() ||
      state_.file.test<ISR, ISR::TimeOut>()) {
    timer_.cancel();
    return;
  }
  const std::uint64_t step =
      (matches(elapsed() / kStep, interval) << 32U) + std::uint64_t{interval};
  const GuestTime due = base_ + std::chrono::nanoseconds{step * kStep};
  timer_.arm(std::max(due, not_before_));
}

void Interrupts::on_timer() noexcept {
  look_for_match();
  not_before_ = timers_.now() + kFastest;
  arm();
}

std::uint32_t Interrupts::causes() noexcept {
  look_for_match();
  return state_.file.get<ISR>();
}

void Interrupts::clear(std::uint32_t causes) noexcept {
  look_for_match();
  state_.file.set<ISR>(state_.file.get<ISR>() & ~causes);
  update();
  arm();
}

void Interrupts::write_mask(const Written& w) noexcept {
  look_for_match();
  state_.file.merge(IMR::kOffset, w);
  update();
  arm();
}

std::uint32_t Interrupts::count() const noexcept {
  return static_cast<std::uint32_t>(elapsed() / kStep);
}

void Interrupts::restart_count() noexcept {
  look_for_match();
  base_ = timers_.now();
  state_.timer_seen = 0;
  state_.timer_elapsed = 0;
  arm();
}

void Interrupts::write_interval(const Written& w) noexcept {
  look_for_match();
  state_.file.merge(TimerInt::kOffset, w);
  state_.timer_seen = elapsed();
  arm();
}

void Interrupts::reset() noexcept {
  timer_.cancel();
  base_ = timers_.now();
  not_before_ = GuestTime{};
  state_.timer_seen = 0;
  state_.timer_elapsed = 0;
  state_.file.set<IMR>(0);
  state_.file.set<ISR>(0);
  state_.file.set<TimerInt>(0);
  update();
}

void Interrupts::pause() noexcept {
  if (!paused_) {
    look_for_match();
    state_.timer_elapsed = elapsed();
    state_.timer_seen = state_.timer_elapsed;
    paused_ = true;
    timer_.cancel();
  }
}

void Interrupts::resume() noexcept {
  if (paused_) {
    paused_ = false;
    base_ = timers_.now() - std::chrono::nanoseconds{state_.timer_elapsed};
    arm();
  }
}

void Interrupts::restore() noexcept {
  not_before_ = GuestTime{};
  base_ = timers_.now() - std::chrono::nanoseconds{state_.timer_elapsed};
  update();
}

}  // namespace dm::rtl8139
