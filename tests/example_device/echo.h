// SPDX-License-Identifier: MIT
#pragma once

#include "core/device_ports.h"

#include <memory>

/// The example of devices/README.md, "Adding a device".
namespace dm::example {

/// A port, 0xEE0, that gives back the byte that was written to it last, a millisecond later and
/// with IRQ 10. Reading it takes the interrupt back. Fails when the port is taken.
[[nodiscard]] Result<std::unique_ptr<Device>> make_echo(const DevicePorts& ports);

}  // namespace dm::example
