// SPDX-License-Identifier: MIT
#pragma once

#include "tests/unit/ioreq/daemon/moving_pc.h"

#include <vector>

namespace dm::test {

/// Something that a guest does with a device, from its beginning to its end, where it is checked
/// that everything arrived. It never looks at the machine but as a guest does, so it does not
/// notice that the machine is another one.
struct Transfer {
  const char* name;
  void (*run)(MovingPc& pc);
};

/// One or more of every device, by every way that its data can go.
[[nodiscard]] std::vector<Transfer> transfers();

}  // namespace dm::test
