// SPDX-License-Identifier: MIT
#pragma once

#include "core/device.h"
#include "ioreq/machine/machine_state.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dm {

/// Which devices a saved state has and this machine has not, and the other way round: one text for
/// each setting of xl.cfg that differs. Empty: the same devices. The names in the state are
/// hostile; the texts are printable. Allocates.
[[nodiscard]] std::vector<std::string> different_devices(
    std::span<const SavedDevice> saved, std::span<const std::unique_ptr<Device>> here);

}  // namespace dm
