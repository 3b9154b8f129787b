// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"

namespace dm::host {

/// Tells that the other side of a descriptor has gone, once for each watch(), and whether or not
/// somebody wants to read or to write. A Watch cannot: asked about input it answers while there is
/// any, so who has no room for it must not ask; asked about room it takes a hang-up for room; and
/// of a TCP peer that has closed it says nothing but "readable".
///
/// An epoll set of its own, in which the descriptor stands for its end alone (EPOLLRDHUP, EPOLLHUP,
/// EPOLLERR) and once (EPOLLONESHOT): bytes that come and go cost nothing here, and an end that has
/// been told is not told again. Thread rule: the loop's thread only; the callback comes from the
/// loop, not from watch().
class HangUpWatch {
 public:
  enum class End : unsigned char {
    either_way,  ///< a peer that will send no more has gone: TCP knows no other sign
    both_ways,   ///< only what can take no more has gone
  };

  /// Makes its epoll set, so that nothing is to be had later; without one it never tells anything.
  HangUpWatch(Loop& loop, Callback gone);
  HangUpWatch(const HangUpWatch&) = delete;
  HangUpWatch& operator=(const HangUpWatch&) = delete;
  ~HangUpWatch() = default;

  [[nodiscard]] bool ok() const noexcept { return set_.ok(); }
  /// From now on, in the place of what was watched before. What cannot be waited for (a regular
  /// file) never goes.
  void watch(int fd, End end) noexcept;
  /// Before the descriptor is closed or given away.
  void stop() noexcept;

 private:
  void on_event() noexcept;

  Callback gone_;
  Watch set_;
  int fd_ = -1;
};

/// What can be said of a descriptor now, by one system call.
struct Readiness {
  bool gone = false;
  bool writable = false;  ///< and not gone
};
[[nodiscard]] Readiness ask(int fd, HangUpWatch::End end) noexcept;

}  // namespace dm::host
