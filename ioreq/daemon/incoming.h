// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/unplug.h"
#include "core/result.h"
#include "ioreq/machine/machine.h"

#include <cstddef>
#include <vector>

namespace dm {

/// A saved guest that is to go on here.
struct Incoming {
  std::vector<std::byte> state;  ///< as Machine::save() gave it; hostile
  UnplugRequest gone;  ///< what it has unplugged: the images of these disks are not opened
};

/// Reads the state of a saved guest from `fd` (-incoming fd:F), before anything of the guest is
/// touched. `fd` stays open. Bytes behind the state are left unread: in a file there may be a later
/// one, and on a console there is no end. Fails with one line that says what to do.
[[nodiscard]] Result<Incoming> read_incoming(int fd);

/// Loads it into a machine that has not served a request yet. The machine is paused then. Fails as
/// read_incoming().
[[nodiscard]] Result<> load_incoming(const Incoming& saved, Machine& machine);

}  // namespace dm
