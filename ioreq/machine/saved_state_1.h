// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "ioreq/machine/machine_state.h"

#include <cstddef>
#include <span>
#include <vector>

namespace dm {

/// Format 1 of a saved state. It had a field for each device that existed then (2026). This reads
/// hostile bytes and returns its fields in the form of today's devices, or one message when they
/// are not well-formed.
[[nodiscard]] Result<std::vector<SavedDevice>> read_format_1(std::span<const std::byte> fields);

}  // namespace dm
