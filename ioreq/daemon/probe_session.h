// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

namespace dm {

/// -machine none: answers questions about the program itself, and needs neither Xen nor a guest.
/// Returns after `quit`, after a signal, or after two minutes.
[[nodiscard]] Result<> serve_probe(const MachineConfig& config);

}  // namespace dm
