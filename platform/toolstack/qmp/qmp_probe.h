// SPDX-License-Identifier: MIT
#pragma once

#include "platform/toolstack/qmp/qmp_commands.h"

#include <functional>

namespace dm::toolstack {

/// Adds query-command-line-options, which answers with the options of `parse_command_line`.
void add_command_line_command(QmpCommands& commands);

/// Adds all commands of a device model without a machine (-machine none). Since 4.20, libxl starts
/// one before each guest, sends query-command-line-options and quit, and waits up to 60 s for both
/// (libxl_dm.c). `quit` is called once at most.
void add_probe_commands(QmpCommands& commands, std::function<void()> quit);

}  // namespace dm::toolstack
