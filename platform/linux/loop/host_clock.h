// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/clock_switch.h"
#include "core/time/guest_time.h"

#include <chrono>

namespace dm::host {

/// Guest time from the host's CLOCK_MONOTONIC: it starts at `start` and runs until it is paused.
/// The times of two guests, or of one guest before and after a migration, have only the rate in
/// common. Thread rule: the loop's thread only.
class HostClock final : public Clock, public ClockSwitch {
 public:
  explicit HostClock(GuestTime start = {}) noexcept : base_{start}, since_{Steady::now()} {}

  [[nodiscard]] GuestTime now() const noexcept override {
    return paused_ ? base_ : base_ + (Steady::now() - since_);
  }
  void pause() noexcept override {
    base_ = now();
    paused_ = true;
  }
  void resume() noexcept override {
    if (paused_) {
      since_ = Steady::now();
      paused_ = false;
    }
  }
  [[nodiscard]] bool paused() const noexcept { return paused_; }

 private:
  using Steady = std::chrono::steady_clock;

  GuestTime base_;
  Steady::time_point since_;
  bool paused_ = false;
};

}  // namespace dm::host
