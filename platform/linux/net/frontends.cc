// SPDX-License-Identifier: MIT
#include "platform/linux/net/frontends.h"

#include "platform/linux/error_text.h"
#include "platform/linux/nap.h"
#include "platform/linux/unique_fd.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace dm::host {

namespace {

constexpr std::chrono::milliseconds kPause{5};

[[nodiscard]] bool over(Deadline until) noexcept {
  if (std::chrono::steady_clock::now() >= until) {
    return true;
  }
  nap(kPause);
  return false;
}

/// Any socket will do for ioctls about interfaces; this one needs no protocol in the kernel.
[[nodiscard]] UniqueFd interface_socket() noexcept {
  return UniqueFd{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
}

[[nodiscard]] ifreq request_for(std::string_view interface) noexcept {
  ifreq request{};
  interface.copy(std::begin(request.ifr_name), IFNAMSIZ - 1);
  return request;
}

[[nodiscard]] bool has_address(int socket,
                               const char* interface,
                               const std::array<std::uint8_t, 6>& mac) noexcept {
  ifreq request = request_for(interface);
  if (::ioctl(socket, SIOCGIFHWADDR, &request) != 0 ||
      request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
    return false;
  }
  return std::equal(mac.begin(), mac.end(), std::begin(request.ifr_hwaddr.sa_data),
                    [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
}

/// Those with this address, oldest first.
[[nodiscard]] std::vector<std::string> find_interfaces(int socket,
                                                       const std::array<std::uint8_t, 6>& mac) {
  struct FreeList {
    void operator()(struct if_nameindex* list) const noexcept { ::if_freenameindex(list); }
  };
  const std::unique_ptr<struct if_nameindex, FreeList> all{::if_nameindex()};
  std::vector<std::pair<unsigned, std::string>> found;
  for (const struct if_nameindex* one = all.get(); one != nullptr && one->if_index != 0; ++one) {
    if (has_address(socket, one->if_name, mac)) {
      found.emplace_back(one->if_index, one->if_name);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (auto& [index, name] : found) {
    names.push_back(std::move(name));
  }
  return names;
}

[[nodiscard]] std::string mac_text(const std::array<std::uint8_t, 6>& mac) {
  std::array<char, 18> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
                                  mac[1], mac[2], mac[3], mac[4], mac[5]));
  return text.data();
}

}  // namespace

Result<> await_disk(const std::string& path, Deadline until) {
  int why = 0;
  do {
    const UniqueFd disk{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    std::uint64_t size = 0;
    if (disk && ::ioctl(disk.get(), BLKGETSIZE64, &size) == 0 && size != 0) {
      return {};
    }
    why = disk ? ENXIO : errno;
  } while (!over(until));
  return fail("disk ", path, " has not appeared: ", error_text(why),
              ". Its backend in dom0 did not connect; see its state in xenstore");
}

Result<std::string> await_interface(const std::array<std::uint8_t, 6>& mac,
                                    std::size_t number,
                                    Deadline until) {
  const UniqueFd socket = interface_socket();
  if (!socket) {
    return fail("no packet socket: ", error_text(errno));
  }
  do {
    auto names = find_interfaces(socket.get(), mac);
    if (number < names.size()) {
      return Result<std::string>{boost::system::in_place_value, std::move(names[number])};
    }
  } while (!over(until));
  return fail("no network interface with the address ", mac_text(mac),
              " has appeared. Its backend in dom0 did not connect; see its state in xenstore");
}

Result<> bring_up(const std::string& interface) {
  const UniqueFd socket = interface_socket();
  ifreq request = request_for(interface);
  if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) {
    return fail("network interface ", interface, ": ", error_text(errno));
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_NOARP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    return fail("network interface ", interface, " does not come up: ", error_text(errno));
  }
  return {};
}

}  // namespace dm::host
