// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/net/vnet_channel.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace dm::host {

/// An existing interface of the host, shared with it by a packet socket: what the guest sends
/// leaves there, and the guest sees what arrives there. For a stub domain's eth0. The guest sees
/// neither the host's own frames nor its own. Large frames come even if nobody asks for them, since
/// GRO makes them. Thread rule: the loop's thread only. Source: packet(7),
/// Documentation/networking/packet_mmap.rst for the header.
class PacketNet final : public VnetChannel {
 public:
  /// Opens the socket. It sees what is sent to `mac` and all multicast, and with set_promiscuous()
  /// the rest. The interface's MTU is raised to what a card can send, as far as the interface
  /// allows.
  [[nodiscard]] static Result<std::unique_ptr<PacketNet>> create(
      Loop& loop, const std::string& interface, const std::array<std::uint8_t, 6>& mac);
  ~PacketNet() override = default;

  void accept_offloads(bool /*checksum*/, bool /*gso*/) noexcept override {}
  void set_promiscuous(bool on) noexcept override;

 private:
  PacketNet(Loop& loop,
            Setup setup,
            const std::string& interface,
            int index,
            const std::array<std::uint8_t, 6>& mac);
  /// Bound to one interface, nothing is asked for yet.
  [[nodiscard]] static bool bind_to(int fd, int index) noexcept;
  /// What the card is to see of it.
  void join() noexcept;
  [[nodiscard]] bool reattach(int index) noexcept override;
  [[nodiscard]] bool set_membership(bool on,
                                    int type,
                                    std::span<const std::uint8_t> address) noexcept;
  [[nodiscard]] Arrived read_frame(std::span<iovec> parts) noexcept override;
  void restore_frame(std::span<const std::span<std::byte>> pieces,
                     Received& frame,
                     NetOffload& offload) noexcept override;

  int index_;
  const std::string interface_;
  const std::array<std::uint8_t, 6> mac_;
  bool promiscuous_ = false;
  bool tagged_ = false;  ///< the frame that came last had a VLAN tag, which the kernel keeps apart
  std::uint16_t tag_type_ = 0;
  std::uint16_t tag_ = 0;
};

}  // namespace dm::host
