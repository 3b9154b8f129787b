// SPDX-License-Identifier: MIT
#include "platform/linux/net/link_monitor.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <iterator>

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

LinkMonitor::LinkMonitor(Loop& loop,
                         const std::string& interface,
                         Callback changed,
                         Successor successor)
    : interface_{interface},
      successor_{successor},
      index_{interface.empty() ? 0 : static_cast<int>(::if_nametoindex(interface.c_str()))},
      changed_{changed} {
  if (interface.empty()) {
    return;
  }
  UniqueFd events = open_link_events();
  if (!events) {
    return;
  }
  watch_ = Watch{loop, std::move(events), Callback::bind<&LinkMonitor::on_readable>(*this)};
  watch_.await_readable();
  up_ = interface_is_up();
}

/// By its number, since libxl's hotplug scripts rename interfaces. Any socket can be asked, and a
/// process that filters its system calls makes no new ones.
bool LinkMonitor::interface_is_up() noexcept {
  ifreq request{};
  request.ifr_ifindex = index_;
  if (::ioctl(watch_.fd(), SIOCGIFNAME, &request) != 0) {
    if (!find_successor()) {
      return false;
    }
    request = {};
    interface_.copy(std::begin(request.ifr_name), sizeof request.ifr_name - 1);
  }
  return ::ioctl(watch_.fd(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

bool LinkMonitor::find_successor() noexcept {
  ifreq request{};
  interface_.copy(std::begin(request.ifr_name), sizeof request.ifr_name - 1);
  if (successor_ != Successor::the_same || ::ioctl(watch_.fd(), SIOCGIFINDEX, &request) != 0) {
    return false;
  }
  index_ = request.ifr_ifindex;
  return true;
}

/// What the messages say is not looked at: any of them, or their loss (ENOBUFS), is a reason to
/// look anew. A successor that is up is news although the one before it was up, too.
void LinkMonitor::on_readable() noexcept {
  std::array<char, 4096> message;
  constexpr int kPerTurn = 16;
  ssize_t got = 1;
  errno = 0;
  for (int i = 0; i < kPerTurn && (got > 0 || errno == ENOBUFS || errno == EINTR); ++i) {
    got = ::recv(watch_.fd(), message.data(), message.size(), 0);
  }
  // A socket that is broken for good would be readable for ever.
  if (got > 0 || errno == EAGAIN || errno == ENOBUFS || errno == EINTR) {
    watch_.await_readable();
  }
  const int before = index_;
  if (const bool now = interface_is_up(); now != up_ || (now && index_ != before)) {
    up_ = now;
    changed_();
  }
}

}  // namespace dm::host
