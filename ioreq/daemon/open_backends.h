// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"
#include "ioreq/machine/machine.h"
#include "platform/linux/loop/loop.h"

namespace dm {

/// Opens images, serial ports and network interfaces, before the guest is touched: what is missing
/// ends the start with one message. `loop` outlives the result.
[[nodiscard]] Result<Backends> open_backends(const MachineConfig& config, host::Loop& loop);

}  // namespace dm
