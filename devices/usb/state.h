// SPDX-License-Identifier: MIT
#pragma once

#include "devices/usb/regs.h"

#include <array>
#include <cstddef>
#include <cstdint>

/// Everything that a guest can find out of the controller and of what is plugged into it, as plain
/// aggregates: what is saved, loaded and hashed.
namespace dm::usb {

enum class HidKind : std::uint8_t { none, tablet, mouse, keyboard };

/// Events that the guest has not fetched yet. When another comes to a full queue, the oldest takes
/// effect without a report of its own: a button or key ends as it is, whatever is in between.
inline constexpr std::size_t kQueue = 16;
struct HidQueue {
  std::array<std::uint16_t, kQueue> x{};  ///< keyboard: the usage
  std::array<std::uint16_t, kQueue> y{};  ///< of a mouse both are signed
  std::array<std::uint8_t, kQueue>
      buttons{};                             ///< bit 0 left, 1 right, 2 middle; keyboard: 1 = down
  std::array<std::uint8_t, kQueue> wheel{};  ///< signed: -127 to 127, away from the user is more
  std::uint8_t first = 0;
  std::uint8_t count = 0;
};
/// What the last report said.
struct HidInputState {
  HidQueue queue;
  std::uint16_t x = 0;  ///< tablet: 0 to 32767
  std::uint16_t y = 0;
  std::uint8_t buttons = 0;
  std::uint8_t given = 0;      ///< buttons of the last event that came, in the caller's order
  std::uint8_t modifiers = 0;  ///< usages E0h to E7h
  std::array<std::uint8_t, 16> down{};  ///< other keys, the oldest first
  std::uint8_t downs = 0;
};

/// Where a control transfer is (USB 1.1, 8.5.2).
enum class ControlStage : std::uint8_t { idle, data_in, data_out, status_in, stalled };

struct HidState {
  HidKind kind = HidKind::none;
  std::uint8_t address = 0;
  bool configured = false;
  bool remote_wakeup = false;
  bool halted = false;          ///< endpoint 81h
  bool toggle = false;          ///< of endpoint 81h: what the next packet is
  std::uint8_t idle = 0;        ///< 4 ms; 0: a report only when something changes
  bool report_protocol = true;  ///< and not the boot protocol
  std::uint8_t leds = 0;        ///< keyboard: bit 0 Num, 1 Caps, 2 Scroll Lock
  ControlStage stage = ControlStage::idle;
  bool control_toggle = false;
  std::array<std::uint8_t, 8> setup{};
  std::uint16_t moved = 0;             ///< bytes of the data stage
  std::array<std::uint8_t, 8> data{};  ///< of the data stage, where it is not a descriptor
  HidInputState input;
};

struct UhciState {
  std::array<std::uint8_t, 256> config{};
  std::uint16_t command = 0;
  std::uint16_t status = regs::kMask16<regs::USBSTS::HCHALTED>;
  std::uint16_t interrupt_enable = 0;
  std::uint8_t causes = 0;  ///< of USBINT: bit 0 on complete, bit 1 short packet
  std::uint8_t sof_modify = regs::SOFMOD::kReset;
  std::uint16_t frame = 0;       ///< FRNUM; brought up to date by pause()
  std::uint32_t frame_part = 0;  ///< ns of the frame that have passed
  std::uint32_t frame_list = 0;
  std::uint16_t port0 = regs::kMask16<regs::PORTSC::ONE>;
  std::uint16_t port1 = regs::kMask16<regs::PORTSC::ONE>;
  HidState device0;
  HidState device1;
};

template <class Visitor>
void describe(Visitor& v, HidQueue& s) {
  v.field(1, "x", s.x);
  v.field(2, "y", s.y);
  v.field(3, "buttons", s.buttons);
  v.field(4, "wheel", s.wheel);
  v.field(5, "first", s.first);
  v.field(6, "count", s.count);
}

template <class Visitor>
void describe(Visitor& v, HidInputState& s) {
  v.field(1, "queue", s.queue);
  v.field(2, "x", s.x);
  v.field(3, "y", s.y);
  v.field(4, "buttons", s.buttons);
  v.field(5, "given", s.given);
  v.field(6, "modifiers", s.modifiers);
  v.field(7, "down", s.down);
  v.field(8, "downs", s.downs);
}

template <class Visitor>
void describe(Visitor& v, HidState& s) {
  v.field(1, "kind", s.kind);
  v.field(2, "address", s.address);
  v.field(3, "configured", s.configured);
  v.field(4, "remote_wakeup", s.remote_wakeup);
  v.field(5, "halted", s.halted);
  v.field(6, "toggle", s.toggle);
  v.field(7, "idle", s.idle);
  v.field(8, "report_protocol", s.report_protocol);
  v.field(9, "leds", s.leds);
  v.field(10, "stage", s.stage);
  v.field(11, "control_toggle", s.control_toggle);
  v.field(12, "setup", s.setup);
  v.field(13, "moved", s.moved);
  v.field(14, "data", s.data);
  v.field(15, "input", s.input);
}

template <class Visitor>
void describe(Visitor& v, UhciState& s) {
  v.field(1, "config", s.config);
  v.field(2, "command", s.command);
  v.field(3, "status", s.status);
  v.field(4, "interrupt_enable", s.interrupt_enable);
  v.field(5, "causes", s.causes);
  v.field(6, "sof_modify", s.sof_modify);
  v.field(7, "frame", s.frame);
  v.field(8, "frame_part", s.frame_part);
  v.field(9, "frame_list", s.frame_list);
  v.field(10, "port0", s.port0);
  v.field(11, "port1", s.port1);
  v.field(12, "device0", s.device0);
  v.field(13, "device1", s.device1);
}

/// True when every number is one that the controller itself could have produced, so that no index,
/// count or length in it can lead out of an array.
[[nodiscard]] bool validate(const UhciState& s) noexcept;

}  // namespace dm::usb
