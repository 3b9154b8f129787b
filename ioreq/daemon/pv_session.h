// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

#include <cstdint>

namespace dm {

/// `-machine xenpv`: no machine is emulated; the domain, a PV one such as a stub domain, gets its
/// consoles, and disks that the host's kernel does not serve. Returns when the domain is gone or a
/// signal said so; an error is one of start-up, with nothing left behind. A console in a file gets
/// `console_limit` bytes at most (0: no limit), or the domain could fill dom0's disk: libxl has
/// chosen that file, nobody has asked for it.
[[nodiscard]] Result<> serve_pv_domain(const MachineConfig& config, std::uint64_t console_limit);

}  // namespace dm
