// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace dm::host {

/// Any address of a socket, with its size.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const noexcept {
    return static_cast<const sockaddr*>(static_cast<const void*>(&storage));
  }
};

/// An address in numbers, of IPv4 or IPv6, or "localhost", or nothing for all addresses of IPv4.
/// Names are not looked up: a resolver would block, start threads and, in a static program, want
/// the host's own libraries. No system call.
[[nodiscard]] std::optional<SocketAddress> inet_address(const std::string& host,
                                                        std::uint16_t port);

}  // namespace dm::host
