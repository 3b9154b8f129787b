// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"

#include <cstdint>
#include <string>

namespace dm::host {

/// Tells whether a network interface of the host is up. Changes come from rtnetlink; while nothing
/// changes, it costs nothing. Thread rule: the loop's thread only; the callback comes from the
/// loop. Source: rtnetlink(7), netdevice(7).
class LinkMonitor {
 public:
  /// Says whether a new interface with the same name takes the place of one that has gone. For a
  /// tap it does not: only the owner of its descriptor can make a tap anew.
  enum class Successor : std::uint8_t { another, the_same };

  /// An empty name, or a host without rtnetlink: up, for ever.
  LinkMonitor(Loop& loop,
              const std::string& interface,
              Callback changed,
              Successor successor = Successor::another);
  LinkMonitor(const LinkMonitor&) = delete;
  LinkMonitor& operator=(const LinkMonitor&) = delete;
  ~LinkMonitor() = default;

  [[nodiscard]] bool up() const noexcept { return up_; }
  /// The kernel's number of the interface. Another one than before: it is a successor.
  [[nodiscard]] int index() const noexcept { return index_; }

 private:
  void on_readable() noexcept;
  [[nodiscard]] bool interface_is_up() noexcept;
  [[nodiscard]] bool find_successor() noexcept;

  std::string interface_;
  Successor successor_;
  int index_ = 0;
  Callback changed_;
  bool up_ = true;
  Watch watch_;
};

}  // namespace dm::host
