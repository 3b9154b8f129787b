// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm::fw_cfg {

/// All that a guest can find out of the device.
struct State {
  std::uint16_t key = 0;
  std::uint32_t offset = 0;  ///< in the item
  std::uint32_t dma_high = 0;
  bool running = false;         ///< an operation that reads
  std::uint64_t operation = 0;  ///< its address in guest memory
  std::uint64_t target = 0;     ///< where its next byte goes
  std::uint32_t rest = 0;       ///< bytes that it has still to move
};

template <class Visitor>
void describe(Visitor& v, State& s) {
  v.field(1, "key", s.key);
  v.field(2, "offset", s.offset);
  v.field(3, "dma_high", s.dma_high);
  v.field(4, "running", s.running);
  v.field(5, "operation", s.operation);
  v.field(6, "target", s.target);
  v.field(7, "rest", s.rest);
}

/// An operation without a byte to move would have ended.
[[nodiscard]] constexpr bool validate(const State& s) noexcept {
  return s.running ? s.rest != 0 : s.operation == 0 && s.target == 0 && s.rest == 0;
}

}  // namespace dm::fw_cfg
