// SPDX-License-Identifier: MIT
#include "devices/usb/piix3_uhci.h"

#include "core/state/show.h"

#include <exception>

namespace dm::usb {

namespace {

constexpr std::uint8_t kBar = 4;
constexpr std::uint8_t kIntd = 3;

}  // namespace

std::string_view name_of(HidKind kind) noexcept {
  switch (kind) {
    case HidKind::none:
      break;
    case HidKind::tablet:
      return "tablet";
    case HidKind::mouse:
      return "mouse";
    case HidKind::keyboard:
      return "keyboard";
  }
  return "nothing";
}

Piix3Uhci::Piix3Uhci(const Plugged& plugged, const DevicePorts& ports)
    : PciFunction{ports.pci, kBdf, "piix3-uhci", Config{regs::ConfigMap{}}},
      chip_{{.memory = ports.memory, .timers = ports.timers, .work = ports.work},
            ports.irqs.intx(kBdf.device, kIntd),
            plugged} {
  add_bar(kBar, BarKind::io, regs::kIoSize, IoHandler::bind<&Chip::read, &Chip::write>(chip_),
          "uhci ports");
  add_interrupt(chip_.interrupt_line());
}

Result<std::unique_ptr<Piix3Uhci>> Piix3Uhci::create(const Plugged& plugged,
                                                     const DevicePorts& ports) {
  try {
    return std::unique_ptr<Piix3Uhci>{new Piix3Uhci{plugged, ports}};
  } catch (const std::exception& e) {
    return fail("usb: ", e.what());
  }
}

void Piix3Uhci::config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  chip_.set_bus_master(bus_master());
}

void Piix3Uhci::reset() noexcept {
  chip_.set_bus_master(false);
  chip_.reset();
  reset_config();  // last: a masked line is low by now
}

UhciState Piix3Uhci::state() const noexcept {
  UhciState out = chip_.state();
  out.config = config().bytes();
  return out;
}

Result<> Piix3Uhci::fits(const UhciState& state, UnplugRequest& /*gone*/) const {
  const UhciState own = chip_.state();
  if (state.device0.kind != own.device0.kind || state.device1.kind != own.device1.kind) {
    return fail("usbdevice: there were ", name_of(state.device0.kind), " and ",
                name_of(state.device1.kind), ", and there are ", name_of(own.device0.kind), " and ",
                name_of(own.device1.kind));
  }
  return {};
}

bool Piix3Uhci::restore(const UhciState& state) noexcept {
  UnplugRequest none;
  if (!validate(state) || !fits(state, none)) {
    return false;
  }
  restore_config(state.config);  // first: its line may be masked
  chip_.restore(state);
  chip_.set_bus_master(bus_master());
  return true;
}

void Piix3Uhci::inspect(Inspector& to, std::string_view name) const {
  const Inspector::Part part{to, name};
  to.flag("polls", chip_.polls());
  to.number("frames_looked_at", chip_.counters().frames);
  to.number("transactions", chip_.counters().transactions);
  to.number("faults", chip_.counters().faults);
  for (unsigned port = 0; port < regs::kPorts; ++port) {
    if (const HidDevice* const device = chip_.device(port)) {
      const Inspector::Row row{to, "devices"};
      to.text("device", name_of(device->kind()));
      to.flag("ready", device->ready());
      if (const auto since = device->since_poll()) {
        to.number("ns_since_polled", *since);
      }
      to.number("events_without_a_report", device->merged());
    }
  }
  state::show(state(), to);
}

}  // namespace dm::usb
