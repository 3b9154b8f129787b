// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>

namespace dm {

/// Port to the host's readiness: here the serving thread sleeps. Thread rule: the loop's thread
/// only.
class EventLoop {
 public:
  EventLoop() = default;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  virtual ~EventLoop() = default;

  /// Sleeps until a request event is pending, until a back end or a management client has something
  /// (its handlers have run on return), or until `timeout` is over (none: for ever). True when a
  /// request event is pending. Costs one system call when only requests come.
  virtual bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept = 0;
  /// Runs the handlers of back ends and clients that have something, without sleeping.
  virtual void poll() noexcept = 0;
};

}  // namespace dm
