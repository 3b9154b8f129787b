// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::chipset {

/// Bytes that a PS/2 device has to send. When the queue is full, new bytes are lost, as on the
/// device. No operation leaves the array, whatever `head` and `count` are, because they may have
/// come from a file (CVE-2017-16845).
struct Ps2Queue {
  static constexpr std::uint8_t kSize = 16;
  static constexpr std::uint8_t kSlotMask = kSize - 1;

  std::array<std::uint8_t, kSize> bytes{};
  std::uint8_t head = 0;   ///< slot of the oldest byte
  std::uint8_t count = 0;  ///< bytes held

  [[nodiscard]] bool empty() const noexcept { return count == 0; }
  void put(std::uint8_t byte) noexcept {
    if (count < kSize) {
      bytes[(head + count) & kSlotMask] = byte;
      ++count;
    }
  }
  [[nodiscard]] bool has_room(std::size_t bytes_more) const noexcept {
    return count + bytes_more <= kSize;
  }
  /// All of them or none. False: there is no room for all.
  bool put_whole(std::span<const std::uint8_t> more) noexcept {
    if (!has_room(more.size())) {
      return false;
    }
    for (const std::uint8_t byte : more) {
      put(byte);
    }
    return true;
  }
  /// Takes the oldest byte; 0 when there is none.
  [[nodiscard]] std::uint8_t take() noexcept {
    if (empty()) {
      return 0;
    }
    const std::uint8_t byte = bytes[head & kSlotMask];
    head = static_cast<std::uint8_t>((head + 1) & kSlotMask);
    --count;
    return byte;
  }
  void clear() noexcept { *this = Ps2Queue{}; }
};
static_assert(sizeof(Ps2Queue) == 18);  // a new member: describe it, validate it

template <class Visitor>
void describe(Visitor& v, Ps2Queue& s) {
  v.field(1, "bytes", s.bytes);
  v.field(2, "head", s.head);
  v.field(3, "count", s.count);
}
[[nodiscard]] inline bool validate(const Ps2Queue& s) noexcept {
  return s.head < Ps2Queue::kSize && s.count <= Ps2Queue::kSize;
}

}  // namespace dm::chipset
