// SPDX-License-Identifier: MIT
// Internal to the disk backend.
#pragma once

#include "platform/pv/qdisk.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::pv {

/// One request that was taken from the ring and is not answered.
struct Qdisk::Slot {
  enum class Order : std::uint8_t {
    none,      ///< with all others
    waiting,   ///< all that was taken before must be answered first; nothing is taken meanwhile
    flushing,  ///< and made durable; the write follows
    lost       ///< the image it waited for has gone: it fails, and is never started
  };

  BlockRequest block;
  Qdisk* disk = nullptr;
  Slot* next_free = nullptr;
  std::uint64_t id = 0;
  std::uint8_t operation = 0;
  Order order = Order::none;
  /// Of an ordered request: what follows the flush.
  struct {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::span<const std::span<std::byte>> data;
  } ordered;
  std::byte* pages = nullptr;  ///< the guest's, mapped
  std::size_t page_count = 0;
  std::array<std::span<std::byte>, kMostSegments> pieces{};
};

}  // namespace dm::pv
