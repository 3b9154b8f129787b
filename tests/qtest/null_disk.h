// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"

#include <cstring>
#include <string_view>

namespace dm::qtest {

/// QEMU's null-co: reads give zeros, writes are gone. For tests that are about registers.
class NullDisk final : public BlockBackend {
 public:
  [[nodiscard]] BlockInfo info() const noexcept override {
    return {.size = std::uint64_t{1} << 30, .can_discard = true};
  }
  void submit(BlockRequest& request) noexcept override {
    if (request.op == BlockOp::read) {
      for (const auto piece : request.data) {
        std::memset(piece.data(), 0, piece.size());
      }
    }
    request.done_bytes = request.length;
    count(request, BlockStatus::ok);
    request.done(request, BlockStatus::ok);
  }
  void drain() noexcept override {}
  [[nodiscard]] BlockStatus flush_now() noexcept override { return BlockStatus::ok; }
  [[nodiscard]] std::string_view name() const noexcept override { return "null-co://"; }
  [[nodiscard]] std::string_view engine() const noexcept override { return "none"; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override { return 0; }
};

}  // namespace dm::qtest
