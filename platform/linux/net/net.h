// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/config/machine_config.h"
#include "core/result.h"
#include "platform/linux/loop/loop.h"

#include <memory>

namespace dm::host {

/// Opens the host's end of one card, as the toolstack named it: makes a tap, takes an open tap, or
/// shares an interface. `loop` outlives the result.
[[nodiscard]] Result<std::unique_ptr<NetBackend>> open_net(Loop& loop, const NicConfig& config);

}  // namespace dm::host
