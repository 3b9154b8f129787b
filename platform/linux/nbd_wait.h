// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/nbd_library.h"

#include <chrono>

// Thread rule: the thread that uses the handle.

namespace dm::host {

/// Nothing more comes from the server, for whatever reason.
[[nodiscard]] bool has_ended(const NbdLibrary& library, nbd_handle* handle) noexcept;

/// Sleeps until the server of `handle`'s connection can be spoken to, and does that. False when
/// nothing could be done until `end`; libnbd keeps what went wrong otherwise.
[[nodiscard]] bool wait_for_server(const NbdLibrary& library,
                                   nbd_handle* handle,
                                   std::chrono::steady_clock::time_point end) noexcept;

}  // namespace dm::host
