// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/obs/log.h"

#include <string>
#include <string_view>

namespace dm::toolstack {

/// "auto", "off" or "at most 20 us".
[[nodiscard]] std::string spin_text(const SpinConfig& spin);

/// Writes the log's first lines: one with version, domain and what the machine is made of; one with
/// what was accepted but has no effect, if there is anything.
void log_start(const MachineConfig& config);

/// Writes a message of several lines (an error of parse_command_line) as lines of the log, none of
/// them cut.
void log_lines(log::Level level, std::string_view message) noexcept;

}  // namespace dm::toolstack
