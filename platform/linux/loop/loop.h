// SPDX-License-Identifier: MIT
#pragma once

#include "core/time/work.h"
#include "platform/linux/unique_fd.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace dm::host {

/// Where the process waits: an epoll set of our own with the hot descriptor (event channels) and,
/// nested, the one of Asio, which runs everything else. So the way of a guest's request has no Asio
/// in it: no re-arming epoll_ctl, no second epoll_wait.
///
///     serve the slots; run deferred work; look at the slots; loop.wait(until the next timer)
///
/// While it spins, the caller polls now and then (once in a millisecond will do), for input and
/// buffered output.
///
/// Every backend made with context() must be destroyed before the Loop. Asio here is unlocked
/// (CONCURRENCY_HINT_UNSAFE): no other thread may touch context(), post() included; threads report
/// over an eventfd. Use Alarm, not Asio's timers, where idle must be silent: once an Asio timer has
/// run, Asio wakes up every five minutes for good. Thread rule: the thread that made it.
class Loop {
 public:
  struct Counters {
    std::uint64_t sleeps = 0;    ///< calls of epoll_pwait2
    std::uint64_t wakeups = 0;   ///< of them, ended by a descriptor
    std::uint64_t handlers = 0;  ///< Asio handlers run
  };

  /// Throws boost::system::system_error: start-up only.
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() = default;

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

  /// A descriptor whose readiness ends wait(); level-triggered, never read here. Throws
  /// boost::system::system_error.
  void add(int fd);
  void remove(int fd) noexcept;

  /// Sleeps until a hot descriptor is readable, Asio has something (its handlers have run on
  /// return), or `timeout` is over (none: for ever). Where there is a turn to end or a handler
  /// queued, does that and returns without sleeping: it may have changed what the caller waits for.
  /// True when a hot descriptor is known to be readable.
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept;

  /// Ends the turn and asks Asio once, without sleeping. True when there is more to run.
  bool poll() noexcept;

  /// Ends the turn only: sends what is buffered, tells clients. No system call of its own.
  void end_turn() noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  /// Handlers run before the slots are looked at again, so that no peer's chatter starves a vCPU.
  static constexpr unsigned kHandlersPerTurn = 16;

  bool run_handlers() noexcept;
  bool mark_end_of_turn() noexcept {
    turn_over_ = true;
    return false;
  }
  int sleep(struct epoll_event* events,
            int capacity,
            std::optional<std::chrono::nanoseconds> timeout) noexcept;

  boost::asio::io_context context_;
  /// Without it a context that has nothing to do stops itself.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  WorkQueue& turn_queue_;
  Work end_of_turn_;  ///< queued behind what this turn has to do
  bool turn_over_ = false;
  UniqueFd set_;
  bool has_pwait2_ = true;
  Counters counters_;
};

}  // namespace dm::host
