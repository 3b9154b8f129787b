// SPDX-License-Identifier: MIT
#include "ioreq/poller.h"

#include "core/obs/probe.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

namespace dm::ioreq {

namespace {
/// Between two looks at the clock while spinning: some 1-2 us.
constexpr unsigned kPausesPerLook = 32;
}  // namespace

bool Poller::run() noexcept {
  looked_ = polled_ = policy_.now();
  while (!stopping_) {
    if (!turn()) {
      return false;
    }
  }
  return true;
}

bool Poller::turn() noexcept {
  pulse_.beat();
  if (server_.serve_ready() != 0) {
    served();
    return true;
  }
  if (work_.run_one()) {
    keep_house(look());
    return true;
  }
  run_timers();
  if (!work_.empty()) {
    return true;
  }
  if (spinning_pays() && spin()) {
    return true;
  }
  return sleep();
}

Poller::HostTime Poller::look() noexcept {
  const HostTime now = policy_.now();
  counters_.longest_stall =
      std::max<std::chrono::nanoseconds>(counters_.longest_stall, now - looked_);
  looked_ = now;
  return now;
}

void Poller::served() noexcept {
  // Every served request has raised an event, which stays unread (and its channel masked) until we
  // sleep.
  events_unread_ = true;
  const HostTime now = look();
  note_gap(now - last_request_ <= policy_.limit);
  last_request_ = now;
  slept_ = false;
  keep_house(now);
}

void Poller::run_timers() noexcept {
  if (!timers_paused_) {
    timers_.run_due();
  }
}

void Poller::keep_house(HostTime now) noexcept {
  if (++since_poll_ >= bounds::kRequestsPerHostPoll || now - polled_ >= bounds::kHostPoll) {
    since_poll_ = 0;
    polled_ = now;
    events_.poll();
    run_timers();
    work_.meter().end_other();
    work_.run_one();
  }
}

bool Poller::spinning_pays() const noexcept {
  if (slept_ || policy_.mode == SpinPolicy::Mode::off) {
    return false;
  }
  if (policy_.mode == SpinPolicy::Mode::always) {
    return true;
  }
  return policy_.cpus > 1 && std::popcount(short_gaps_) * 2 >= static_cast<int>(kGapHistory);
}

bool Poller::spin() noexcept {
  const HostTime deadline = last_request_ + policy_.limit;
  do {
    for (unsigned i = 0; i < kPausesPerLook; ++i) {
      if (server_.any_ready()) {
        ++counters_.spins_won;
        return true;
      }
      _mm_pause();
    }
    looked_ = policy_.now();  // all the while
  } while (looked_ < deadline);
  ++counters_.spins_lost;
  return false;
}

bool Poller::sleep() noexcept {
  if (events_unread_) {
    if (!port_.acknowledge()) {
      return false;
    }
    events_unread_ = false;
    if (server_.any_ready()) {
      return true;
    }
  }
  std::optional<std::chrono::nanoseconds> timeout;
  if (const auto deadline = timers_.next_deadline(); deadline && !timers_paused_) {
    timeout = std::max(*deadline - timers_.now(), std::chrono::nanoseconds{0});
  }
  ++counters_.sleeps;
  since_poll_ = 0;
  slept_ = true;  // spin again only after the next request
  DM_PROBE1(sleep, timeout ? timeout->count() : -1);
  events_unread_ = events_.wait(timeout);
  work_.meter().end_other();
  looked_ = polled_ = policy_.now();
  DM_PROBE1(wake, events_unread_);
  return true;
}

}  // namespace dm::ioreq
