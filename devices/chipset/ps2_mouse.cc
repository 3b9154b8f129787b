// SPDX-License-Identifier: MIT
#include "devices/chipset/ps2_mouse.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace dm::chipset {

namespace {

// What apply() does.
enum Command : std::uint8_t {
  kScaling1 = 0xe6,
  kScaling2 = 0xe7,
  kResolution = 0xe8,
  kStatus = 0xe9,
  kStreamMode = 0xea,
  kReadData = 0xeb,
  kResetWrap = 0xec,
  kSetWrap = 0xee,
  kRemoteMode = 0xf0,
  kReadId = 0xf2,
  kSampleRate = 0xf3,
  kEnable = 0xf4,
  kDisable = 0xf5,
  kSetDefault = 0xf6,
};
constexpr std::uint8_t kResend = 0xfe;
constexpr std::uint8_t kReset = 0xff;

constexpr std::uint8_t kAck = 0xfa;
constexpr std::uint8_t kTestPassed = 0xaa;
constexpr std::uint8_t kIdMouse = 0;
constexpr std::uint8_t kIdWheel = 3;
constexpr std::uint8_t kIdExplorer = 4;
constexpr std::uint8_t kFinestResolution = 3;
using Knock = std::array<std::uint8_t, 3>;  // sample rates
constexpr Knock kKnockWheel{200, 100, 80};
constexpr Knock kKnockExplorer{200, 200, 80};

// Buttons as core/backend/input_sink.h has them.
constexpr std::uint8_t kLeft = 0x01;
constexpr std::uint8_t kMiddle = 0x02;
constexpr std::uint8_t kRight = 0x04;
constexpr std::uint8_t kWheelUp = 0x08;
constexpr std::uint8_t kWheelDown = 0x10;
constexpr std::uint8_t kRealButtons = kLeft | kMiddle | kRight;
constexpr std::uint8_t kAllButtons = kRealButtons | kWheelUp | kWheelDown;

// Of a packet. 9 bits would be allowed; some drivers take the byte alone as a number.
constexpr int kMostInPacket = 127;
constexpr int kMostOfWheel = 7;

// Status byte 1.
constexpr std::uint8_t kStatusRemote = 0x40;
constexpr std::uint8_t kStatusEnabled = 0x20;
constexpr std::uint8_t kStatusScaling2 = 0x10;
constexpr std::uint8_t kStatusLeft = 0x04;
constexpr std::uint8_t kStatusMiddle = 0x02;
constexpr std::uint8_t kStatusRight = 0x01;
// Movement byte 1.
constexpr std::uint8_t kMovementLeft = 0x01;
constexpr std::uint8_t kMovementRight = 0x02;
constexpr std::uint8_t kMovementMiddle = 0x04;
constexpr std::uint8_t kMovementSync = 0x08;  // always set: receivers find the start of a packet
constexpr std::uint8_t kMovementLeftwards = 0x10;
constexpr std::uint8_t kMovementDownwards = 0x20;
constexpr std::uint8_t kExplorerWheelMask = 0x0f;

/// Beside "resend" and "reset", which answer in ways of their own.
constexpr bool is_command(std::uint8_t byte) noexcept {
  return (byte >= kScaling1 && byte <= kResetWrap) || byte == kSetWrap || byte == kRemoteMode ||
         (byte >= kReadId && byte <= kSetDefault);
}
constexpr bool takes_parameter(std::uint8_t command) noexcept {
  return command == kResolution || command == kSampleRate;
}

void add(std::uint16_t& to, int more) noexcept {
  using Limits = std::numeric_limits<std::int16_t>;
  const int sum = static_cast<std::int16_t>(to) + more;
  to = static_cast<std::uint16_t>(std::clamp<int>(sum, Limits::min(), Limits::max()));
}

/// Takes at most that much, either way.
int take(std::uint16_t& from, int most) noexcept {
  const int taken = std::clamp<int>(static_cast<std::int16_t>(from), -most, most);
  add(from, -taken);
  return taken;
}

}  // namespace

bool validate(const Ps2MouseState& s) noexcept {
  return s.resolution <= kFinestResolution &&
         (s.id == kIdMouse || s.id == kIdWheel || s.id == kIdExplorer) &&
         s.buttons <= kAllButtons && s.sent_buttons <= kRealButtons && validate(s.packets) &&
         (s.command == 0 || takes_parameter(s.command)) && validate(s.queue);
}

void Ps2Mouse::receive(std::uint8_t byte) noexcept {
  if (state_.wrap && byte != kResetWrap && byte != kReset) {
    state_.queue.put(byte);
    return;
  }
  if (byte != kResend) {
    state_.packets.clear();
    if (byte != kReadData) {
      state_.dx = state_.dy = state_.dz = 0;
    }
  }
  const std::uint8_t command = std::exchange(state_.command, std::uint8_t{0});
  if (command != 0 && byte < kScaling1) {
    finish(command, byte);
  } else {
    start(byte);  // a command where a parameter was due ends the old one
  }
}

void Ps2Mouse::start(std::uint8_t command) noexcept {
  Ps2Queue& out = state_.queue;
  if (command == kReset) {
    state_ = Ps2MouseState{};
    out.put(kAck);
    out.put(kTestPassed);
    out.put(kIdMouse);
    return;
  }
  if (command == kResend) {
    out.put(state_.last_sent);
    return;
  }
  if (!is_command(command)) {
    out.put(kResend);
    return;
  }
  out.put(kAck);
  apply(command);
}

