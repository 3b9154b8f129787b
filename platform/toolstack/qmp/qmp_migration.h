// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/machine_control.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/qmp_commands.h"

namespace dm::toolstack {

/// Adds what xl save and xl migrate send: xen-set-global-dirty-log, xen-save-devices-state.
/// `machine` and `sets` outlive `commands`. Source: QEMU 7.2 qapi/migration.json; libxl_qmp.c.
void add_migration_commands(QmpCommands& commands, MachineControl& machine, const FdSets& sets);

}  // namespace dm::toolstack
