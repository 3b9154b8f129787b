// SPDX-License-Identifier: MIT
#pragma once

#include "devices/chipset/ps2_queue.h"

#include <cstdint>

namespace dm::chipset {

struct Ps2KeyboardState {
  std::uint8_t leds = 0;
  std::uint8_t rate = 0x2b;       ///< typematic rate and delay: 10.9 a second after 500 ms
  std::uint8_t scancode_set = 2;  ///< 1-3
  std::uint8_t command = 0;       ///< the command that waits for its parameter; 0: none
  std::uint8_t last_sent = 0;     ///< for "resend"
  bool scanning = true;
  std::uint8_t modifiers = 0;  ///< Shift, Ctrl and Alt that are held: bits of scan_codes.h
  Ps2Queue queue;
};
static_assert(sizeof(Ps2KeyboardState) == 25);  // a new member: describe it, validate it

template <class Visitor>
void describe(Visitor& v, Ps2KeyboardState& s) {
  v.field(1, "leds", s.leds);
  v.field(2, "rate", s.rate);
  v.field(3, "scancode_set", s.scancode_set);
  v.field(4, "command", s.command);
  v.field(5, "last_sent", s.last_sent);
  v.field(6, "scanning", s.scanning);
  v.field(7, "queue", s.queue);
  v.field(8, "modifiers", s.modifiers);
}
[[nodiscard]] bool validate(const Ps2KeyboardState& s) noexcept;

/// A 102-key keyboard. It sends scan codes of the three sets; a key that is held is repeated by who
/// presses it. A sequence that does not fit into its queue is lost whole, as is everything while
/// the system has switched scanning off. Thread rule: the loop's thread only. Source: IBM PS/2
/// Hardware Interface Technical Reference, Keyboards (101- and 102-key).
class Ps2Keyboard {
 public:
  /// Takes a byte from the system.
  void receive(std::uint8_t byte) noexcept;
  /// A key by its code of set 1, whose bit 7 stands for the prefix E0h: C6h is Pause, B7h Print
  /// Screen. A code that no key has is ignored.
  void press(std::uint8_t code, bool down) noexcept;
  [[nodiscard]] bool has_byte() const noexcept { return !state_.queue.empty(); }
  /// Returns the next byte for the system, untranslated.
  [[nodiscard]] std::uint8_t send() noexcept { return state_.last_sent = state_.queue.take(); }

  [[nodiscard]] const Ps2KeyboardState& state() const noexcept { return state_; }
  void restore(const Ps2KeyboardState& s) noexcept { state_ = s; }

 private:
  void start(std::uint8_t command) noexcept;
  void finish(std::uint8_t command, std::uint8_t parameter) noexcept;
  /// Sets power-on values; bytes that are still to be sent are lost.
  void set_defaults() noexcept;

  Ps2KeyboardState state_;
};

}  // namespace dm::chipset
