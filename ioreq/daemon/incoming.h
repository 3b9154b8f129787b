// SPDX-License-Identifier: MIT
#pragma once

#include "core/addr.h"
#include "core/ports/unplug.h"
#include "core/result.h"
#include "ioreq/machine/machine.h"
#include "platform/linux/unique_fd.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace dm {

/// Takes over the descriptor of -incoming fd:F. Call it before anything else is opened: a number
/// that nobody has passed would soon be that of a file of ours. Fails with one line.
[[nodiscard]] Result<host::UniqueFd> adopt_incoming(int fd);

/// Two times this is less than the 60 s that libxl waits for a device model (libxl_internal.h,
/// LIBXL_DEVICE_MODEL_START_TIMEOUT).
inline constexpr std::chrono::milliseconds kIncomingPatience{20'000};

/// A saved guest that is to go on here.
struct Incoming {
  std::vector<std::byte> state;  ///< as Machine::save() gave it; hostile
  UnplugRequest gone;        ///< what it has unplugged: the images of these disks are not opened
  std::optional<Gpa> video;  ///< where its video memory lies, if it has a graphics card
};

/// Reads the state of a saved guest from `fd` (-incoming fd:F), before anything of the guest is
/// touched. `fd` stays open. A file may have several states, one for each save: the last one is
/// taken. Other bytes behind it are left unread. A console (-incoming of a stub domain) has one
/// state and no end. Fails with one line that says what to do; also when who writes has kept us
/// waiting for `patience`, for the header or for the rest.
[[nodiscard]] Result<Incoming> read_incoming(
    int fd, std::chrono::milliseconds patience = kIncomingPatience);

/// Loads it into a machine that has not served a request yet. The machine is paused then. Fails as
/// read_incoming().
[[nodiscard]] Result<> load_incoming(const Incoming& saved, Machine& machine);

}  // namespace dm
