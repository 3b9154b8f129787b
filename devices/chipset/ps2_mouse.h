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
  std::uint8_t id = 0;         ///< 0: PS/2 mouse; 3: IntelliMouse, with a wheel; 4: Explorer
  bool scaling_2_1 = false;
  bool reporting = false;
  bool remote = false;            ///< sends only when asked
  bool wrap = false;              ///< gives every byte back
  Ps2Queue queue;                 ///< answers to commands; they go first
  Ps2Queue packets;               ///< whole movement packets
  std::uint8_t buttons = 0;       ///< that are down now, as in core/backend/input_sink.h
  std::uint8_t sent_buttons = 0;  ///< the three real ones in the last packet of a stream
  // Movement that is not in a packet yet, in counts: two's complement, saturated.
  std::uint16_t dx = 0;  ///< to the right
  std::uint16_t dy = 0;  ///< up
  std::uint16_t dz = 0;  ///< the wheel, towards the person
};
static_assert(sizeof(Ps2MouseState) == 54);  // a new member: describe it, validate it

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
  v.field(12, "packets", s.packets);
  v.field(13, "buttons", s.buttons);
  v.field(14, "sent_buttons", s.sent_buttons);
  v.field(15, "dx", s.dx);
  v.field(16, "dy", s.dy);
  v.field(17, "dz", s.dz);
}
[[nodiscard]] bool validate(const Ps2MouseState& s) noexcept;

/// A PS/2 mouse with three buttons. It gets a wheel when asked in Microsoft's way: sample rates
/// 200, 100, 80, then a read of its id (IntelliMouse, 3); or 200, 200, 80 (IntelliMouse Explorer,
/// 4). These have packets of four bytes.
///
/// A packet is made when the system has read all before it, so one that is slow gets fewer packets
/// and larger movements; what does not fit into one is kept for the next. But each change of a
/// button is a packet of its own, as long as there is room. Scaling, resolution and sample rate are
/// kept and reported, and change nothing: whoever moves this mouse has scaled already. A command
/// from the system drops what it has not read of the stream, and the movement so far.
///
/// Thread rule: the loop's thread only. Source: IBM PS/2 Hardware Interface Technical Reference,
/// Mouse; Microsoft, IntelliMouse and Explorer: Linux 6.1 drivers/input/mouse/psmouse-base.c.
class Ps2Mouse {
 public:
  /// Takes a byte from the system.
  void receive(std::uint8_t byte) noexcept;
  /// Somebody moves it: pixels to the right and down; buttons and wheel as in
  /// core/backend/input_sink.h.
  void move(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) noexcept;
  [[nodiscard]] bool has_byte() const noexcept {
    return !state_.queue.empty() || !state_.packets.empty();
  }
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
  [[nodiscard]] bool streams() const noexcept {
    return state_.reporting && !state_.remote && !state_.wrap;
  }
  [[nodiscard]] bool has_wheel() const noexcept { return state_.id != 0; }
  [[nodiscard]] bool has_moved() const noexcept;
  [[nodiscard]] std::uint8_t packet_size() const noexcept { return has_wheel() ? 4 : 3; }
  /// Makes a packet of the stream if there is something to tell and nothing unread.
  void stream() noexcept;
  void put_packet(std::uint8_t buttons) noexcept;
  /// As much of the movement as fits into a packet; the rest stays.
  void put_movement(Ps2Queue& to, std::uint8_t buttons) noexcept;

  Ps2MouseState state_;
};

}  // namespace dm::chipset
