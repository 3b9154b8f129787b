// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/range.h"

namespace dm::host {

[[nodiscard]] inline bool changes(const BlockRequest& request) noexcept {
  return request.op == BlockOp::write || request.op == BlockOp::discard;
}

/// Says whether this request may be carried out on such an image. 64-bit, before any system call
/// (tests/unit/SECURITY.md, B15, B31). Thread rule: any thread.
[[nodiscard]] inline BlockStatus check_request(const BlockInfo& info,
                                               const BlockRequest& request) noexcept {
  if (request.op == BlockOp::flush) {
    return BlockStatus::ok;
  }
  if (info.read_only && changes(request)) {
    return BlockStatus::read_only;
  }
  if (!within(0, info.size, request.offset, request.length)) {
    return BlockStatus::out_of_range;
  }
  if (request.op != BlockOp::discard) {
    std::uint64_t sum = 0;
    for (const std::span<std::byte> piece : request.data) {
      sum += piece.size();
    }
    if (sum != request.length) {
      return BlockStatus::io_error;  // a device's mistake; never move bytes it did not mean
    }
  }
  return BlockStatus::ok;
}

[[nodiscard]] inline const char* name_of(BlockOp op) noexcept {
  static constexpr const char* kNames[] = {"read", "write", "flush", "discard"};
  return kNames[static_cast<std::size_t>(op)];
}

}  // namespace dm::host
