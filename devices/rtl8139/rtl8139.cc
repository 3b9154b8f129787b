// SPDX-License-Identifier: MIT
#include "devices/rtl8139/rtl8139.h"

#include "devices/rtl8139/regs.h"

#include <exception>

namespace dm::rtl8139 {

Rtl8139::Rtl8139(const Setup& setup, const Ports& ports)
    : PciFunction{ports.pci, setup.where, "rtl8139", Config{regs::ConfigMap{}}},
      chip_{{.memory = ports.memory,
             .timers = ports.timers,
             .work = ports.work,
             .backend = ports.backend},
            ports.irqs.intx(setup.where.device, 0),
            setup.mac} {
  const IoHandler registers = IoHandler::bind<&Chip::read, &Chip::write>(chip_);
  add_bar(0, BarKind::io, regs::kBar, registers, "rtl8139 ports");
  add_bar(1, BarKind::memory, regs::kBar, registers, "rtl8139 registers");
  add_interrupt(chip_.interrupt_line());
  if (!setup.rom.empty()) {
    add_rom(setup.rom, "rtl8139 rom");
  }
}

Result<std::unique_ptr<Rtl8139>> Rtl8139::create(const Setup& setup, const Ports& ports) {
  try {
    return std::unique_ptr<Rtl8139>{new Rtl8139{setup, ports}};
  } catch (const std::exception& e) {
    return fail("rtl8139: ", e.what());
  }
}

void Rtl8139::config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  chip_.set_bus_master(bus_master());
}

/// A transfer that nobody answered shows as "received master abort" (PCI 2.1, 6.2.3).
void Rtl8139::config_reading(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  constexpr std::uint16_t kReceivedMasterAbort = 0x2000;
  if (aborts_shown_ != chip_.counters().master_aborts) {
    aborts_shown_ = chip_.counters().master_aborts;
    config().set<regs::PciStatus>(
        static_cast<std::uint16_t>(config().get<regs::PciStatus>() | kReceivedMasterAbort));
  }
}

bool Rtl8139::unplug(UnplugRequest request) noexcept {
  if (request.nics) {
    chip_.leave();
    PciFunction::unplug();
  }
  return true;
}

void Rtl8139::reset() noexcept {
  if (!present()) {
    return;
  }
  chip_.set_bus_master(false);
  chip_.power_on();
  reset_config();  // last: a masked line is low by now
}

CardState Rtl8139::state() const noexcept {
  CardState out = chip_.state();
  out.config = config().bytes();
  return out;
}

bool Rtl8139::restore(const CardState& state) noexcept {
  if (!validate(state)) {
    return false;
  }
  restore_config(state.config);  // first: its line may be masked
  chip_.restore(state);
  chip_.set_bus_master(bus_master());
  return true;
}

void Rtl8139::inspect(Inspector& to, std::string_view name) const {
  if (!present()) {
    return;
  }
  const Inspector::Row row{to, "network"};
  nic::show_card(to, name, chip_.backend(), chip_.counters(), chip_.interrupt());
  show_registers(chip_.state().file, to);
}

}  // namespace dm::rtl8139
