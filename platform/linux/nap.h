// SPDX-License-Identifier: MIT
// A short sleep, for what can only be looked at again.
#pragma once

#include <poll.h>

#include <chrono>

namespace dm::host {

/// Sleeps for that long at most: a signal ends it early. By `poll` because the system-call filter
/// allows that anyway (syscall_filter.cc): so a stub domain's process needs no call for sleeping.
inline void nap(std::chrono::milliseconds length) noexcept {
  static_cast<void>(::poll(nullptr, 0, static_cast<int>(length.count())));
}

}  // namespace dm::host
