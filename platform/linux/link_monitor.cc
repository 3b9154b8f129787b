// SPDX-License-Identifier: MIT
#include "platform/linux/link_monitor.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace dm::host {

namespace {

UniqueFd open_link_events() noexcept {
  UniqueFd socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)};
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return UniqueFd{};
  }
  return socket;
}

}  // namespace

LinkMonitor::LinkMonitor(boost::asio::io_context& context,
                         const std::string& interface,
                         Callback changed)
    : index_{interface.empty() ? 0 : ::if_nametoindex(interface.c_str())}, changed_{changed} {
  if (index_ == 0) {
    return;
  }
  UniqueFd events = open_link_events();
  if (!events) {
    return;
  }
  watch_ = Watch{context, std::move(events), Callback::bind<&LinkMonitor::on_readable>(*this)};
  watch_.await_readable();
  up_ = interface_is_up();
}

/// By its number, since libxl's hotplug scripts rename interfaces. Any socket can be asked, and a
/// process that filters its system calls makes no new ones.
bool LinkMonitor::interface_is_up() const noexcept {
  ifreq request{};
  request.ifr_ifindex = static_cast<int>(index_);
  return ::ioctl(watch_.fd(), SIOCGIFNAME, &request) == 0 &&
         ::ioctl(watch_.fd(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

/// What the messages say is not looked at: any of them, or their loss, is a reason to look anew.
void LinkMonitor::on_readable() noexcept {
  std::array<char, 4096> message;
  constexpr int kPerTurn = 16;
  for (int i = 0; i<kPerTurn&& ::recv(watch_.fd(), message.data(), message.size(), 0)> 0; ++i) {
  }
  watch_.await_readable();
  if (const bool now = interface_is_up(); now != up_) {
    up_ = now;
    changed_();
  }
}

}  // namespace dm::host
