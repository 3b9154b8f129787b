// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

#include <cstdint>

namespace dm {

/// `-machine xenpv`: emulates no machine. A PV domain, such as a stub domain, gets its consoles,
/// and the disks that the host's kernel does not serve. Returns when the domain is gone or a signal
/// came. An error is one of the start, and nothing is left behind. A console in a file may write at
/// most `console_limit` bytes (0: no limit). libxl has chosen that file and nobody has asked for
/// it, so the domain must not fill dom0's disk.
[[nodiscard]] Result<> serve_pv_domain(const MachineConfig& config, std::uint64_t console_limit);

}  // namespace dm
