// SPDX-License-Identifier: MIT
#pragma once

#include "core/bounds.h"
#include "core/obs/pulse.h"
#include "core/ports/event_loop.h"
#include "core/ports/ioreq_port.h"
#include "core/time/timer.h"
#include "core/time/work.h"
#include "ioreq/server.h"

#include <chrono>
#include <cstdint>

namespace dm::ioreq {

/// Says when to spin for the next request before going to sleep. Spinning answers in a fraction of
/// a microsecond and needs no system call to wait, but it uses a CPU meanwhile.
struct SpinPolicy {
  enum class Mode : std::uint8_t {
    /// Spins while at least half of the last 16 requests came within `limit` of the one before, and
    /// more than one CPU is online.
    automatic,
    off,
    always,
  };
  Mode mode = Mode::automatic;
  std::chrono::nanoseconds limit{50'000};  ///< longest spin after a request
  unsigned cpus = 1;                       ///< online CPUs of this machine
  /// The host's clock; tests use their own.
  std::chrono::steady_clock::time_point (*now)() noexcept = []() noexcept {
    return std::chrono::steady_clock::now();
  };
};

/// The serving thread's loop: requests first, then one unit of deferred work, then timers, then
/// everything else. It spins a little when that pays, else it sleeps, without a wake-up of its own.
///
/// While the guest keeps the loop busy, it looks at everything else after 32 requests or units, or
/// after 1 ms, whichever comes first (core/bounds.h), and then also runs the timers that are due
/// and one unit of work. It reads the clock once for each request, because spinning needs it, and
/// once for each unit of work: 25 ns beside a system call or more.
///
/// Going to sleep: take all pending events, unmask them, look at every slot once more, wait. The
/// look finds a request that came before the unmasking. A request that comes after it raises an
/// event. It counts its rounds (`pulse`, which outlives it). Thread rule: the loop's thread
/// only; this is the loop.
class Poller {
 public:
  struct Counters {
    std::uint64_t sleeps = 0;
    std::uint64_t spins_won = 0;  ///< a request came while spinning
    std::uint64_t spins_lost = 0;
    /// The longest time between two looks at the request slots, sleep excepted: a request or a unit
    /// of work, and what back ends, clients and timers did meanwhile, with the unit after that.
    std::chrono::nanoseconds longest_stall{0};
  };

  Poller(Server& server,
         IoreqPort& port,
         EventLoop& events,
         TimerQueue& timers,
         WorkQueue& work,
         SpinPolicy policy,
         Pulse* pulse = nullptr) noexcept
      : server_{server},
        port_{port},
        events_{events},
        timers_{timers},
        work_{work},
        policy_{policy},
        pulse_{pulse != nullptr ? *pulse : own_pulse_},
        looked_{policy.now()},
        polled_{looked_} {}
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Runs until stop(). False when the guest is gone.
  bool run() noexcept;
  void stop() noexcept { stopping_ = true; }
  /// Between the two no timer fires, not even one that is due, and none ends a sleep: the guest's
  /// time stands still, so it would end every sleep. Idempotent.
  void pause_timers() noexcept { timers_paused_ = true; }
  void resume_timers() noexcept { timers_paused_ = false; }
  /// One round: serves requests, or runs a unit of work, or sleeps. False when the guest is gone.
  bool turn() noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  using HostTime = std::chrono::steady_clock::time_point;
  static constexpr unsigned kGapHistory = 16;

  void note_gap(bool was_short) noexcept {
    short_gaps_ = (short_gaps_ << 1U | (was_short ? 1U : 0U)) & ((1U << kGapHistory) - 1);
  }
  [[nodiscard]] bool spinning_pays() const noexcept;
  /// Reads the clock. Call it right before or after a look at the slots.
  HostTime look() noexcept;
  void served() noexcept;
  void run_timers() noexcept;
  /// Looks after disks, serial lines, management, timers and work now and then, so that a guest
  /// that never lets us sleep does not starve them.
  void keep_house(HostTime now) noexcept;
  /// True when a request came.
  [[nodiscard]] bool spin() noexcept;
  [[nodiscard]] bool sleep() noexcept;

  Server& server_;
  IoreqPort& port_;
  EventLoop& events_;
  TimerQueue& timers_;
  WorkQueue& work_;
  SpinPolicy policy_;
  Pulse own_pulse_;  ///< where nobody looks
  Pulse& pulse_;     ///< of the loop's rounds
  HostTime last_request_{};
  HostTime looked_;               ///< at the slots
  HostTime polled_;               ///< the host
  std::uint32_t short_gaps_ = 0;  ///< one bit for each of the last gaps, 1 = within the limit
  unsigned since_poll_ = 0;
  bool events_unread_ = true;  ///< there may be pending events that nobody has taken
  bool slept_ = false;
  bool timers_paused_ = false;
  bool stopping_ = false;
  Counters counters_;
};

}  // namespace dm::ioreq
