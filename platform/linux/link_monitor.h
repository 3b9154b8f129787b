// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/watch.h"

#include <boost/asio/io_context.hpp>

#include <string>

namespace dm::host {

/// Is a network interface of the host up? Hears of changes from rtnetlink; costs nothing while
/// nothing changes. Thread rule: the loop's thread only; the callback comes from the loop.
/// Source: rtnetlink(7), netdevice(7).
class LinkMonitor {
 public:
  /// An empty name, or a host without rtnetlink: up, for ever.
  LinkMonitor(boost::asio::io_context& context, const std::string& interface, Callback changed);
  LinkMonitor(const LinkMonitor&) = delete;
  LinkMonitor& operator=(const LinkMonitor&) = delete;
  ~LinkMonitor() = default;

  [[nodiscard]] bool up() const noexcept { return up_; }

 private:
  void on_readable() noexcept;
  [[nodiscard]] bool interface_is_up() const noexcept;

  unsigned index_ = 0;
  Callback changed_;
  bool up_ = true;
  Watch watch_;
};

}  // namespace dm::host
