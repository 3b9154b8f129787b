// SPDX-License-Identifier: MIT
#include "ioreq/machine/machine.h"

#include "core/obs/log.h"
#include "devices/ide/ata_disk.h"
#include "devices/ide/geometry.h"
#include "devices/ide/identify.h"

#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace dm {

namespace {

/// Where QEMU puts the first card of a guest with a display, and so where installed systems that
/// name interfaces by slot look for it.
constexpr std::size_t kFirstCardSlot = 4;

chipset::Config chipset_config(const MachineConfig& config, const Backends& backends) {
  chipset::Config chipset{.cmos = {.boot_order = config.boot_order},
                          .vcpus_online = config.vcpus_online,
                          .vcpus_max = config.vcpus_max,
                          .acpi = config.acpi,
                          .xen_platform = config.xen_platform};
  for (std::size_t i = 0; i < backends.disks.size(); ++i) {
    if (backends.disks[i] != nullptr && !backends.cdroms[i]) {
      const auto geometry =
          ide::default_geometry(backends.disks[i]->info().size / ide::kSectorSize);
      chipset.cmos.disks[i] = {
          .cylinders = geometry.cylinders, .heads = geometry.heads, .sectors = geometry.sectors};
    }
  }
  return chipset;
}

ide::DiskIdentity identity_of(const MachineConfig& config, unsigned position) {
  ide::DiskIdentity identity = ide::default_identity(position);
  for (const DiskConfig& disk : config.disks) {
    if (disk.index == position && !disk.serial.empty()) {
      identity.serial = std::string_view{disk.serial};
    }
    if (disk.index == position && !disk.firmware.empty()) {
      identity.firmware = std::string_view{disk.firmware};
    }
  }
  return identity;
}

MachineShape shape_of(const MachineConfig& config, const Backends& backends) {
  MachineShape shape{.acpi = config.acpi,
                     .xen_platform = config.xen_platform,
                     .disks = {},
                     .cdroms = {},
                     .serial = {}};
  for (std::size_t i = 0; i < shape.disks.size(); ++i) {
    shape.disks[i] = backends.disks[i] != nullptr && !backends.cdroms[i];
    shape.cdroms[i] = backends.cdroms[i];
  }
  for (std::size_t i = 0; i < shape.serial.size(); ++i) {
    shape.serial[i] = backends.serial[i] != nullptr;
  }
  shape.cards = static_cast<std::uint8_t>(backends.nics.size());
  return shape;
}

}  // namespace

Machine::Machine(const MachineConfig& config,
                 const MachineHost& host,
                 Backends backends,
                 ioreq::SpinPolicy spin)
    : host_{host},
      shape_{shape_of(config, backends)},
      backends_{std::move(backends)},
      pio_{host.claims},
      mmio_{host.claims},
      pci_{pio_, mmio_, host.claims},
      irqs_{host.irqs},
      timers_{host.clock},
      memory_{host.memory, host.memory_limits, {.clock = &host.clock, .meter = &work_.meter()}},
      chipset_{{.pio = pio_, .pci = pci_, .irqs = irqs_, .control = *this, .unplug = *this},
               chipset_config(config, backends_)},
      ide_{pci_, pio_, irqs_, memory_, make_drives(config)},
      dispatcher_{pio_, mmio_, pci_, memory_, &work_.meter()},
      server_{host.ioreq, dispatcher_, host.black_box},
      poller_{server_, host.ioreq, host.events, timers_, work_, spin} {}

Machine::~Machine() = default;

Result<std::unique_ptr<Machine>> Machine::create(const MachineConfig& config,
                                                 const MachineHost& host,
                                                 Backends backends,
                                                 ioreq::SpinPolicy spin) {
  try {
    std::unique_ptr<Machine> machine{new Machine{config, host, std::move(backends), spin}};
    if (auto added = machine->add_serial_ports(); !added) {
      return added.error();
    }
    if (auto added = machine->add_cards(config); !added) {
      return added.error();
    }
    return machine;
  } catch (const std::runtime_error& error) {  // a slot or a port is not to be had
    return Error{error.what()};
  }
}

ide::Piix3Ide::Drives Machine::make_drives(const MachineConfig& config) {
  ide::Piix3Ide::Drives drives;
  for (unsigned i = 0; i < drives.size(); ++i) {
    if (backends_.cdroms[i]) {
      drives[i] = std::make_unique<ide::AtapiDrive>(std::move(backends_.disks[i]), work_,
                                                    ide::default_cd_identity(i));
    } else if (backends_.disks[i] != nullptr) {
      drives[i] = std::make_unique<ide::AtaDisk>(std::move(backends_.disks[i]), work_,
                                                 identity_of(config, i));
    }
  }
  return drives;
}

Result<> Machine::add_serial_ports() {
  for (std::size_t i = 0; i < serial_.size(); ++i) {
    if (backends_.serial[i] == nullptr) {
      continue;
    }
    auto port = SerialPort::create(kComPorts[i], pio_, irqs_, timers_, *backends_.serial[i]);
    if (!port) {
      return port.error();
    }
    serial_[i] = std::move(*port);
  }
  return {};
}

