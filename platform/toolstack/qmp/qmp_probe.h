// SPDX-License-Identifier: MIT
#pragma once

#include "platform/toolstack/qmp/qmp_commands.h"

#include <functional>

namespace dm::toolstack {

/// query-command-line-options: what `parse_command_line` knows.
void add_command_line_command(QmpCommands& commands);

/// All that can be asked of a device model without a machine (-machine none): since 4.20 libxl
/// starts one before each guest, sends query-command-line-options and quit, and waits up to 60 s
/// for both (libxl_dm.c). `quit` is called once at most.
void add_probe_commands(QmpCommands& commands, std::function<void()> quit);

}  // namespace dm::toolstack
