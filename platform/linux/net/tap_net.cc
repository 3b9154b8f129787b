// SPDX-License-Identifier: MIT
#include "platform/linux/net/tap_net.h"

#include "platform/linux/error_text.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace dm::host {

namespace {

constexpr const char* kDevice = "/dev/net/tun";

std::string failure(const std::string& interface, int error) {
  std::string text = "network card " + interface + ": ";
  switch (error) {
    case ENOENT:
      return text + kDevice + " is not there: load the kernel module tun (modprobe tun)";
    case EPERM:
    case EACCES:
      return text + "no permission to make a tap interface: run as root";
    case EBUSY:
      return text + "somebody else has this interface open: is the guest running already?";
    default:
      return text + "cannot make a tap interface: " + error_text(error);
  }
}

}  // namespace

Result<std::unique_ptr<TapNet>> TapNet::create(Loop& loop, const std::string& interface) {
  ifreq request{};
  if (interface.empty() || interface.size() >= sizeof request.ifr_name) {
    return Error{"network card '" + interface + "': an interface's name has 1 to 15 bytes"};
  }
  UniqueFd fd{::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!fd) {
    return Error{failure(interface, errno)};
  }
  std::copy(interface.begin(), interface.end(), std::begin(request.ifr_name));
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    return Error{failure(interface, errno)};
  }
  return make(loop, std::move(fd));
}

Result<std::unique_ptr<TapNet>> TapNet::adopt(Loop& loop, UniqueFd fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return Error{"network card: descriptor " + std::to_string(fd.get()) + ": " + error_text(errno)};
  }
  return make(loop, std::move(fd));
}

Result<std::unique_ptr<TapNet>> TapNet::make(Loop& loop, UniqueFd fd) {
  ifreq is{};
  if (::ioctl(fd.get(), TUNGETIFF, &is) != 0) {
    return Error{"network card: descriptor " + std::to_string(fd.get()) +
                 " is no tap interface: " + error_text(errno)};
  }
  if ((is.ifr_flags & IFF_TAP) == 0 || (is.ifr_flags & IFF_NO_PI) == 0) {
    return Error{std::string{"network card: "} + std::begin(is.ifr_name) +
                 " is a tun interface, or one with packet information; a card needs a tap made "
                 "with IFF_NO_PI"};
  }
  const bool has_header = (is.ifr_flags & IFF_VNET_HDR) != 0;
  if (has_header) {
    int size = sizeof(NetHeader);
    if (::ioctl(fd.get(), TUNSETVNETHDRSZ, &size) != 0) {
      return Error{std::string{"network card: "} + std::begin(is.ifr_name) + ": " +
                   error_text(errno)};
    }
  }
  const std::string interface = std::begin(is.ifr_name);
  std::unique_ptr<TapNet> tap{new TapNet{loop,
                                         {.fd = std::move(fd),
                                          .name = "tap:" + interface,
                                          .interface = interface,
                                          .has_header = has_header}}};
  if (tap->fd() < 0) {
    return Error{"network card " + interface + ": too many descriptors are open"};
  }
  tap->accept_offloads(false, false);
  return tap;
}

TapNet::TapNet(Loop& loop, Setup setup) : VnetChannel{loop, std::move(setup)} {}

/// What the kernel may hand to us; what we may hand to the kernel needs no asking.
void TapNet::accept_offloads(bool checksum, bool gso) noexcept {
  if (!has_header()) {
    return;
  }
  unsigned long wanted = checksum ? TUN_F_CSUM : 0U;
  if (checksum && gso) {
    wanted |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  }
  (void)::ioctl(fd(), TUNSETOFFLOAD, wanted);
}

/// A tap is made by who has its descriptor: one that was removed does not come back.
bool TapNet::reattach(int /*index*/) noexcept {
  ifreq is{};
  return ::ioctl(fd(), TUNGETIFF, &is) == 0;
}

/// tun(4) does not say that it has cut a frame; one that fills all there is may have been.
VnetChannel::Arrived TapNet::read_frame(std::span<iovec> parts) noexcept {
  std::size_t room = 0;
  for (const iovec& part : parts) {
    room += part.iov_len;
  }
  const ssize_t bytes = ::readv(fd(), parts.data(), static_cast<int>(parts.size()));
  return {.bytes = bytes, .truncated = bytes >= 0 && static_cast<std::size_t>(bytes) >= room};
}

}  // namespace dm::host
