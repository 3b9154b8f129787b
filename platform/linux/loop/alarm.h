// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"

#include <chrono>

namespace dm::host {

/// One timer on the host's clock, for a back end's own needs (a peer that stalls), not for guest
/// time. It costs a descriptor from its first use on, and nothing while it is not armed; Asio's
/// timers would wake the process every five minutes. Thread rule: the loop's thread only; the
/// callback comes from the loop. Source: timerfd_create(2).
class Alarm {
 public:
  Alarm(Loop& loop, Callback fire) noexcept : loop_{loop}, fire_{fire} {}
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() = default;

  /// Opens the descriptor now, for an alarm that must work when no descriptor is left later. False:
  /// there is none now.
  bool prepare() noexcept;
  /// Arms the timer, or moves it if it is armed. False when the host has no descriptor left: it
  /// will not fire.
  bool arm(std::chrono::nanoseconds delay) noexcept;
  void cancel() noexcept;
  [[nodiscard]] bool armed() const noexcept { return armed_; }

 private:
  void on_expired() noexcept;

  Loop& loop_;
  Callback fire_;
  Watch timer_;
  bool armed_ = false;
};

}  // namespace dm::host
