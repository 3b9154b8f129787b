// SPDX-License-Identifier: MIT
#include "platform/display/listeners.h"

#include "platform/linux/error_text.h"
#include "platform/linux/inet_address.h"
#include "platform/linux/listen_socket.h"
#include "platform/linux/nap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>

namespace dm::display {

namespace {

constexpr unsigned kFirstPort = 5900;  // RFC 6143, 5
constexpr unsigned kMostPort = 65535;
/// That wait for the supervisor, which takes them at once.
constexpr int kWaiting = 8;
/// A guest that reboots gets a new device model while the one before may be about to end.
constexpr std::chrono::milliseconds kPredecessor{1500};

/// A socket that listens there, or none with errno.
[[nodiscard]] host::UniqueFd listen_at(const host::SocketAddress& address) noexcept {
  host::UniqueFd made{
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int on = 1;
  if (!made || ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(made.get(), address.get(), address.size) != 0 || ::listen(made.get(), kWaiting) != 0) {
    made.reset();
  }
  return made;
}

[[nodiscard]] Result<Listeners> listen_on_path(const VncConfig& vnc) {
  auto socket = host::ListenSocket::make(
      vnc.path, kWaiting,
      {.advice = "; end it, or write another path into vnclisten", .patience = kPredecessor});
  if (!socket) {
    return fail("vnc: ", socket.error().message);
  }
  Listeners result;
  result.service = vnc.path;
  result.path = vnc.path;
  result.viewers = host::UniqueFd{socket->release()};
  // The file outlives this object: the supervisor removes it.
  socket->keep_file();
  return result;
}

/// What the kernel says of it: the port may have been chosen there.
void name_it(Listeners& listeners) {
  host::SocketAddress address;
  address.size = sizeof address.storage;
  std::array<char, INET6_ADDRSTRLEN> host{};
  auto* const at = static_cast<sockaddr*>(static_cast<void*>(&address.storage));
  if (::getsockname(listeners.viewers.get(), at, &address.size) != 0) {
    return;
  }
  std::uint16_t port = 0;
  if (address.storage.ss_family == AF_INET6) {
    const auto* const v6 = static_cast<const sockaddr_in6*>(static_cast<const void*>(at));
    static_cast<void>(::inet_ntop(AF_INET6, &v6->sin6_addr, host.data(), host.size()));
    port = v6->sin6_port;
  } else {
    const auto* const v4 = static_cast<const sockaddr_in*>(static_cast<const void*>(at));
    static_cast<void>(::inet_ntop(AF_INET, &v4->sin_addr, host.data(), host.size()));
    port = v4->sin_port;
  }
  listeners.host = host.data();
  listeners.service = std::to_string(ntohs(port));
}

[[nodiscard]] std::string shown(const std::string& host) {
  return host.empty() ? "0.0.0.0" : host;
}

[[nodiscard]] Result<host::UniqueFd> listen_for_browsers(const VncConfig& vnc, unsigned display) {
  constexpr unsigned kFirstBrowserPort = 5700;
  const unsigned port = *vnc.websocket != 0 ? *vnc.websocket : kFirstBrowserPort + display;
  const auto address = host::inet_address(vnc.host, static_cast<std::uint16_t>(port));
  auto socket = address ? listen_at(*address) : host::UniqueFd{};
  if (!socket) {
    return fail("vnc: cannot listen for WebSockets at ", shown(vnc.host), ", port ",
                std::to_string(port), ": ", host::error_text(errno),
                "; write another websocket=PORT into vnclisten");
  }
  return socket;
}

}  // namespace

Result<Listeners> listen_for_viewers(const VncConfig& vnc) {
  if (!vnc.path.empty()) {
    return listen_on_path(vnc);
  }
  Listeners result;
  const unsigned last = vnc.last.value_or(vnc.display);
  const auto patience = std::chrono::steady_clock::now() + kPredecessor;
  unsigned display = vnc.display;
  while (!result.viewers) {
    const auto address =
        host::inet_address(vnc.host, static_cast<std::uint16_t>(kFirstPort + display));
    if (!address) {
      return fail("vnc: '", vnc.host,
                  "' is no address: write it in numbers, as in vnclisten=\"192.0.2.1\"");
    }
    result.viewers = listen_at(*address);
    if (result.viewers || errno != EADDRINUSE) {
      break;
    }
    if (display < last && kFirstPort + display < kMostPort) {
      ++display;
    } else if (!vnc.last && std::chrono::steady_clock::now() < patience) {
      host::nap(std::chrono::milliseconds{100});
    } else {
      break;
    }
  }
  if (!result.viewers) {
    return fail("vnc: cannot listen at ", shown(vnc.host), ", display ",
                std::to_string(vnc.display),
                last != vnc.display ? " to " + std::to_string(last) : std::string{}, ": ",
                host::error_text(errno),
                "; write another vncdisplay or vnclisten, or vnc=0 for a guest without a screen");
  }
  name_it(result);
  if (vnc.websocket) {
    auto browsers = listen_for_browsers(vnc, display);
    if (!browsers) {
      return browsers.error();
    }
    result.browsers = std::move(*browsers);
  }
  return result;
}

}  // namespace dm::display
