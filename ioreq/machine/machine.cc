// SPDX-License-Identifier: MIT
#include "ioreq/machine/machine.h"

#include "core/obs/log.h"
#include "core/text/list.h"
#include "ioreq/machine/different_devices.h"
#include "ioreq/machine/machine_state.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace dm {

namespace {

/// All that differs, in one line.
Error not_as_saved(std::span<const std::string> differences) {
  std::string all;
  for (const std::string& one : differences) {
    append_item(all, one);
  }
  return fail("not as it was saved: ", all);
}

}  // namespace

Machine::Machine(const MachineHost& host, Backends backends, ioreq::SpinPolicy spin)
    : host_{host},
      backends_{std::move(backends)},
      pio_{host.claims},
      mmio_{host.claims},
      pci_{pio_, mmio_, host.claims},
      irqs_{host.irqs},
      timers_{host.clock},
      memory_{host.memory, host.memory_limits, {.clock = &host.clock, .meter = &work_.meter()}},
      dispatcher_{pio_, mmio_, pci_, memory_, &work_.meter()},
      server_{host.ioreq, dispatcher_, host.black_box},
      poller_{server_, host.ioreq, host.events, timers_, work_, spin, host.pulse} {}

/// In the reverse of their making.
Machine::~Machine() {
  while (!devices_.all.empty()) {
    devices_.all.pop_back();
  }
}

Result<std::unique_ptr<Machine>> Machine::create(const MachineConfig& config,
                                                 const MachineHost& host,
                                                 Backends backends,
                                                 ioreq::SpinPolicy spin) {
  try {
    std::unique_ptr<Machine> machine{new Machine{host, std::move(backends), spin}};
    auto made = make_devices(config, machine->backends_,
                             {.pio = machine->pio_,
                              .mmio = machine->mmio_,
                              .pci = machine->pci_,
                              .irqs = machine->irqs_,
                              .timers = machine->timers_,
                              .work = machine->work_,
                              .memory = machine->memory_},
                             {.control = *machine, .unplug = *machine, .video = host.video},
                             host.more_devices);
    if (!made) {
      return made.error();
    }
    machine->devices_ = std::move(*made);
    machine->input_.emplace(machine->chipset().i8042());
    for (unsigned port = 0; port < UsbConfig::kPorts && machine->usb() != nullptr; ++port) {
      usb::HidDevice* const device = machine->usb()->device(port);
      if (device != nullptr && device->kind() == usb::HidKind::tablet) {
        machine->input_->set_tablet(device);
      }
    }
    return machine;
  } catch (const std::runtime_error& error) {  // a slot or a port is not to be had
    return Error{error.what()};
  }
}

ata::AtapiDrive* Machine::cd_drive(std::size_t position) noexcept {
  ata::Drive* const drive =
      position < ide::kPositions
          ? devices_.ide->channel(position / ide::Channel::kDrives)
                .drive(static_cast<std::uint8_t>(position % ide::Channel::kDrives))
          : nullptr;
  const bool is_cd = drive != nullptr && drive->kind() == ata::DriveKind::cdrom;
  return is_cd ? static_cast<ata::AtapiDrive*>(drive) : nullptr;
}

void Machine::pause() noexcept {
  poller_.pause_timers();
  input_->pause();
  for (const auto& device : devices_.all) {
    device->pause();
  }
}

void Machine::resume() noexcept {
  work_.meter().end_other();
  for (const auto& device : devices_.all) {
    device->resume();
  }
  input_->resume();
  poller_.resume_timers();
}

void Machine::wake() noexcept {
  work_.meter().end_other();
  for (const auto& device : devices_.all) {
    device->wake();
  }
}

bool Machine::make_durable() noexcept {
  if (handed_over_) {
    return true;  // it was, and what is written now would be another machine's
  }
  bool durable = true;
  for (const auto& device : devices_.all) {
    durable = device->flush() && durable;
  }
  if (!durable) {
    complaints_.error(
        "a disk could not be flushed: writes that the guest had flushed are safe, later ones may "
        "be lost");
  }
  return durable;
}

bool Machine::hand_over() noexcept {
  handed_over_ =
      std::ranges::all_of(devices_.all, [](const auto& device) { return device->hand_over(); });
  return handed_over_;
}

void Machine::take_back() noexcept {
  for (const auto& device : devices_.all) {
    static_cast<void>(device->take_back());  // its image says so, in the log and to the guest
  }
  handed_over_ = false;
}

void Machine::stop_listening() noexcept {
  for (const auto& line : backends_.serial) {
    if (line != nullptr) {
      line->stop_listening();
    }
  }
}

std::vector<std::byte> Machine::save() const {
  std::vector<SavedDevice> saved;
  for (const auto& device : devices_.all) {
    saved.push_back({.name = std::string{device->name()}, .bytes = device->save()});
  }
  return write_saved_state(saved);
}

Result<> Machine::load(std::span<const std::byte> bytes) {
  if (dispatcher_.counters().requests != 0) {
    return Error{"a saved state can be loaded only before the guest runs"};
  }
  const auto saved = read_saved_state(bytes);
  if (!saved) {
    return saved.error();
  }
  // By name, in the order of this machine: see Device::check().
  std::vector<std::string> differences = different_devices(*saved, devices_.all);
  std::vector<const SavedDevice*> in_order;
  UnplugRequest gone;
  for (const auto& device : devices_.all) {
    const auto found = std::ranges::find(*saved, device->name(), &SavedDevice::name);
    if (found == saved->end()) {
      continue;  // one of the differences
    }
    if (auto checked = device->check(found->bytes, gone); !checked) {
      differences.push_back(checked.error().message);
    }
    in_order.push_back(&*found);
  }
  if (!differences.empty()) {
    return not_as_saved(differences);
  }
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    devices_.all[i]->load(in_order[i]->bytes);
  }
  return {};
}

void Machine::shutdown(ShutdownReason reason) noexcept {
  if (ended_) {
    return;
  }
  ended_ = true;
  if (slept_in_ != dispatcher_.counters().requests) {
    make_durable();  // else it is: nothing was written since the same request asked for S3
  }
  host_.domain.shutdown(reason);
}

/// Once a request, and not by a guest that has just ended: a string operation on PM1a_CNT asks 2048
/// times, and a disk's flush is dear.
void Machine::suspend_to_ram() noexcept {
  if (ended_ || std::exchange(slept_in_, dispatcher_.counters().requests) ==
                    dispatcher_.counters().requests) {
    return;
  }
  make_durable();
  host_.domain.suspend_to_ram();
}

void Machine::protect_rom(std::uint64_t first_gfn, std::uint32_t count, bool read_only) noexcept {
  host_.domain.protect_rom(first_gfn, count, read_only);
}

void Machine::unplug(UnplugRequest request) noexcept {
  bool durable = true;
  for (const auto& device : devices_.all) {
    durable = device->unplug(request) && durable;
  }
  if (!durable) {
    complaints_.error("a disk could not be flushed when the guest's own drivers took it over");
  }
  if ((request.ide_disks || request.ide_secondary_disks) && !unplugged_) {
    unplugged_ = true;
    log::info("the guest's PV drivers take over: emulated disks are unplugged");
  }
}

}  // namespace dm
