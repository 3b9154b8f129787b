// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

namespace dm::host {

/// The address of the unix socket at `path` (unix(7)): 1 to 107 bytes, since one is for the final
/// zero. None when the length does not fit, or when there is a zero inside, which would make it an
/// abstract name or cut the path.
[[nodiscard]] inline std::optional<sockaddr_un> unix_address(std::string_view path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path ||
      path.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::ranges::copy(path, std::begin(address.sun_path));
  return address;
}

/// The sockets API takes every type of address through this one.
[[nodiscard]] inline const sockaddr* generic(const sockaddr_un& address) noexcept {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace dm::host
