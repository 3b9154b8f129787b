// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"
#include "platform/toolstack/command_line.h"

namespace dm {

/// One device model for one guest, from the checked configuration to the end of the process.
class Daemon {
 public:
  /// What this build can serve.
  [[nodiscard]] static constexpr toolstack::Capabilities capabilities() noexcept {
    return {.e1000 = true, .cdrom = true, .restore = false};
  }

  /// Returns when the guest is gone or a signal said so; an error is one of start-up, with nothing
  /// left behind.
  [[nodiscard]] static Result<> serve(const MachineConfig& config);
};

}  // namespace dm
