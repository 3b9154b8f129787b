// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/pulse.h"
#include "core/time/work.h"
#include "platform/linux/unique_fd.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

struct epoll_event;

namespace boost::asio {
class io_context;
}

namespace dm::host {

/// The place where the process waits: an epoll set of our own. It contains the hot descriptor
/// (event channels) and Asio's epoll set, which runs everything else. So Asio is not on the way of
/// a guest's request: no re-arming epoll_ctl, no second epoll_wait.
///
///     serve the slots; run deferred work; look at the slots; loop.wait(until the next timer)
///
/// While the caller spins, it calls poll() now and then (once in a millisecond is enough), for
/// input and buffered output.
///
/// Only this directory includes Asio. All others ask for readiness with a Watch, for time with an
/// Alarm, and for the end of the turn with a Work in turn_queue(). Destroy all of these before the
/// Loop. Thread rule: only the thread that made the Loop. Other threads report over an eventfd,
/// because Asio has no locks here (CONCURRENCY_HINT_UNSAFE).
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
  ~Loop();

  /// Work for the end of the loop's turn: buffered output becomes one system call, ten changes of a
  /// line's speed become one, and clients are told of things outside their own calls. The loop runs
  /// it before it sleeps and whenever it looks at Asio.
  ///
  /// Why not boost::asio::post: it allocates in a request handler, and only a poll() runs it, which
  /// is one more epoll_wait in each turn. This queue costs no system call; the figures are in
  /// README.md.
  [[nodiscard]] WorkQueue& turn_queue() noexcept { return turn_queue_; }

  /// An object that a room keeps once for each loop, as disks keep their threads.
  class Part {
   public:
    Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    virtual ~Part() = default;
  };
  /// The loop's T. It is made as T{loop} at the first call and destroyed with the loop.
  template <class T>
  [[nodiscard]] T& part() {
    static constexpr char key = 0;  // its address tells one T from another
    Part* found = find_part(&key);
    if (found == nullptr) {
      found = &keep_part(&key, std::make_unique<T>(*this));
    }
    return static_cast<T&>(*found);
  }

  /// For this directory and its tests.
  [[nodiscard]] boost::asio::io_context& context() noexcept;

  /// Adds a hot descriptor: its readiness ends wait(). It is level-triggered and never read here.
  /// Throws boost::system::system_error.
  void add(int fd);
  void remove(int fd) noexcept;

  /// Sleeps until a hot descriptor is readable, until Asio has something (its handlers have run on
  /// return), or until `timeout` is over (none: for ever). If a turn has to be ended or a handler
  /// is queued, it does that and returns without sleeping, because this may have changed what the
  /// caller waits for. True when a hot descriptor is known to be readable.
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept;

  /// Ends the turn and asks Asio once, without sleeping. True when there is more to run.
  bool poll() noexcept;

  /// Somebody looks whether the loop comes round. `timer` is a timerfd that it arms for that; it
  /// stays the caller's. Both outlive the loop.
  void show(Pulse& pulse, int timer) noexcept {
    pulse_ = &pulse;
    pulse_timer_ = timer;
  }

  /// Only ends the turn: sends buffered output and tells clients. Makes no system call of its own.
  void end_turn() noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  /// Most handlers that run before the slots are looked at again, so that no peer can starve a
  /// vCPU.
  static constexpr unsigned kHandlersPerTurn = 16;

  bool run_handlers() noexcept;
  bool mark_end_of_turn() noexcept {
    turn_over_ = true;
    return false;
  }
  void wake() noexcept;
  int sleep(::epoll_event* events,
            int capacity,
            std::optional<std::chrono::nanoseconds> timeout) noexcept;

  struct Asio;
  struct KeptPart {
    const void* key;
    std::unique_ptr<Part> part;
  };
  [[nodiscard]] Part* find_part(const void* key) const noexcept;
  [[nodiscard]] Part& keep_part(const void* key, std::unique_ptr<Part> part);

  std::unique_ptr<Asio> asio_;
  WorkQueue turn_queue_;
  Work end_of_turn_;  ///< queued behind what this turn has to do
  bool turn_over_ = false;
  UniqueFd set_;
  bool has_pwait2_ = true;
  Pulse* pulse_ = nullptr;
  int pulse_timer_ = -1;
  Counters counters_;
  std::vector<KeptPart> parts_;  ///< the first to go
};

}  // namespace dm::host
