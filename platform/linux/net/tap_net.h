// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/net/vnet_channel.h"

#include <memory>
#include <string>

namespace dm::host {

/// A tap interface: the host's end of the guest's cable. It lives as long as this object. Gives
/// every frame there is, so it knows no promiscuous mode. Source: Linux tun(4),
/// Documentation/networking/tuntap.rst.
class TapNet final : public VnetChannel {
 public:
  /// Makes the interface, or takes one that is there and persistent. The name has 15 bytes at most.
  [[nodiscard]] static Result<std::unique_ptr<TapNet>> create(Loop& loop,
                                                              const std::string& interface);
  /// One that somebody else has opened; with or without headers for offloads, as it was made.
  [[nodiscard]] static Result<std::unique_ptr<TapNet>> adopt(Loop& loop, UniqueFd fd);
  ~TapNet() override = default;

  void accept_offloads(bool checksum, bool gso) noexcept override;
  void set_promiscuous(bool /*on*/) noexcept override {}

 private:
  TapNet(Loop& loop, Setup setup);
  [[nodiscard]] static Result<std::unique_ptr<TapNet>> make(Loop& loop, UniqueFd fd);
  [[nodiscard]] Arrived read_frame(std::span<iovec> parts) noexcept override;
  [[nodiscard]] bool reattach(int index) noexcept override;
};

}  // namespace dm::host
