// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace dm::host {

/// PV devices of a stub domain. Its kernel makes them when their back ends in dom0 have connected,
/// which may be a moment after our start; libxl gives the whole start 30 s. Thread rule: start-up
/// only.

using Deadline = std::chrono::steady_clock::time_point;

/// Waits until the disk is there and has a size.
[[nodiscard]] Result<> await_disk(const std::string& path, Deadline until);

/// The name of the interface with this address; of several with the same one, the `number`th in the
/// order of their making (0 is the first). libxl gives the stub domain's interface the address of
/// the guest's card, so another one would be on another network.
[[nodiscard]] Result<std::string> await_interface(const std::array<std::uint8_t, 6>& mac,
                                                  std::size_t number,
                                                  Deadline until);

/// Sets the interface up, without ARP, so that it sends nothing of its own. It has no addresses.
[[nodiscard]] Result<> bring_up(const std::string& interface);

}  // namespace dm::host
