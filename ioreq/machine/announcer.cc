// SPDX-License-Identifier: MIT
#include "ioreq/machine/announcer.h"

#include "ioreq/machine/machine.h"

#include <array>
#include <chrono>

namespace dm {

namespace {

using std::chrono::milliseconds;
constexpr std::array kPauses{milliseconds{50}, milliseconds{150}, milliseconds{250},
                             milliseconds{350}};

}  // namespace

Announcer::Announcer(Machine& machine, TimerQueue& timers) noexcept
    : machine_{machine}, timer_{Timer::bind<&Announcer::announce>(timers, *this)} {}

void Announcer::start() noexcept {
  round_ = 0;
  announce();
}

void Announcer::announce() noexcept {
  for (const auto& device : machine_.devices()) {
    device->announce();
  }
  if (round_ < kPauses.size()) {
    timer_.arm_in(kPauses[round_]);
    ++round_;
  }
}

}  // namespace dm
