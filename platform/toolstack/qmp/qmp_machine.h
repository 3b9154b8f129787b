// SPDX-License-Identifier: MIT
// Internal to the QMP server: the parts of add_machine_commands().
#pragma once

#include "core/ports/machine_control.h"
#include "platform/toolstack/qmp/qmp_commands.h"

namespace dm::toolstack {

/// query-cpus-fast, query-cpus, query-hotpluggable-cpus, cpu-add, device_add, device_del.
void add_hotplug_commands(QmpCommands& commands, MachineControl& machine);
/// query-block, query-blockstats, query-pci.
void add_inventory_commands(QmpCommands& commands, MachineControl& machine);
/// human-monitor-command, in terms of the other queries.
void add_monitor_command(QmpCommands& commands);

}  // namespace dm::toolstack
