// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"

#include <string_view>

namespace dm::chipset {

/// Claims ports that a PC has at one fixed place. Throws std::runtime_error, which names both
/// owners, or says that the hypervisor refused. So use it only for construction at start-up. Thread
/// rule: the loop's thread only.
[[nodiscard]] PioClaim claim_fixed(PioBus& bus,
                                   PortRange range,
                                   IoHandler handler,
                                   std::string_view name);

}  // namespace dm::chipset
