// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace dm {

/// Time as devices see it: nanoseconds since the guest's power-on, standing still while the guest
/// is stopped.
struct GuestClock {
  using rep = std::chrono::nanoseconds::rep;
  using period = std::chrono::nanoseconds::period;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<GuestClock>;
  static constexpr bool is_steady = true;
};
using GuestTime = GuestClock::time_point;

/// Port to the host's clock.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  [[nodiscard]] virtual GuestTime now() const noexcept = 0;
};

}  // namespace dm
