// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "ioreq/machine/machine.h"

namespace dm {

/// Loads the state of a saved guest from `fd` (-incoming fd:F) into a machine that has not served a
/// request yet. The machine is paused then. `fd` stays open. A file may have several states, one
/// for each save: the last one is loaded. Other bytes behind it are left unread. A console
/// (-incoming of a stub domain) has one state and no end. Fails with one line that says what to do.
[[nodiscard]] Result<> load_incoming(int fd, Machine& machine);

}  // namespace dm
