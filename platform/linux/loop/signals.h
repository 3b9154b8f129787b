// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"

#include <initializer_list>

namespace dm::host {

/// Turns signals into calls from the loop. The signals are blocked in this thread and read from a
/// signalfd, so make this object before any other thread. Nothing runs in a signal handler. When
/// the object goes, the mask stays as it is. Thread rule: the loop's thread only. Source:
/// signalfd(2).
class SignalWatch {
 public:
  /// Throws boost::system::system_error: start-up only.
  SignalWatch(Loop& loop, std::initializer_list<int> signals, Callback arrived);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch() = default;

  [[nodiscard]] int last() const noexcept { return last_; }  ///< for the callback: which one

 private:
  void on_readable() noexcept;

  Callback arrived_;
  Watch signals_;
  int last_ = 0;
};

/// Makes write() fail with EPIPE or EFBIG instead of ending the process: a peer that hangs up, and
/// a file that reaches RLIMIT_FSIZE (libxl sets 256 KiB with dm_restrict=1), are ordinary events
/// here. open_chardev and open_disk call it.
void ignore_write_signals() noexcept;

}  // namespace dm::host
