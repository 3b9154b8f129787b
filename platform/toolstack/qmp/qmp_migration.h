// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/machine_control.h"
#include "core/result.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/qmp_commands.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace dm::toolstack {

/// What a state is written to.
struct StateTarget {
  host::UniqueFd fd;        ///< blocks
  bool file = true;         ///< what is behind the state is cut off; false: it is a stream
  std::size_t padding = 0;  ///< bytes that have to follow the state as part of it
  /// For the reader of a pipe, in all: the loop serves nobody meanwhile. libxl passes a file.
  std::chrono::milliseconds patience{2000};
};
/// Opens what the client names. An error is one line.
using OpenStateTarget = std::function<Result<StateTarget>(const std::string& name)>;

/// A descriptor that was passed by add-fd. QEMU opens any path. Here who asks has to have opened
/// the file, as libxl has. `sets` outlives the result.
[[nodiscard]] OpenStateTarget passed_descriptors(const FdSets& sets);

/// Adds what xl save and xl migrate send: xen-set-global-dirty-log, xen-save-devices-state.
/// `machine` outlives `commands`. Source: QEMU 7.2 qapi/migration.json; libxl_qmp.c.
void add_migration_commands(QmpCommands& commands, MachineControl& machine, OpenStateTarget open);

}  // namespace dm::toolstack
