// SPDX-License-Identifier: MIT
#include "devices/e1000/chip.h"

#include "core/net/rarp.h"
#include "devices/e1000/regs.h"

#include <array>
#include <span>
#include <utility>

namespace dm::e1000 {

Chip::Chip(const Ports& ports, IrqLine irq, const MacAddress& mac)
    : file_{shared_.state.file},
      backend_{ports.backend},
      interrupts_{shared_.state, ports.timers, std::move(irq)},
      eeprom_{shared_.state},
      phy_{shared_.state},
      receiver_{shared_, ports.memory, interrupts_, ports.backend, loop_, ports.work, mac},
      transmitter_{shared_, ports.memory, interrupts_, ports.backend, loop_, ports.work} {
  shared_.state.eeprom.words = default_eeprom(mac);
  backend_.attach(this);
  backend_.accept_offloads(true, true);
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

void Chip::power_on() noexcept {
  file_.set<regs::PBA>(regs::PBA::kReset);
  phy_.reset();
  reset_mac();
}

void Chip::wake() noexcept {
  if (attached_) {
    power_on();
  }
}

/// CTRL.RST (8254x SDM, 13.4.1): everything but the PHY, PBA and PCI configuration, and
/// the EEPROM is read again. Nothing is in flight when the write has been answered.
void Chip::reset_mac() noexcept {
  const std::uint32_t pba = file_.get<regs::PBA>();
  transmitter_.reset();
  receiver_.reset();
  interrupts_.reset();
  file_.word = regs::List::kReset;
  file_.set<regs::PBA>(pba);
  shared_.state.io_address = 0;
  shared_.state.link_event = true;
  eeprom_.load();
  phy_.refresh();
  update_path();
}

void Chip::link_event() noexcept {
  interrupts_.raise(regs::ICR::LSC::kMask);
}

/// Where frames go: out, or back in.
void Chip::update_path() noexcept {
  shared_.link = phy_.link();
  shared_.loopback = phy_.loopback() || file_.field<regs::RCTL, regs::RCTL::LBM>() != 0;
}

void Chip::kick() noexcept {
  receiver_.kick();
  transmitter_.kick();
}

void Chip::on_link(bool up) noexcept {
  if (phy_.set_cable(up)) {
    update_path();
    link_event();
    receiver_.kick();
    transmitter_.on_sendable();  // what waits for room may wait for nothing more
  }
}

void Chip::set_bus_master(bool on) noexcept {
  if (shared_.bus_master != on) {
    if (!on) {
      transmitter_.settle();
      receiver_.leave_ring();
    }
    shared_.bus_master = on;
    kick();
  }
}

void Chip::pause() noexcept {
  transmitter_.settle();
  receiver_.settle();
  shared_.paused = true;
}

void Chip::resume() noexcept {
  if (attached_) {
    shared_.paused = false;
    receiver_.filters_changed();
    kick();
  }
}

void Chip::announce() noexcept {
  if (!attached_ || !shared_.link) {
    return;
  }
  const RegisterFile& file = shared_.state.file;
  const std::uint64_t station =
      file.at<regs::RAL>(0) | regs::RAH::ADDR::get(std::uint64_t{file.at<regs::RAH>(0)}) << 32U;
  std::array<std::byte, kShortestFrame> frame = inet::rarp_broadcast(station);
  const std::array<std::span<std::byte>, 1> pieces{frame};
  (void)backend_.send({}, pieces);
}

void Chip::restore(const CardState& state) noexcept {
  transmitter_.reset();
  receiver_.reset();
  shared_.state = state;
  if (attached_) {  // else there is no cable to look at, and no pin
    (void)phy_.set_cable(backend_.link_up());
    update_path();
    interrupts_.restore();
  }
}

}  // namespace dm::e1000
