// SPDX-License-Identifier: MIT
#include "devices/rtl8139/chip.h"

#include "core/net/rarp.h"

#include <array>
#include <span>
#include <utility>

namespace dm::rtl8139 {

Chip::Chip(const Ports& ports, IrqLine irq, const MacAddress& mac)
    : file_{shared_.state.file},
      memory_{ports.memory},
      backend_{ports.backend},
      interrupts_{shared_.state, ports.timers, std::move(irq)},
      eeprom_{shared_.state},
      phy_{shared_.state},
      receiver_{shared_,
                {ports.memory, ports.timers, ports.work, ports.backend},
                interrupts_,
                loop_,
                mac},
      transmitter_{shared_, ports.memory, interrupts_, ports.backend, loop_, ports.work} {
  shared_.state.eeprom.words = default_eeprom(mac);
  backend_.attach(this);
  (void)phy_.set_cable(backend_.link_up());
  power_on();
}

Chip::~Chip() {
  leave();
}

void Chip::leave() noexcept {
  if (!attached_) {
    return;
  }
  attached_ = false;
  set_bus_master(false);
  transmitter_.reset();
  receiver_.settle();
  interrupts_.reset();
  shared_.paused = true;
  backend_.attach(nullptr);
}

/// What every reset does beside the registers.
void Chip::start_over() noexcept {
  transmitter_.reset();
  receiver_.reset();
  interrupts_.reset();
  CardState& s = shared_.state;
  s.tally = {};
  s.mode_written = false;
  s.link_was_down = false;
  s.link_changed = false;
  eeprom_.load();
  update_path();
}

void Chip::power_on() noexcept {
  file_.bytes = regs::List::kReset;
  start_over();
}

void Chip::wake() noexcept {
  if (attached_) {
    power_on();
  }
}

/// CR.RST: done before the write is answered.
void Chip::reset_soft() noexcept {
  const RegisterTables& t = regs::List::kTables;
  for (std::size_t i = 0; i < kRegisterBytes; ++i) {
    file_.bytes[i] =
        static_cast<std::uint8_t>((file_.bytes[i] & t.kept[i]) | (t.reset[i] & ~t.kept[i]));
  }
  start_over();
}

/// Where frames go: out, or back in.
void Chip::update_path() noexcept {
  shared_.link = phy_.link();
  shared_.loopback = regs::TCR::LBK::get(file_.get<regs::TCR>()) == regs::TCR::kLoopback;
}

void Chip::kick() noexcept {
  receiver_.kick();
  transmitter_.kick();
}

void Chip::on_link(bool up) noexcept {
  if (phy_.set_cable(up)) {
    update_path();
    interrupts_.raise(regs::ISR::PUN::kMask);
    receiver_.kick();
    transmitter_.on_sendable();  // what waits for room may wait for nothing more
  }
}

void Chip::set_bus_master(bool on) noexcept {
  if (shared_.bus_master != on) {
    if (!on) {
      transmitter_.settle();
    }
    shared_.bus_master = on;
    kick();
  }
}

void Chip::pause() noexcept {
  transmitter_.settle();
  receiver_.settle();
  interrupts_.pause();
  shared_.paused = true;
}

void Chip::resume() noexcept {
  if (attached_) {
    shared_.paused = false;
    interrupts_.resume();
    receiver_.settings_changed();
    kick();
  }
}

void Chip::announce() noexcept {
  if (!attached_ || !shared_.link) {
    return;
  }
  const std::uint64_t station = file_.get<regs::IDR0>() | std::uint64_t{file_.get<regs::IDR4>()}
                                                              << 32U;
  std::array<std::byte, kShortestFrame> frame = inet::rarp_broadcast(station);
  const std::array<std::span<std::byte>, 1> pieces{frame};
  (void)backend_.send({}, pieces);
}

void Chip::restore(const CardState& state) noexcept {
  transmitter_.reset();
  receiver_.reset();
  shared_.state = state;
  if (attached_) {  // else there is no cable to look at, and no pin
    if (phy_.set_cable(backend_.link_up())) {
      shared_.state.link_changed = state.link_changed;  // what the guest has seen is what was saved
      shared_.state.link_was_down = state.link_was_down;
    }
    update_path();
    interrupts_.restore();
  }
}

}  // namespace dm::rtl8139
