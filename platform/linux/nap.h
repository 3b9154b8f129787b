// SPDX-License-Identifier: MIT
// A short sleep, for what can only be looked at again.
#pragma once

#include <poll.h>

#include <chrono>

namespace dm::host {

/// Sleeps for at most that time: a signal ends it early. It uses `poll`, which the system-call
/// filter allows anyway (syscall_filter.cc), so a stub domain's process needs no other call for
/// sleeping.
inline void nap(std::chrono::milliseconds length) noexcept {
  static_cast<void>(::poll(nullptr, 0, static_cast<int>(length.count())));
}

}  // namespace dm::host
