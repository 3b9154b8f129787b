// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"

namespace dm::host {

/// Tells that the other side of a descriptor has gone, once for each watch(), and independent of
/// reading and writing. A Watch cannot do this. Asked about input, it answers while there is any,
/// so a device without room must not ask. Asked about room, it takes a hang-up for room. And of a
/// TCP peer that has closed, it says only "readable".
///
/// It has its own epoll set, in which the descriptor waits only for its end (EPOLLRDHUP, EPOLLHUP,
/// EPOLLERR), once (EPOLLONESHOT). So bytes that come and go cost nothing here, and an end is not
/// told twice. Thread rule: the loop's thread only; the callback comes from the loop, not from
/// watch(). Source: epoll_ctl(2).
class HangUpWatch {
 public:
  enum class End : unsigned char {
    either_way,  ///< a peer that will send no more has gone: TCP knows no other sign
    both_ways,   ///< only what can take no more has gone
  };

  /// Makes its epoll set now, so that it needs no descriptor later. Without the set it never tells
  /// anything.
  HangUpWatch(Loop& loop, Callback gone);
  HangUpWatch(const HangUpWatch&) = delete;
  HangUpWatch& operator=(const HangUpWatch&) = delete;
  ~HangUpWatch() = default;

  [[nodiscard]] bool ok() const noexcept { return set_.ok(); }
  /// Watches this descriptor from now on, instead of the one before. A descriptor that cannot be
  /// waited for (a regular file) never goes.
  void watch(int fd, End end) noexcept;
  /// Call it before the descriptor is closed or given away.
  void stop() noexcept;

 private:
  void on_event() noexcept;

  Callback gone_;
  Watch set_;
  int fd_ = -1;
};

/// The state of a descriptor now, by one system call.
struct Readiness {
  bool gone = false;
  bool writable = false;  ///< and not gone
};
[[nodiscard]] Readiness ask(int fd, HangUpWatch::End end) noexcept;

}  // namespace dm::host
