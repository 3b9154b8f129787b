// SPDX-License-Identifier: MIT
#pragma once

#include "core/device.h"
#include "core/io/mmio_bus.h"
#include "core/io/pio_bus.h"
#include "core/irq/irq_line.h"
#include "core/mem/guest_memory.h"
#include "core/pci/pci_bus.h"
#include "core/result.h"
#include "core/time/timer.h"
#include "core/time/work.h"

#include <memory>

namespace dm {

/// What a machine has for its devices. All of it outlives them.
struct DevicePorts {
  PioBus& pio;
  MmioBus& mmio;
  PciBus& pci;
  IrqRouter& irqs;
  TimerQueue& timers;
  WorkQueue& work;
  GuestMemory& memory;
};

/// Makes a device at start-up. Fails with words for the person who starts the guest.
using DeviceMaker = Result<std::unique_ptr<Device>> (*)(const DevicePorts&);

}  // namespace dm
