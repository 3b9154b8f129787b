// SPDX-License-Identifier: MIT
#pragma once

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

/// Where the process waits: an epoll set of our own with the hot descriptor (event channels) and,
/// nested, the one of Asio, which runs everything else. So the way of a guest's request has no Asio
/// in it: no re-arming epoll_ctl, no second epoll_wait.
///
///     serve the slots; run deferred work; look at the slots; loop.wait(until the next timer)
///
/// While it spins, the caller polls now and then (once in a millisecond will do), for input and
/// buffered output.
///
/// Asio is seen in this directory alone. All others ask for readiness with a Watch, for time with
/// an Alarm, and for the end of the turn with a Work in turn_queue(); whatever they have of these
/// must be gone before the Loop is. Thread rule: the thread that made it. Other threads report over
/// an eventfd: Asio here has no locks (CONCURRENCY_HINT_UNSAFE).
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

  /// What is put off to the end of the loop's turn: buffered output becomes one system call, ten
  /// changes of a line's speed become one, and clients hear of things outside their own calls. The
  /// loop runs it before it sleeps and whenever it looks at Asio.
  ///
  /// Why not boost::asio::post: a post from a request handler allocates, and only a poll() runs it,
  /// which is an epoll_wait more in each turn. This queue costs no system call; the figures are in
  /// README.md.
  [[nodiscard]] WorkQueue& turn_queue() noexcept { return turn_queue_; }

  /// What others keep once for each loop, as disks keep their threads.
  class Part {
   public:
    Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    virtual ~Part() = default;
  };
  /// The loop's T, made as T{loop} when it is first asked for. It goes with the loop.
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
  Counters counters_;
  std::vector<KeptPart> parts_;  ///< the first to go
};

}  // namespace dm::host
