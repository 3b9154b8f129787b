// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/machine_control.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/qmp_commands.h"

namespace dm::toolstack {

/// eject, blockdev-change-medium, change: discs of CD-ROM drives. `machine` and `sets` outlive
/// `commands`.
void add_medium_commands(QmpCommands& commands, MachineControl& machine, const FdSets& sets);

}  // namespace dm::toolstack
