// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "ioreq/machine/machine.h"

#include <boost/json/object.hpp>

namespace dm {

/// Everything of a running machine that may help to find out what is going on: what was asked for,
/// what was answered, each device's registers, the last requests. Changes nothing; guests go on
/// meanwhile. Answers QMP's x-stubdm-inspect, and so `stubdm inspect DOMID`. Allocates; the loop's
/// thread.
[[nodiscard]] boost::json::object inspect(const Machine& machine, const MachineConfig& config);

}  // namespace dm
