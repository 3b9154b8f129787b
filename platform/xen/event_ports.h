// SPDX-License-Identifier: MIT
#pragma once

#include "platform/xen/c_api.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dm::xen {

/// Reads the pending ports, as many as fit into `ports`, and unmasks them with one write. The
/// kernel hands out 32-bit port numbers and takes any number of them back (Linux:
/// drivers/xen/evtchn.c). `descriptor`, of /dev/xen/evtchn, is non-blocking. Returns the number of
/// ports, or nothing when the descriptor is not usable any more.
[[nodiscard]] std::optional<std::size_t> take_events(int descriptor,
                                                     std::span<evtchn_port_t> ports) noexcept;

}  // namespace dm::xen
