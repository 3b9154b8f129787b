// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

#include <cstdint>

namespace dm {

/// Where the device model runs.
enum class Home : std::uint8_t {
  dom0,         ///< a process among others, started by libxl
  stub_domain,  ///< the only program of a domain of its own; the calling process is number 1
};

/// One device model for one guest, from the checked configuration to the end of the process.
class Daemon {
 public:
  /// Serves the guest. Returns when the guest is gone or a signal came. An error is one of the
  /// start, and nothing is left behind. In a stub domain it returns in a child: the first process
  /// becomes the supervisor, and ends the domain when that child ends.
  [[nodiscard]] static Result<> serve(const MachineConfig& config, Home home = Home::dom0);
};

}  // namespace dm
