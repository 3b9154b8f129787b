// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/net/vnet_channel.h"

#include <memory>
#include <string>

namespace dm::host {

/// A tap interface: the host's end of the guest's cable. It lives as long as this object. It passes
/// every frame, so it has no promiscuous mode. Thread rule: the loop's thread only. Source: Linux
/// tun(4), Documentation/networking/tuntap.rst.
class TapNet final : public VnetChannel {
 public:
  /// Makes the interface, or takes an existing persistent one. The name has at most 15 bytes.
  [[nodiscard]] static Result<std::unique_ptr<TapNet>> create(Loop& loop,
                                                              const std::string& interface);
  /// Takes a tap that somebody else has opened, with or without headers for offloads, as it was
  /// made.
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