void Ps2Mouse::apply(std::uint8_t command) noexcept {
  switch (static_cast<Command>(command)) {
    case kScaling1:
    case kScaling2:
      state_.scaling_2_1 = command == kScaling2;
      break;
    case kResolution:
    case kSampleRate:
      state_.command = command;
      break;
    case kStatus:
      put_status();
      break;
    case kStreamMode:
    case kRemoteMode:
      state_.remote = command == kRemoteMode;
      break;
    case kReadData:
      put_movement(state_.queue, state_.buttons);
      break;
    case kResetWrap:
    case kSetWrap:
      state_.wrap = command == kSetWrap;
      break;
    case kReadId:
      state_.queue.put(state_.id);
      break;
    case kEnable:
    case kDisable:
      state_.reporting = command == kEnable;
      break;
    case kSetDefault:
      set_defaults();
      break;
  }
}

void Ps2Mouse::finish(std::uint8_t command, std::uint8_t parameter) noexcept {
  if (command == kResolution && parameter > kFinestResolution) {
    state_.queue.put(kResend);
    return;
  }
  state_.queue.put(kAck);
  if (command == kResolution) {
    state_.resolution = parameter;
  } else {
    set_sample_rate(parameter);
  }
}

void Ps2Mouse::set_sample_rate(std::uint8_t rate) noexcept {
  const Knock last{state_.previous_rate, state_.sample_rate, rate};
  if (last == kKnockWheel || last == kKnockExplorer) {
    state_.id = last == kKnockWheel ? kIdWheel : kIdExplorer;
  }
  state_.previous_rate = std::exchange(state_.sample_rate, rate);
}

void Ps2Mouse::set_defaults() noexcept {
  const Ps2MouseState fresh;
  state_.resolution = fresh.resolution;
  state_.sample_rate = fresh.sample_rate;
  state_.scaling_2_1 = fresh.scaling_2_1;
  state_.reporting = fresh.reporting;
  state_.remote = fresh.remote;
}

void Ps2Mouse::put_status() noexcept {
  state_.queue.put(static_cast<std::uint8_t>((state_.remote ? kStatusRemote : 0) |
                                             (state_.reporting ? kStatusEnabled : 0) |
                                             (state_.scaling_2_1 ? kStatusScaling2 : 0) |
                                             ((state_.buttons & kLeft) != 0 ? kStatusLeft : 0) |
                                             ((state_.buttons & kMiddle) != 0 ? kStatusMiddle : 0) |
                                             ((state_.buttons & kRight) != 0 ? kStatusRight : 0)));
  state_.queue.put(state_.resolution);
  state_.queue.put(state_.sample_rate);
}

void Ps2Mouse::move(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) noexcept {
  const auto pressed = static_cast<std::uint8_t>(buttons & ~state_.buttons);
  state_.buttons = buttons & kAllButtons;
  add(state_.dx, dx);
  add(state_.dy, -dy);
  if (has_wheel()) {
    add(state_.dz, ((pressed & kWheelDown) != 0 ? 1 : 0) - ((pressed & kWheelUp) != 0 ? 1 : 0));
  }
  if (!streams()) {
    return;
  }
  if ((buttons & kRealButtons) == state_.sent_buttons) {
    stream();
    return;
  }
  // A click is where the pointer has come to: movement goes before it, as far as there is room.
  while (has_moved() && state_.packets.has_room(2U * packet_size())) {
    put_packet(state_.sent_buttons);
  }
  put_packet(buttons);
}

std::uint8_t Ps2Mouse::send() noexcept {
  state_.last_sent = state_.queue.empty() ? state_.packets.take() : state_.queue.take();
  if (streams() && !has_byte()) {
    stream();
  }
  return state_.last_sent;
}

bool Ps2Mouse::has_moved() const noexcept {
  return state_.dx != 0 || state_.dy != 0 || state_.dz != 0;
}

void Ps2Mouse::stream() noexcept {
  const bool news = has_moved() || (state_.buttons & kRealButtons) != state_.sent_buttons;
  if (news && state_.packets.empty()) {
    put_packet(state_.buttons);
  }
}

void Ps2Mouse::put_packet(std::uint8_t buttons) noexcept {
  if (state_.packets.has_room(packet_size())) {
    put_movement(state_.packets, buttons);
    state_.sent_buttons = buttons & kRealButtons;
  }
}

void Ps2Mouse::put_movement(Ps2Queue& to, std::uint8_t buttons) noexcept {
  const int dx = take(state_.dx, kMostInPacket);
  const int dy = take(state_.dy, kMostInPacket);
  to.put(static_cast<std::uint8_t>(kMovementSync | ((buttons & kLeft) != 0 ? kMovementLeft : 0) |
                                   ((buttons & kRight) != 0 ? kMovementRight : 0) |
                                   ((buttons & kMiddle) != 0 ? kMovementMiddle : 0) |
                                   (dx < 0 ? kMovementLeftwards : 0) |
                                   (dy < 0 ? kMovementDownwards : 0)));
  to.put(static_cast<std::uint8_t>(dx));
  to.put(static_cast<std::uint8_t>(dy));
  if (has_wheel()) {
    const auto dz = static_cast<std::uint8_t>(take(state_.dz, kMostOfWheel));
    to.put(state_.id == kIdExplorer ? static_cast<std::uint8_t>(dz & kExplorerWheelMask) : dz);
  }
}

}  // namespace dm::chipset
