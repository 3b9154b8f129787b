// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/unique_fd.h"

namespace dm::toolstack {

using host::UniqueFd;

}  // namespace dm::toolstack
