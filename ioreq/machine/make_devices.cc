// SPDX-License-Identifier: MIT
#include "ioreq/machine/make_devices.h"

#include "devices/ata/ata_disk.h"
#include "devices/ata/atapi_drive.h"
#include "devices/ata/geometry.h"
#include "devices/ata/identify.h"
#include "devices/fw_cfg/fw_cfg.h"
#include "ioreq/machine/machine_state.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dm {

namespace {

/// Where QEMU puts the first card of a guest with a display, and so where installed systems that
/// name interfaces by slot look for it.
constexpr std::size_t kFirstCardSlot = 4;
/// Where QEMU puts the display.
constexpr PciBdf kScreenSlot{.device = 3, .function = 0};

constexpr std::string_view kChipset = "chipset";
constexpr std::string_view kScreen = "vga";
constexpr std::string_view kBoot = "fw_cfg";
constexpr std::string_view kUsb = "uhci";
constexpr std::string_view kRtl8139Device = "rtl8139-";

/// Adds a device, and gives back its chip.
template <class Chip>
Chip* add(Devices& devices, std::string name, std::unique_ptr<Chip> chip) {
  auto device = device_of(std::move(name), std::move(chip));
  Chip* const added = &device->chip();
  devices.all.push_back(std::move(device));
  return added;
}

chipset::Config chipset_config(const MachineConfig& config, const Backends& backends) {
  chipset::Config chipset{.cmos = {.boot_order = config.boot_order},
                          .vcpus_online = config.vcpus_online,
                          .vcpus_max = config.vcpus_max,
                          .acpi = config.acpi,
                          .xen_platform = config.xen_platform};
  for (std::size_t i = 0; i < backends.disks.size(); ++i) {
    if (backends.disks[i] != nullptr && !backends.cdroms[i]) {
      const auto geometry =
          ata::default_geometry(backends.disks[i]->info().size / ata::kSectorSize);
      chipset.cmos.disks[i] = {
          .cylinders = geometry.cylinders, .heads = geometry.heads, .sectors = geometry.sectors};
    }
  }
  return chipset;
}

ata::DiskIdentity identity_of(const MachineConfig& config, unsigned position) {
  ata::DiskIdentity identity = ata::default_identity(position);
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

ide::Piix3Ide::Drives make_drives(const MachineConfig& config,
                                  Backends& backends,
                                  WorkQueue& work) {
  ide::Piix3Ide::Drives drives;
  for (unsigned i = 0; i < drives.size(); ++i) {
    if (backends.cdroms[i]) {
      drives[i] = std::make_unique<ata::AtapiDrive>(std::move(backends.disks[i]), work,
                                                    ata::default_cd_identity(i));
    } else if (backends.disks[i] != nullptr) {
      drives[i] = std::make_unique<ata::AtaDisk>(std::move(backends.disks[i]), work,
                                                 identity_of(config, i));
    }
  }
  return drives;
}

Result<> add_serial_ports(Devices& devices, Backends& backends, const DevicePorts& ports) {
  for (std::size_t i = 0; i < devices.serial.size(); ++i) {
    if (backends.serial[i] == nullptr) {
      continue;
    }
    auto port = uart16550::SerialPort::create(uart16550::kComPorts[i], ports.pio, ports.irqs,
                                              ports.timers, *backends.serial[i]);
    if (!port) {
      return port.error();
    }
    devices.serial[i] = add(devices, "serial" + std::to_string(i), std::move(*port));
  }
  return {};
}

Result<> add_screen(Devices& devices,
                    const VgaConfig& config,
                    const Backends& backends,
                    const DevicePorts& ports,
                    VideoMemory* video) {
  if (video == nullptr || video->bytes().size() != std::size_t{config.memory_mib} << 20U) {
    return Error{"there is no video memory for the graphics card"};
  }
  auto screen = vga::Vga::create({.where = kScreenSlot,
                                  .monitor = {.width = config.width, .height = config.height},
                                  .rom = backends.vga_rom},
                                 {.pci = ports.pci,
                                  .pio = ports.pio,
                                  .mmio = ports.mmio,
                                  .memory = ports.memory,
                                  .timers = ports.timers,
                                  .video = *video});
  if (!screen) {
    return screen.error();
  }
  devices.screen = add(devices, std::string{kScreen}, std::move(*screen));
  return {};
}

usb::HidKind kind_of(UsbDevice device) noexcept {
  switch (device) {
    case UsbDevice::mouse:
      return usb::HidKind::mouse;
    case UsbDevice::keyboard:
      return usb::HidKind::keyboard;
    case UsbDevice::tablet:
      break;
  }
  return usb::HidKind::tablet;
}

Result<> add_usb(Devices& devices, const UsbConfig& config, const DevicePorts& ports) {
  usb::Plugged plugged{};
  static_assert(plugged.size() == UsbConfig::kPorts);
  for (std::size_t i = 0; i < config.devices.size(); ++i) {
    plugged.at(i) = kind_of(config.devices[i]);
  }
  auto controller = usb::Piix3Uhci::create(plugged, ports);
  if (!controller) {
    return controller.error();
  }
  devices.usb = add(devices, std::string{kUsb}, std::move(*controller));
  return {};
}

/// What firmware reads a kernel of the host from.
Result<> add_boot(Devices& devices,
                  const MachineConfig& config,
                  const Backends::Boot& boot,
                  const DevicePorts& ports) {
  auto device = fw_cfg::FwCfg::create(fw_cfg::make_items({.image = boot.image,
                                                          .kernel = *boot.kernel,
                                                          .initrd = boot.initrd.get(),
                                                          .rom = fw_cfg::boot_rom(),
                                                          .vcpus = config.vcpus_online,
                                                          .most_vcpus = config.vcpus_max}),
                                      ports);
  if (!device) {
    return device.error();
  }
  add(devices, std::string{kBoot}, std::move(*device));
  return {};
}

/// A card of any model: they are made alike.
template <class Card>
Result<Card*> add_card(Devices& devices,
                       std::string name,
                       const typename Card::Setup& setup,
                       const DevicePorts& ports,
                       NetBackend& cable) {
  auto card = Card::create(setup, {.pci = ports.pci,
                                   .irqs = ports.irqs,
                                   .memory = ports.memory,
                                   .timers = ports.timers,
                                   .work = ports.work,
                                   .backend = cable});
  if (!card) {
    return card.error();
  }
  return add(devices, std::move(name), std::move(*card));
}

/// A saved state knows a card's model by the name of the device.
Result<> add_cards(Devices& devices,
                   const MachineConfig& config,
                   Backends& backends,
                   const DevicePorts& ports) {
  for (std::size_t i = 0; i < backends.nics.size(); ++i) {
    const Backends::Nic& nic = backends.nics[i];
    const PciBdf where{.device = static_cast<std::uint8_t>(kFirstCardSlot + i), .function = 0};
    const NicConfig& of = config.nics.at(i);
    const std::string number = std::to_string(i);
    if (of.model == kRtl8139Model) {
      auto card = add_card<rtl8139::Rtl8139>(devices, std::string{kRtl8139Device} + number,
                                             {.where = where, .mac = of.mac, .rom = nic.rom}, ports,
                                             *nic.cable);
      if (!card) {
        return card.error();
      }
      continue;
    }
    auto card =
        add_card<e1000::E1000>(devices, "nic" + number,
                               {.where = where, .mac = of.mac, .rom = nic.rom}, ports, *nic.cable);
    if (!card) {
      return card.error();
    }
    devices.cards.push_back(*card);
  }
  return {};
}

}  // namespace

Result<UnplugRequest> unplugged_in(std::span<const std::byte> saved) {
  const auto devices = read_saved_state(saved);
  if (!devices) {
    return devices.error();
  }
  const auto chipset = std::ranges::find(*devices, kChipset, &SavedDevice::name);
  const auto state = chipset == devices->end()
                         ? nullptr
                         : read_device_state<chipset::ChipsetState>(kChipset, chipset->bytes);
  if (state == nullptr) {
    return Error{"the saved state is damaged: it has no chipset that could be one"};
  }
  return unplugged_by(*state);
}

Result<std::optional<Gpa>> video_memory_in(std::span<const std::byte> saved) {
  const auto devices = read_saved_state(saved);
  if (!devices) {
    return devices.error();
  }
  const auto screen = std::ranges::find(*devices, kScreen, &SavedDevice::name);
  if (screen == devices->end()) {
    return std::optional<Gpa>{};
  }
  const auto state = read_device_state<vga::State>(kScreen, screen->bytes);
  if (state == nullptr) {
    return Error{"the saved state is damaged: its graphics card could not be one"};
  }
  return std::optional{Gpa{state->memory_frame << kPageShift}};
}

// The chipset first: its slots and ports are fixed, and it knows what others have to lose.
Result<Devices> make_devices(const MachineConfig& config,
                             Backends& backends,
                             const DevicePorts& ports,
                             const MachinePorts& machine,
                             std::span<const DeviceMaker> more) {
  Devices devices;
  devices.chipset =
      add(devices, std::string{kChipset},
          std::make_unique<chipset::Chipset>(chipset::Chipset::Ports{.pio = ports.pio,
                                                                     .pci = ports.pci,
                                                                     .irqs = ports.irqs,
                                                                     .control = machine.control,
                                                                     .unplug = machine.unplug},
                                             chipset_config(config, backends)));
  devices.ide = add(devices, "ide",
                    std::make_unique<ide::Piix3Ide>(ports.pci, ports.pio, ports.irqs, ports.memory,
                                                    make_drives(config, backends, ports.work)));
  if (auto added = add_serial_ports(devices, backends, ports); !added) {
    return added.error();
  }
  if (config.vga) {
    if (auto added = add_screen(devices, *config.vga, backends, ports, machine.video); !added) {
      return added.error();
    }
  }
  if (config.usb) {
    if (auto added = add_usb(devices, *config.usb, ports); !added) {
      return added.error();
    }
  }
  if (auto added = add_cards(devices, config, backends, ports); !added) {
    return added.error();
  }
  if (backends.boot) {
    if (auto added = add_boot(devices, config, *backends.boot, ports); !added) {
      return added.error();
    }
  }
  for (const DeviceMaker make : more) {
    auto made = make(ports);
    if (!made) {
      return made.error();
    }
    devices.all.push_back(std::move(*made));
  }
  return devices;
}

}  // namespace dm
