// SPDX-License-Identifier: MIT
#pragma once

#include "devices/chipset/ps2_queue.h"

#include <cstdint>

namespace dm::chipset {

struct Ps2MouseState {
  std::uint8_t resolution = 2;  ///< 1 << resolution is the counts per millimetre
  std::uint8_t sample_rate = 100;
  std::uint8_t previous_rate =
      0;                       ///< the sample rate before this one: part of the IntelliMouse knock
  std::uint8_t command = 0;    ///< the command that waits for its parameter; 0: none
  std::uint8_t last_sent = 0;  ///< for "resend"
  std::uint8_t id = 0;         ///< 0: PS/2 mouse; 3: with a wheel; 4: with five buttons, too
  bool scaling_2_1 = false;
  bool reporting = false;
  bool remote = false;            ///< sends only when asked
  bool wrap = false;              ///< gives every byte back
  std::uint8_t buttons = 0;       ///< bit 0 left, 1 right, 2 middle
  std::uint8_t told_buttons = 0;  ///< that the system knows
  // Moved and not yet told, in two's complement.
  std::uint16_t x = 0;      ///< right
  std::uint16_t y = 0;      ///< up
  std::uint16_t wheel = 0;  ///< towards the user
  Ps2Queue queue;
};
static_assert(sizeof(Ps2MouseState) == 36);  // a new member: describe it, validate it

template <class Visitor>
void describe(Visitor& v, Ps2MouseState& s) {
  v.field(1, "resolution", s.resolution);
  v.field(2, "sample_rate", s.sample_rate);
  v.field(3, "previous_rate", s.previous_rate);
  v.field(4, "command", s.command);
  v.field(5, "last_sent", s.last_sent);
  v.field(6, "id", s.id);
  v.field(7, "scaling_2_1", s.scaling_2_1);
  v.field(8, "reporting", s.reporting);
  v.field(9, "remote", s.remote);
  v.field(10, "wrap", s.wrap);
  v.field(11, "queue", s.queue);
  v.field(12, "buttons", s.buttons);
  v.field(13, "told_buttons", s.told_buttons);
  v.field(14, "x", s.x);
  v.field(15, "y", s.y);
  v.field(16, "wheel", s.wheel);
}
[[nodiscard]] bool validate(const Ps2MouseState& s) noexcept;

/// A PS/2 mouse. It becomes an IntelliMouse, with a wheel, when asked in Microsoft's way: sample
/// rates 200, 100, 80, then a read of its id; and an IntelliMouse Explorer by 200, 200, 80. What it
/// could not tell yet is kept, and told when there is room. Thread rule: the loop's thread only.
/// Source: IBM PS/2 Hardware Interface Technical Reference, Mouse.
class Ps2Mouse {
 public:
  /// Takes a byte from the system.
  void receive(std::uint8_t byte) noexcept;
  /// Moved right and up by so many counts. `buttons`: bit 0 left, 1 right, 2 middle. `wheel`: steps
  /// towards the user.
  void move(int right, int up, std::uint8_t buttons, int wheel) noexcept;
  [[nodiscard]] bool has_byte() const noexcept { return !state_.queue.empty(); }
  /// Returns the next byte for the system.
  [[nodiscard]] std::uint8_t send() noexcept;

  [[nodiscard]] const Ps2MouseState& state() const noexcept { return state_; }
  void restore(const Ps2MouseState& s) noexcept { state_ = s; }

 private:
  void start(std::uint8_t command) noexcept;
  void finish(std::uint8_t command, std::uint8_t parameter) noexcept;
  /// Carries out a command that has been acknowledged.
  void apply(std::uint8_t command) noexcept;
  void set_defaults() noexcept;
  void set_sample_rate(std::uint8_t rate) noexcept;
  void put_status() noexcept;
  void put_movement() noexcept;
  void report() noexcept;

  Ps2MouseState state_;
};

}  // namespace dm::chipset
