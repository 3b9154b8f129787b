// SPDX-License-Identifier: MIT
#include "platform/linux/net/packet_net.h"

#include "platform/linux/error_text.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace dm::host {

namespace {

/// Longest frame of an 82540EM without Ethernet header and FCS; the second is what most take.
constexpr std::array<int, 2> kMtus{16110, 9000};

Error failed(const std::string& interface, const char* what, int error) {
  return Error{"network card on " + interface + ": " + what + ": " + error_text(error)};
}

bool set_option(int fd, int option, int value) noexcept {
  return ::setsockopt(fd, SOL_PACKET, option, &value, sizeof value) == 0;
}

void raise_mtu(int fd, const std::string& interface) noexcept {
  ifreq request{};
  std::copy(interface.begin(), interface.end(), std::begin(request.ifr_name));
  if (::ioctl(fd, SIOCGIFMTU, &request) != 0) {
    return;
  }
  const int now = request.ifr_mtu;
  for (const int mtu : kMtus) {
    request.ifr_mtu = mtu;
    if (mtu <= now || ::ioctl(fd, SIOCSIFMTU, &request) == 0) {
      return;
    }
  }
}

}  // namespace

Result<std::unique_ptr<PacketNet>> PacketNet::create(Loop& loop,
                                                     const std::string& interface,
                                                     const std::array<std::uint8_t, 6>& mac) {
  const unsigned index = interface.size() < IFNAMSIZ ? ::if_nametoindex(interface.c_str()) : 0;
  if (index == 0) {
    return Error{"network card on " + interface + ": there is no such interface"};
  }
  // No protocol yet: a socket that is not bound to the interface would see all others.
  UniqueFd fd{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) {
    return failed(interface, "no packet socket", errno);
  }
  if (!set_option(fd.get(), PACKET_VNET_HDR, 1) || !set_option(fd.get(), PACKET_AUXDATA, 1)) {
    return failed(interface, "the kernel lacks offloads for packet sockets", errno);
  }
  // Since Linux 4.20; before it, what we send comes back and is filtered by the card's address.
  (void)set_option(fd.get(), PACKET_IGNORE_OUTGOING, 1);
  raise_mtu(fd.get(), interface);
  if (!bind_to(fd.get(), static_cast<int>(index))) {
    return failed(interface, "cannot bind a packet socket", errno);
  }
  std::unique_ptr<PacketNet> card{new PacketNet{loop,
                                                {.fd = std::move(fd),
                                                 .name = "packet:" + interface,
                                                 .interface = interface,
                                                 .successor = LinkMonitor::Successor::the_same},
                                                interface,
                                                static_cast<int>(index),
                                                mac}};
  if (card->fd() < 0) {
    return Error{"network card on " + interface + ": too many descriptors are open"};
  }
  card->join();
  return card;
}

PacketNet::PacketNet(Loop& loop,
                     Setup setup,
                     const std::string& interface,
                     int index,
                     const std::array<std::uint8_t, 6>& mac)
    : VnetChannel{loop, std::move(setup)}, index_{index}, interface_{interface}, mac_{mac} {}

bool PacketNet::bind_to(int fd, int index) noexcept {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index;
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// The guest's address is seldom the interface's own, and which groups the guest is in it tells the
/// card alone.
void PacketNet::join() noexcept {
  if (!set_membership(true, PACKET_MR_UNICAST, mac_) ||
      !set_membership(true, PACKET_MR_ALLMULTI, {})) {
    set_promiscuous(true);
  }
}

/// The kernel has taken the socket off the interface that went, and all that it had asked of it.
bool PacketNet::reattach(int index) noexcept {
  if (!bind_to(fd(), index)) {
    return false;  // the next change of the interface is another chance
  }
  index_ = index;
  raise_mtu(fd(), interface_);
  const bool all = std::exchange(promiscuous_, false);
  join();
  set_promiscuous(all || promiscuous_);
  return true;
}

bool PacketNet::set_membership(bool on, int type, std::span<const std::uint8_t> address) noexcept {
  packet_mreq request{};
  request.mr_ifindex = index_;
  request.mr_type = static_cast<unsigned short>(type);
  request.mr_alen = static_cast<unsigned short>(address.size());
  std::copy(address.begin(), address.end(), std::begin(request.mr_address));
  const int what = on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;
  return ::setsockopt(fd(), SOL_PACKET, what, &request, sizeof request) == 0;
}

void PacketNet::set_promiscuous(bool on) noexcept {
  if (on != promiscuous_ && set_membership(on, PACKET_MR_PROMISC, {})) {
    promiscuous_ = on;
  }
}

VnetChannel::Arrived PacketNet::read_frame(std::span<iovec> parts) noexcept {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(tpacket_auxdata))> control{};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t bytes = ::recvmsg(fd(), &message, 0);
  tagged_ = false;
  if (bytes < 0) {
    return {.bytes = bytes, .truncated = false};
  }
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) {
      continue;
    }
    tpacket_auxdata about{};
    std::memcpy(&about, CMSG_DATA(part), sizeof about);
    tagged_ = (about.tp_status & TP_STATUS_VLAN_VALID) != 0;
    tag_ = about.tp_vlan_tci;
    tag_type_ = (about.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? about.tp_vlan_tpid
                                                                   : std::uint16_t{ETH_P_8021Q};
  }
  return {.bytes = bytes, .truncated = (message.msg_flags & MSG_TRUNC) != 0};
}

/// A frame with a VLAN tag is rare enough to be moved by the tag's four bytes.
void PacketNet::restore_frame(std::span<const std::span<std::byte>> pieces,
                              Received& frame,
                              NetOffload& offload) noexcept {
  constexpr std::size_t kAddresses = 12;
  constexpr std::size_t kTag = 4;
  if (!tagged_ || frame.size < kAddresses) {
    return;
  }
  // Each byte changes places with the one that waits to go there, and waits itself for the place
  // four further on.
  std::array<std::byte, kTag> waiting{
      static_cast<std::byte>(tag_type_ >> 8U), static_cast<std::byte>(tag_type_ & 0xffU),
      static_cast<std::byte>(tag_ >> 8U), static_cast<std::byte>(tag_ & 0xffU)};
  const std::size_t end = frame.size + kTag;
  std::size_t at = 0;
  for (const std::span<std::byte> piece : pieces) {
    for (std::size_t i = 0; i < piece.size() && at < end; ++i, ++at) {
      if (at >= kAddresses) {
        std::swap(piece[i], waiting[(at - kAddresses) % kTag]);
      }
    }
  }
  frame.truncated = frame.truncated || at < end;
  frame.size = at;
  if (offload.needs_checksum) {
    offload.checksum_start = static_cast<std::uint16_t>(offload.checksum_start + kTag);
  }
  if (offload.gso != Gso::none) {
    offload.header_length = static_cast<std::uint16_t>(offload.header_length + kTag);
  }
}

}  // namespace dm::host
