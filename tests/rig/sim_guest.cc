// SPDX-License-Identifier: MIT
#include "tests/rig/sim_guest.h"

namespace dm::rig {

namespace {
constexpr unsigned kMostUnits = 1'000'000;
}

SimGuest::SimGuest(Options options)
    : sim_memory_{options.ram},
      port_{options.vcpus},
      memory_{sim_memory_, options.limits, {.clock = &clock_, .meter = &work_.meter()}} {}

std::uint64_t SimGuest::send(const RawRequest& request, unsigned vcpu) {
  fill_slot(request, vcpu);
  server_.serve_ready();
  const std::uint64_t data = take_answer(vcpu);
  if (auto_work_) {
    run_work();
  }
  return data;
}

void SimGuest::advance(std::chrono::nanoseconds by) {
  // In steps from timer to timer, so that a timer which re-arms itself fires as often as it would.
  const GuestTime end = clock_.now() + by;
  for (auto next = timers_.next_deadline(); next && *next <= end; next = timers_.next_deadline()) {
    if (*next > clock_.now()) {
      clock_.set(*next);
    }
    timers_.run_due();
    if (auto_work_) {
      run_work();
    }
  }
  clock_.set(end);
}

void SimGuest::run_work() {
  for (unsigned unit = 0; work_.run_one(); ++unit) {
    if (unit == kMostUnits) {
      throw std::logic_error("deferred work has no end");
    }
  }
}

}  // namespace dm::rig
