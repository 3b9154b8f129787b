// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"

#include <cstddef>
#include <span>
#include <string_view>

namespace dm::qtest {

/// A cable that leads nowhere: what is sent is gone.
class NoNet final : public NetBackend {
 public:
  void attach(NetClient* /*client*/) noexcept override {}
  [[nodiscard]] SendStatus send(const NetOffload& /*offload*/,
                                std::span<const std::span<std::byte>> /*frame*/) noexcept override {
    ++counters_.sent;
    return SendStatus::sent;
  }
  [[nodiscard]] Received receive(
      NetOffload& /*offload*/, std::span<const std::span<std::byte>> /*pieces*/) noexcept override {
    return {};
  }
  void want_receive(bool /*on*/) noexcept override {}
  void accept_offloads(bool /*checksum*/, bool /*gso*/) noexcept override {}
  void set_promiscuous(bool /*on*/) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return true; }
  [[nodiscard]] const Counters& counters() const noexcept override { return counters_; }
  [[nodiscard]] std::string_view name() const noexcept override { return "none"; }

 private:
  Counters counters_;
};

}  // namespace dm::qtest
