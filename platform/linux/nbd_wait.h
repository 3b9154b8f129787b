// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/nbd_library.h"

#include <chrono>

namespace dm::host {

/// Sleeps until the server of `handle`'s connection can be spoken to, and does that. False when
/// nothing could be done until `end`; libnbd keeps what went wrong otherwise. Thread rule: the one
/// that uses the handle.
[[nodiscard]] bool wait_for_server(const NbdLibrary& library,
                                   nbd_handle* handle,
                                   std::chrono::steady_clock::time_point end) noexcept;

}  // namespace dm::host
