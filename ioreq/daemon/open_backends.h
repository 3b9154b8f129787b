// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"
#include "ioreq/machine/machine.h"

#include <boost/asio/io_context.hpp>

namespace dm {

/// Opens images, serial ports and network interfaces, before the guest is touched: what is missing
/// ends the start with one message. `context` must be a Loop's and outlive the result.
[[nodiscard]] Result<Backends> open_backends(const MachineConfig& config,
                                             boost::asio::io_context& context);

}  // namespace dm
