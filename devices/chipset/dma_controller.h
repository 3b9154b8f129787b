// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

namespace dm::chipset {

struct DmaControllerState {
  std::array<std::uint16_t, 4> address{};
  std::array<std::uint16_t, 4> count{};
  std::uint8_t mask = 0x0f;     ///< bit n: channel n does not listen
  bool high_byte_next = false;  ///< the byte pointer flip-flop
};
static_assert(sizeof(DmaControllerState) == 18);  // a new member: describe it, validate it

template <class Visitor>
void describe(Visitor& v, DmaControllerState& s) {
  v.field(1, "address", s.address);
  v.field(2, "count", s.count);
  v.field(3, "mask", s.mask);
  v.field(4, "high_byte_next", s.high_byte_next);
}
[[nodiscard]] bool validate(const DmaControllerState& s) noexcept;

/// One 8237A with nothing at its request lines, so it never moves a byte. Current and base
/// registers are the same. The status and temporary registers stay 0. The command, mode and request
/// registers cannot be read and are not kept. Registers are numbered 0-15, as at A3-A0. Thread
/// rule: the loop's thread only. Source: Intel 231466-005 (8237A); 290550-002 for reading the
/// masks.
class DmaController {
 public:
  [[nodiscard]] std::uint8_t read(std::uint8_t number) noexcept;
  void write(std::uint8_t number, std::uint8_t value) noexcept;

  [[nodiscard]] const DmaControllerState& state() const noexcept { return state_; }
  void restore(const DmaControllerState& s) noexcept { state_ = s; }

 private:
  [[nodiscard]] std::uint16_t& channel_word(std::uint8_t number) noexcept;

  DmaControllerState state_;
};

}  // namespace dm::chipset
