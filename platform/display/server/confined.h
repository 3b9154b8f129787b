// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstdint>

namespace dm::display {

/// Gives up everything that a viewer's bytes could use, before the first of them is read: user,
/// capabilities, root directory, networks, and all system calls but some 25 on what is open. There
/// is no ioctl, no open, no socket, and no memory that becomes writable or executable. A process
/// that was not started by root keeps its user and its root directory. Thread rule: start-up, while
/// the process has one thread.
[[nodiscard]] Result<> confine_display(std::uint32_t domid);

}  // namespace dm::display
