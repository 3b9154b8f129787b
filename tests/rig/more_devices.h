// SPDX-License-Identifier: MIT
#pragma once

#include "core/device_ports.h"
#include "tests/example_device/echo.h"

#include <array>

namespace dm::rig {

/// What the machines of tests/unit/ioreq/daemon/conformance.cc and of the fuzz target `device` have
/// beside the product's devices: the place where tests/example_device is added.
inline constexpr std::array<DeviceMaker, 1> kMoreDevices{{
    &example::make_echo,
}};

}  // namespace dm::rig
