// SPDX-License-Identifier: MIT
#pragma once

namespace dm {

/// Port to the guest's time. QMP's stop and cont stop and start it. Both members are idempotent.
/// Thread rule: the loop's thread only.
class ClockSwitch {
 public:
  ClockSwitch() = default;
  ClockSwitch(const ClockSwitch&) = delete;
  ClockSwitch& operator=(const ClockSwitch&) = delete;
  virtual ~ClockSwitch() = default;

  virtual void pause() noexcept = 0;
  virtual void resume() noexcept = 0;
};

}  // namespace dm
