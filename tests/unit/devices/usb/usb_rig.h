// SPDX-License-Identifier: MIT
#pragma once

#include "devices/usb/piix3_uhci.h"
#include "tests/drivers/uhci_driver.h"
#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>

namespace dm::test {

using drivers::UhciDriver;
using D = UhciDriver;
using Bytes = UhciDriver::Bytes;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 1ms reads better

/// A guest with a controller whose BAR firmware has set, and a device in its first port.
template <usb::HidKind Kind>
struct OneUsb {
  rig::SimGuest guest;
  DevicePorts ports{.pio = guest.pio(),
                    .mmio = guest.mmio(),
                    .pci = guest.pci(),
                    .irqs = guest.irqs(),
                    .timers = guest.timers(),
                    .work = guest.work(),
                    .memory = guest.memory()};
  std::unique_ptr<usb::Piix3Uhci> uhci =
      usb::Piix3Uhci::create({Kind, usb::HidKind::none}, ports).value();
  UhciDriver driver{guest};
  OneUsb() { driver.map(); }

  [[nodiscard]] usb::HidDevice& device() { return *uhci->device(0); }
};
using OneTablet = OneUsb<usb::HidKind::tablet>;
using OneMouse = OneUsb<usb::HidKind::mouse>;
using OneKeyboard = OneUsb<usb::HidKind::keyboard>;
using NoDevice = OneUsb<usb::HidKind::none>;

}  // namespace dm::test
