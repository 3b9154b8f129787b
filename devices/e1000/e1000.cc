// SPDX-License-Identifier: MIT
#include "devices/e1000/e1000.h"

#include "devices/e1000/regs.h"

#include <exception>

namespace dm::e1000 {

namespace {

template <class... Registers>
void show(const RegisterFile& file, Inspector& to) {
  const Inspector::Part registers{to, "registers"};
  (to.hex(Registers::kName, file.get<Registers>()), ...);
}

}  // namespace

E1000::E1000(const Setup& setup, const Ports& ports)
    : PciFunction{ports.pci, setup.where, "e1000", Config{regs::ConfigMap{}}},
      chip_{{.memory = ports.memory,
             .timers = ports.timers,
             .work = ports.work,
             .backend = ports.backend},
            ports.irqs.intx(setup.where.device, 0),
            setup.mac} {
  add_bar(0, BarKind::memory, regs::kMemoryBar,
          IoHandler::bind<&Chip::read_memory, &Chip::write_memory>(chip_), "e1000 registers");
  add_bar(1, BarKind::io, regs::kIoBar, IoHandler::bind<&Chip::read_io, &Chip::write_io>(chip_),
          "e1000 window");
  add_interrupt(chip_.interrupt_line());
  if (!setup.rom.empty()) {
    add_rom(setup.rom, "e1000 rom");
  }
}

Result<std::unique_ptr<E1000>> E1000::create(const Setup& setup, const Ports& ports) {
  try {
    return std::unique_ptr<E1000>{new E1000{setup, ports}};
  } catch (const std::exception& e) {
    return fail("e1000: ", e.what());
  }
}

void E1000::config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  chip_.set_bus_master(bus_master());
}

/// A transfer that nobody answered shows as "received master abort" (PCI 2.1, 6.2.3).
void E1000::config_reading(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  constexpr std::uint16_t kReceivedMasterAbort = 0x2000;
  if (aborts_shown_ != chip_.counters().master_aborts) {
    aborts_shown_ = chip_.counters().master_aborts;
    config().set<regs::PciStatus>(
        static_cast<std::uint16_t>(config().get<regs::PciStatus>() | kReceivedMasterAbort));
  }
}

bool E1000::unplug(UnplugRequest request) noexcept {
  if (request.nics) {
    chip_.leave();
    PciFunction::unplug();
  }
  return true;
}

void E1000::reset() noexcept {
  if (!present()) {
    return;
  }
  chip_.set_bus_master(false);
  chip_.power_on();
  reset_config();  // last: a masked line is low by now
}

CardState E1000::state() const noexcept {
  CardState out = chip_.state();
  out.config = config().bytes();
  return out;
}

bool E1000::restore(const CardState& state) noexcept {
  if (!validate(state)) {
    return false;
  }
  restore_config(state.config);  // first: its line may be masked
  chip_.restore(state);
  chip_.set_bus_master(bus_master());
  return true;
}

void E1000::inspect(Inspector& to, std::string_view name) const {
  if (!present()) {
    return;
  }
  using namespace regs;  // NOLINT(google-build-using-namespace): a list of registers
  const Inspector::Row row{to, "network"};
  nic::show_card(to, name, chip_.backend(), chip_.counters(), chip_.interrupt());
  show<CTRL, STATUS, ICR, ITR, IMS, RCTL, RDBAL, RDBAH, RDLEN, RDH, RDT, RDTR, RADV, TCTL, TDBAL,
       TDBAH, TDLEN, TDH, TDT, TIDV, TADV, MPC, RNBC>(chip_.state().file, to);
}

}  // namespace dm::e1000
