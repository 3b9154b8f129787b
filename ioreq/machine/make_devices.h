// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/device.h"
#include "core/device_ports.h"
#include "core/ports/domain_control.h"
#include "core/ports/unplug.h"
#include "core/ports/video_memory.h"
#include "core/result.h"
#include "devices/chipset/chipset.h"
#include "devices/e1000/e1000.h"
#include "devices/ide/piix3_ide.h"
#include "devices/rtl8139/rtl8139.h"
#include "devices/uart16550/serial_port.h"
#include "devices/usb/piix3_uhci.h"
#include "devices/vga/vga.h"
#include "ioreq/machine/backends.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dm {

/// The devices of a machine, in the order in which they are asked, and pointers to the chips that
/// management and tests need by kind.
struct Devices {
  std::vector<std::unique_ptr<Device>> all;
  chipset::Chipset* chipset = nullptr;
  ide::Piix3Ide* ide = nullptr;
  std::array<uart16550::SerialPort*, 4> serial{};  ///< COM1-COM4; null: not there
  vga::Vga* screen = nullptr;                      ///< null: not there
  usb::Piix3Uhci* usb = nullptr;                   ///< null: not there
  std::vector<e1000::E1000*> cards;                ///< those of this model, unplugged or not
};

/// What chips ask of the whole machine.
struct MachinePorts {
  DomainControl& control;
  UnplugHandler& unplug;
  VideoMemory* video = nullptr;  ///< null: there is none for a graphics card
};

/// What the guest has unplugged whose saved state these bytes are (Machine::save). They are
/// hostile, and checked as far as that is possible without a machine.
[[nodiscard]] Result<UnplugRequest> unplugged_in(std::span<const std::byte> saved);
/// Where the video memory lies of the guest whose saved state these bytes are; nothing for a guest
/// without a screen. As unplugged_in().
[[nodiscard]] Result<std::optional<Gpa>> video_memory_in(std::span<const std::byte> saved);

/// Makes the devices of a PC; only this function knows which there are. Takes the disks out of
/// `backends`, which outlive the devices. Fails, or throws std::runtime_error, when a device cannot
/// have its place.
[[nodiscard]] Result<Devices> make_devices(const MachineConfig& config,
                                           Backends& backends,
                                           const DevicePorts& ports,
                                           const MachinePorts& machine,
                                           std::span<const DeviceMaker> more);

}  // namespace dm
