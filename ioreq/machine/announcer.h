// SPDX-License-Identifier: MIT
#pragma once

#include "core/time/timer.h"

#include <cstddef>

namespace dm {

class Machine;

/// Tells the host's network of a guest that has come from elsewhere: at once and four times more,
/// further and further apart, since a bridge may not forward yet. Thread rule: the loop's thread
/// only. Source: the delays of QEMU 7.2, net/announce.c.
class Announcer {
 public:
  Announcer(Machine& machine, TimerQueue& timers) noexcept;

  void start() noexcept;

 private:
  void announce() noexcept;

  Machine& machine_;
  Timer timer_;
  std::size_t round_ = 0;
};

}  // namespace dm
