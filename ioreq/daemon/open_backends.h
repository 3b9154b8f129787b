// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/ports/unplug.h"
#include "core/result.h"
#include "ioreq/machine/machine.h"
#include "platform/linux/loop/loop.h"

namespace dm {

/// Opens images, serial ports and network interfaces, before the guest is touched: what is missing
/// ends the start with one message. `gone` is what a saved guest has unplugged: such a disk is left
/// out, since its image is behind the guest's PV disk now. `loop` outlives the result.
[[nodiscard]] Result<Backends> open_backends(const MachineConfig& config,
                                             const UnplugRequest& gone,
                                             host::Loop& loop);

}  // namespace dm
