// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/config/machine_config.h"
#include "core/result.h"
#include "platform/linux/loop/loop.h"

#include <memory>

namespace dm::host {

/// The other end of one card's cable, as the toolstack named it: a tap to make, a tap somebody has
/// opened, an interface to share. `loop` outlives the result.
[[nodiscard]] Result<std::unique_ptr<NetBackend>> open_net(Loop& loop, const NicConfig& config);

}  // namespace dm::host