Result<> Machine::add_cards(const MachineConfig& config) {
  for (std::size_t i = 0; i < backends_.nics.size(); ++i) {
    const Backends::Nic& nic = backends_.nics[i];
    auto card = e1000::E1000::create(
        {.where = {.device = static_cast<std::uint8_t>(kFirstCardSlot + i), .function = 0},
         .mac = config.nics.at(i).mac,
         .rom = nic.rom},
        {.pci = pci_,
         .irqs = irqs_,
         .memory = memory_,
         .timers = timers_,
         .work = work_,
         .backend = *nic.cable});
    if (!card) {
      return card.error();
    }
    cards_.push_back(std::move(*card));
  }
  return {};
}

ide::AtapiDrive* Machine::cd_drive(std::size_t position) noexcept {
  ide::Drive* const drive =
      position < ide::kPositions
          ? ide_.channel(position / ide::Channel::kDrives)
                .drive(static_cast<std::uint8_t>(position % ide::Channel::kDrives))
          : nullptr;
  const bool is_cd = drive != nullptr && drive->kind() == ide::DriveKind::cdrom;
  return is_cd ? static_cast<ide::AtapiDrive*>(drive) : nullptr;
}

void Machine::pause() noexcept {
  ide_.settle();
  for (const auto& card : cards_) {
    card->pause();
  }
  for (const auto& port : serial_) {
    if (port != nullptr) {
      port->uart().pause();
    }
  }
}

void Machine::resume() noexcept {
  work_.meter().end_other();
  ide_.resume();
  for (const auto& card : cards_) {
    card->resume();
  }
  for (const auto& port : serial_) {
    if (port != nullptr) {
      port->uart().resume();
    }
  }
}

void Machine::wake() noexcept {
  work_.meter().end_other();
  chipset_.wake();
  ide_.wake();
  for (const auto& card : cards_) {
    card->wake();
  }
  for (const auto& port : serial_) {
    if (port != nullptr) {
      port->uart().reset();
    }
  }
}

void Machine::make_durable() noexcept {
  if (!ide_.flush()) {
    complaints_.error(
        "a disk could not be flushed: writes that the guest had flushed are safe, later ones may "
        "be lost");
  }
}

void Machine::stop_listening() noexcept {
  for (const auto& port : serial_) {
    if (port != nullptr) {
      port->backend().stop_listening();
    }
  }
}

MachineState Machine::state() const noexcept {
  MachineState s;
  s.shape = shape_;
  s.chipset = chipset_.state();
  s.ide = ide_.state();
  for (std::size_t i = 0; i < serial_.size(); ++i) {
    if (serial_[i] != nullptr) {
      s.serial[i] = serial_[i]->uart().state();
    }
  }
  for (const auto& card : cards_) {
    s.cards.push_back(card->state());
  }
  return s;
}

std::vector<std::byte> Machine::save() const {
  return write_saved_state(state());
}

Result<> Machine::load(std::span<const std::byte> bytes) {
  if (dispatcher_.counters().requests != 0) {
    return Error{"a saved state can be loaded only before the guest runs"};
  }
  auto saved = read_saved_state(bytes);
  if (!saved) {
    return saved.error();
  }
  if (saved->shape != shape_) {
    return Error{
        "the saved machine had other devices than this one: disks, serial ports, network cards, "
        "acpi and xen_platform_pci must be configured as they were"};
  }
  return restore(*saved);
}

Result<> Machine::restore(const MachineState& saved) {
  // The one step that can still refuse comes first: only a disk knows its size. The chipset follows
  // the disks, or its unplug would take away the drives that the state is for.
  if (!ide_.restore(saved.ide)) {
    return Error{"the saved state is of disks of another size"};
  }
  if (!chipset_.restore(saved.chipset)) {
    return Error{"the saved state of the chipset is damaged"};  // it was valid a moment ago
  }
  for (std::size_t i = 0; i < serial_.size(); ++i) {
    if (serial_[i] != nullptr && !serial_[i]->uart().restore(saved.serial[i])) {
      return Error{"the saved state of a serial port is damaged"};  // likewise
    }
  }
  for (std::size_t i = 0; i < cards_.size(); ++i) {
    if (!cards_[i]->restore(saved.cards.at(i))) {
      return Error{"the saved state of a network card is damaged"};  // likewise
    }
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

/// Once a request: a string operation on PM1a_CNT asks 2048 times, and a disk's flush is dear.
void Machine::suspend_to_ram() noexcept {
  if (std::exchange(slept_in_, dispatcher_.counters().requests) ==
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
  if (request.nics) {
    for (const auto& card : cards_) {
      card->unplug_card();
    }
  }
  if (request.ide_disks || request.ide_secondary_disks) {
    const bool keep_primary_master = !request.ide_disks;
    if (!ide_.unplug_disks(keep_primary_master)) {
      complaints_.error("a disk could not be flushed when the guest's own drivers took it over");
    }
    if (!unplugged_) {
      unplugged_ = true;
      log::info("the guest's PV drivers take over: emulated disks are unplugged");
    }
  }
}

}  // namespace dm
