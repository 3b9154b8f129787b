// SPDX-License-Identifier: MIT
#include "devices/e1000/interrupts.h"

#include <chrono>
#include <utility>

namespace dm::e1000 {

namespace {

using regs::ICR;
using regs::IMS;
using regs::ITR;
using regs::RADV;
using regs::RDTR;
using regs::TADV;
using regs::TIDV;

constexpr std::chrono::nanoseconds kItrUnit{256};     // 13.4.18
constexpr std::chrono::nanoseconds kDelayUnit{1024};  // 13.4.30

}  // namespace

Interrupts::Interrupts(CardState& state, TimerQueue& timers, IrqLine irq) noexcept
    : state_{state},
      timers_{timers},
      irq_{std::move(irq)},
      throttle_{Timer::bind<&Interrupts::on_throttle>(timers, *this)},
      receive_packet_{Timer::bind<&Interrupts::on_receive_delay>(timers, *this)},
      receive_absolute_{Timer::bind<&Interrupts::on_receive_delay>(timers, *this)},
      transmit_packet_{Timer::bind<&Interrupts::on_transmit_delay>(timers, *this)},
      transmit_absolute_{Timer::bind<&Interrupts::on_transmit_delay>(timers, *this)} {}

void Interrupts::raise(std::uint32_t causes) noexcept {
  state_.file.set<ICR>(state_.file.get<ICR>() | (causes & ICR::kAll));
  update();
}

std::uint32_t Interrupts::take() noexcept {
  const std::uint32_t causes = state_.file.get<ICR>();
  state_.file.set<ICR>(0);
  update();
  return causes;
}

void Interrupts::clear(std::uint32_t causes) noexcept {
  state_.file.set<ICR>(state_.file.get<ICR>() & ~causes);
  update();
}

void Interrupts::unmask(std::uint32_t causes) noexcept {
  state_.file.set<IMS>(state_.file.get<IMS>() | (causes & ICR::kAll));
  update();
}

void Interrupts::mask(std::uint32_t causes) noexcept {
  state_.file.set<IMS>(state_.file.get<IMS>() & ~causes);
  update();
}

void Interrupts::write_itr(std::uint32_t value) noexcept {
  state_.file.set<ITR>(value & static_cast<std::uint32_t>(ITR::Layout::kWritable));
  if (throttle_.armed()) {
    // The running interval is not measured again; turning moderation off ends it.
    if (state_.file.get<ITR>() == 0) {
      throttle_.cancel();
      allowed_at_ = GuestTime{};
    }
    update();
  }
}

/// The level follows causes and mask at once when it falls, and not before ITR allows when it
/// rises.
void Interrupts::update() noexcept {
  if (!wanted()) {
    set_pin(false);
    throttle_.cancel();
    return;
  }
  if (irq_.level() || throttle_.armed()) {
    return;
  }
  assert_pin();
}

void Interrupts::assert_pin() noexcept {
  const std::uint32_t interval = state_.file.get<ITR>();
  if (interval != 0) {
    const GuestTime now = timers_.now();
    if (now < allowed_at_) {
      throttle_.arm(allowed_at_);
      return;
    }
    allowed_at_ = now + interval * kItrUnit;
  }
  set_pin(true);
}

void Interrupts::set_pin(bool level) noexcept {
  state_.pin = level;
  irq_.set(level);
}

void Interrupts::on_throttle() noexcept {
  update();
}

/// Delaying a cause gains nothing while the pin is up, or down for longer than the delay: then the
/// timer is spared.
bool Interrupts::is_held_back(GuestTime until) const noexcept {
  return irq_.level() || (state_.file.get<ITR>() != 0 && allowed_at_ >= until);
}

void Interrupts::received() noexcept {
  const std::uint32_t delay = state_.file.field<RDTR, RDTR::DELAY>();
  if (delay == 0) [[likely]] {
    raise(ICR::RXT0::kMask);
    return;
  }
  const GuestTime now = timers_.now();
  if (is_held_back(now + delay * kDelayUnit)) {
    on_receive_delay();
    return;
  }
  delay_receive(now);
}

void Interrupts::delay_receive(GuestTime now) noexcept {
  receive_packet_.arm(now + state_.file.field<RDTR, RDTR::DELAY>() * kDelayUnit);
  const std::uint32_t absolute = state_.file.get<RADV>();
  if (!state_.rx_delayed && absolute != 0) {
    receive_absolute_.arm(now + absolute * kDelayUnit);
  }
  state_.rx_delayed = true;
}

void Interrupts::flush_received() noexcept {
  if (state_.rx_delayed) {
    on_receive_delay();
  }
}

void Interrupts::on_receive_delay() noexcept {
  receive_packet_.cancel();
  receive_absolute_.cancel();
  state_.rx_delayed = false;
  raise(ICR::RXT0::kMask);
}

void Interrupts::transmitted(bool delayable, std::uint32_t other_causes) noexcept {
  const std::uint32_t delay = state_.file.get<TIDV>();
  const GuestTime now = delayable && delay != 0 ? timers_.now() : GuestTime{};
  if (!delayable || delay == 0 || is_held_back(now + delay * kDelayUnit)) {
    transmit_packet_.cancel();
    transmit_absolute_.cancel();
    state_.tx_delayed = false;
    raise(ICR::TXDW::kMask | other_causes);
    return;
  }
  delay_transmit(now);
  raise(other_causes);
}

void Interrupts::delay_transmit(GuestTime now) noexcept {
  transmit_packet_.arm(now + state_.file.get<TIDV>() * kDelayUnit);
  const std::uint32_t absolute = state_.file.get<TADV>();
  if (!state_.tx_delayed && absolute != 0) {
    transmit_absolute_.arm(now + absolute * kDelayUnit);
  }
  state_.tx_delayed = true;
}

void Interrupts::on_transmit_delay() noexcept {
  transmit_packet_.cancel();
  transmit_absolute_.cancel();
  state_.tx_delayed = false;
  raise(ICR::TXDW::kMask);
}

void Interrupts::stop_timers() noexcept {
  throttle_.cancel();
  receive_packet_.cancel();
  receive_absolute_.cancel();
  transmit_packet_.cancel();
  transmit_absolute_.cancel();
  allowed_at_ = GuestTime{};
}

void Interrupts::reset() noexcept {
  stop_timers();
  state_.rx_delayed = false;
  state_.tx_delayed = false;
  state_.file.set<ICR>(0);
  state_.file.set<IMS>(0);
  set_pin(false);
}

void Interrupts::restore() noexcept {
  stop_timers();
  // How much of a delay or of ITR's interval was over is not saved.
  const GuestTime now = timers_.now();
  if (std::exchange(state_.rx_delayed, false)) {
    delay_receive(now);
  }
  if (std::exchange(state_.tx_delayed, false)) {
    delay_transmit(now);
  }
  if (const std::uint32_t interval = state_.file.get<ITR>();
      wanted() && !state_.pin && interval != 0) {
    irq_.set(false);
    allowed_at_ = now + interval * kItrUnit;
    throttle_.arm(allowed_at_);
    return;
  }
  set_pin(wanted());
}

}  // namespace dm::e1000
