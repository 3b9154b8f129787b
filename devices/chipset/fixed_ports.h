// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"

#include <string_view>

namespace dm::chipset {

/// Ports that a PC has at one place and nowhere else. Throws std::runtime_error that names both
/// owners, or says that the hypervisor refused; so it is for construction at start-up only.
[[nodiscard]] PioClaim claim_fixed(PioBus& bus,
                                   PortRange range,
                                   IoHandler handler,
                                   std::string_view name);

}  // namespace dm::chipset
