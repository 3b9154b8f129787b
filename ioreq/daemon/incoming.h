// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "ioreq/machine/machine.h"

namespace dm {

/// Loads the state of a saved guest from `fd` (-incoming fd:F) into a machine that has not served a
/// request yet. The machine is paused then. `fd` stays open. Bytes behind the state are left
/// unread: in a file there may be a later one, and on a console there is no end. Fails with one
/// line that says what to do.
[[nodiscard]] Result<> load_incoming(int fd, Machine& machine);

}  // namespace dm
