// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "ioreq/machine/machine_state.h"

#include <cstddef>
#include <span>
#include <vector>

namespace dm {

/// Format 1 of a saved state, which had a field for each device that there was then (2026). Its
/// fields as what these devices say today. Hostile bytes in; one message when they are not
/// well-formed.
[[nodiscard]] Result<std::vector<SavedDevice>> read_format_1(std::span<const std::byte> fields);

}  // namespace dm
