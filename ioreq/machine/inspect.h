// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "ioreq/machine/machine.h"

#include <boost/json/object.hpp>

namespace dm {

/// All of a running machine that may help to find out what is going on: its configuration, each
/// device's registers, counters, the last requests. Changes nothing; the guest goes on meanwhile.
/// This is the answer to QMP's x-stubdm-inspect, and so to `stubdm inspect DOMID`. Allocates.
/// Thread rule: the loop's thread only.
[[nodiscard]] boost::json::object inspect(const Machine& machine, const MachineConfig& config);

}  // namespace dm
