// SPDX-License-Identifier: MIT
#pragma once

#include "devices/chipset/ps2_queue.h"

#include <array>
#include <cstdint>

namespace dm::chipset {

/// A bit for each key, by its code in core/backend/input_sink.h.
using KeyBits = std::array<std::uint8_t, 32>;
[[nodiscard]] constexpr bool has_key(const KeyBits& keys, std::uint8_t key) noexcept {
  return (keys[key / 8U] & 1U << (key % 8U)) != 0;
}
constexpr void set_key(KeyBits& keys, std::uint8_t key, bool on) noexcept {
  const auto bit = static_cast<std::uint8_t>(1U << (key % 8U));
  std::uint8_t& byte = keys[key / 8U];
  byte = static_cast<std::uint8_t>(on ? byte | bit : byte & ~bit);
}

struct Ps2KeyboardState {
  std::uint8_t leds = 0;
  std::uint8_t rate = 0x2b;       ///< typematic rate and delay: 10.9 a second after 500 ms
  std::uint8_t scancode_set = 2;  ///< 1-3
  std::uint8_t command = 0;       ///< the command that waits for its parameter; 0: none
  std::uint8_t last_sent = 0;     ///< for "resend"
  bool scanning = true;
  Ps2Queue queue;  ///< answers to commands; they go first
  Ps2Queue keys;   ///< scan codes, whole sequences only
  KeyBits down{};  ///< whose make the system has, or will have out of `keys`
  KeyBits owed{};  ///< of these, the ones that are up: their break found no room yet
};
static_assert(sizeof(Ps2KeyboardState) == 106);  // a new member: describe it, validate it

template <class Visitor>
void describe(Visitor& v, Ps2KeyboardState& s) {
  v.field(1, "leds", s.leds);
  v.field(2, "rate", s.rate);
  v.field(3, "scancode_set", s.scancode_set);
  v.field(4, "command", s.command);
  v.field(5, "last_sent", s.last_sent);
  v.field(6, "scanning", s.scanning);
  v.field(7, "queue", s.queue);
  v.field(8, "keys", s.keys);
  v.field(9, "down", s.down);
  v.field(10, "owed", s.owed);
}
[[nodiscard]] bool validate(const Ps2KeyboardState& s) noexcept;

/// A keyboard with 101, 102 or more keys, in scan code sets 1, 2 and 3. Every key makes and breaks,
/// in set 3 too; typematic is for whoever presses keys.
///
/// A sequence goes into the queue whole or not at all. A make for which there is no room is lost,
/// as on the device. A break is not: the key would stay down in the guest. It is sent when there is
/// room again.
///
/// Thread rule: the loop's thread only. Source: IBM PS/2 Hardware Interface Technical Reference,
/// Keyboards (101- and 102-key), commands from the system.
class Ps2Keyboard {
 public:
  /// Takes a byte from the system.
  void receive(std::uint8_t byte) noexcept;
  /// A key goes down (or is held: typematic) or up. Ignored: a key that is not down goes up, or the
  /// system has switched scanning off.
  void key(std::uint8_t code, bool is_down) noexcept;
  [[nodiscard]] bool has_byte() const noexcept {
    return !state_.queue.empty() || (state_.scanning && !state_.keys.empty());
  }
  /// Returns the next byte for the system, untranslated.
  [[nodiscard]] std::uint8_t send() noexcept;

  [[nodiscard]] const Ps2KeyboardState& state() const noexcept { return state_; }
  void restore(const Ps2KeyboardState& s) noexcept { state_ = s; }

 private:
  void start(std::uint8_t command) noexcept;
  void finish(std::uint8_t command, std::uint8_t parameter) noexcept;
  /// Sets power-on values; bytes that are still to be sent are lost.
  void set_defaults() noexcept;
  /// Bytes that are still to be sent are lost, but not that keys are down.
  void clear_output() noexcept;
  void release(std::uint8_t code) noexcept;
  void pay_owed() noexcept;
  [[nodiscard]] bool put_sequence(std::uint8_t code, bool is_down) noexcept;

  Ps2KeyboardState state_;
};

}  // namespace dm::chipset
