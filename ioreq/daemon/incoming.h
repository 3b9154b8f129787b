// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "ioreq/machine/machine.h"
#include "platform/linux/unique_fd.h"

#include <chrono>

namespace dm {

/// Takes over the descriptor of -incoming fd:F. Call it before anything else is opened: a number
/// that nobody has passed would soon be that of a file of ours. Fails with one line.
[[nodiscard]] Result<host::UniqueFd> adopt_incoming(int fd);

/// Two times this is less than the 60 s that libxl waits for a device model (libxl_internal.h,
/// LIBXL_DEVICE_MODEL_START_TIMEOUT).
inline constexpr std::chrono::milliseconds kIncomingPatience{20'000};

/// Loads the state of a saved guest from `fd` (-incoming fd:F) into a machine that has not served a
/// request yet. The machine is paused then. `fd` stays open. A file may have several states, one
/// for each save: the last one is loaded. Other bytes behind it are left unread. A console
/// (-incoming of a stub domain) has one state and no end. Fails with one line that says what to do;
/// also when who writes has kept us waiting for `patience`, for the header or for the rest.
[[nodiscard]] Result<> load_incoming(int fd,
                                     Machine& machine,
                                     std::chrono::milliseconds patience = kIncomingPatience);

}  // namespace dm
