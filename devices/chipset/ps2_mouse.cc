// SPDX-License-Identifier: MIT
#include "devices/chipset/ps2_mouse.h"

#include <algorithm>
#include <array>
#include <span>
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
constexpr std::array<std::uint8_t, 3> kWheelKnock{200, 100, 80};
constexpr std::array<std::uint8_t, 3> kExplorerKnock{200, 200, 80};
constexpr std::uint8_t kButtons = 7;
/// In one packet. Some drivers take 80h for an overflow.
constexpr int kMostCounts = 127;
constexpr int kMostSteps = 7;
/// What is kept for a system that does not listen.
constexpr int kMostKept = 4096;

// Status byte 1.
constexpr std::uint8_t kStatusRemote = 0x40;
constexpr std::uint8_t kStatusEnabled = 0x20;
constexpr std::uint8_t kStatusScaling2 = 0x10;
// Movement byte 1: this bit is always set, so that receivers find the start of a packet.
constexpr std::uint8_t kMovementSync = 0x08;
constexpr std::uint8_t kNegativeX = 0x10;
constexpr std::uint8_t kNegativeY = 0x20;

/// Beside "resend" and "reset", which answer in ways of their own.
constexpr bool is_command(std::uint8_t byte) noexcept {
  return (byte >= kScaling1 && byte <= kResetWrap) || byte == kSetWrap || byte == kRemoteMode ||
         (byte >= kReadId && byte <= kSetDefault);
}
constexpr bool takes_parameter(std::uint8_t command) noexcept {
  return command == kResolution || command == kSampleRate;
}

[[nodiscard]] constexpr int signed_of(std::uint16_t kept) noexcept {
  return static_cast<std::int16_t>(kept);
}

}  // namespace

bool validate(const Ps2MouseState& s) noexcept {
  return s.resolution <= kFinestResolution &&
         (s.id == kIdMouse || s.id == kIdWheel || s.id == kIdExplorer) &&
         (s.buttons & ~kButtons) == 0 && (s.told_buttons & ~kButtons) == 0 &&
         (s.command == 0 || takes_parameter(s.command)) && validate(s.queue);
}

void Ps2Mouse::receive(std::uint8_t byte) noexcept {
  if (state_.wrap && byte != kResetWrap && byte != kReset) {
    state_.queue.put(byte);
    return;
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
    const std::uint8_t buttons = state_.buttons;
    state_ = Ps2MouseState{};
    state_.buttons = buttons;
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
      put_movement();
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
  const std::array<std::uint8_t, 3> heard{state_.previous_rate, state_.sample_rate, rate};
  if (heard == kWheelKnock) {
    state_.id = kIdWheel;
  } else if (heard == kExplorerKnock) {
    state_.id = kIdExplorer;
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
  state_.x = 0;
  state_.y = 0;
  state_.wheel = 0;
}

void Ps2Mouse::put_status() noexcept {
  state_.queue.put(static_cast<std::uint8_t>(
      (state_.remote ? kStatusRemote : 0) | (state_.reporting ? kStatusEnabled : 0) |
      (state_.scaling_2_1 ? kStatusScaling2 : 0) | ((state_.buttons & 1U) << 2) |
      ((state_.buttons & 4U) >> 1) | ((state_.buttons & 2U) >> 1)));
  state_.queue.put(state_.resolution);
  state_.queue.put(state_.sample_rate);
}

/// One packet of what has happened since the last; the rest stays.
void Ps2Mouse::put_movement() noexcept {
  const int x = std::clamp(signed_of(state_.x), -kMostCounts, kMostCounts);
  const int y = std::clamp(signed_of(state_.y), -kMostCounts, kMostCounts);
  const int wheel = std::clamp(signed_of(state_.wheel), -kMostSteps, kMostSteps);
  std::array<std::uint8_t, 4> packet{
      static_cast<std::uint8_t>(kMovementSync | state_.buttons | (x < 0 ? kNegativeX : 0) |
                                (y < 0 ? kNegativeY : 0)),
      static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y),
      static_cast<std::uint8_t>(state_.id == kIdExplorer ? wheel & 0x0f : wheel)};
  if (state_.queue.put_all(std::span{packet}.first(state_.id == kIdMouse ? 3 : 4))) {
    state_.x = static_cast<std::uint16_t>(state_.x - x);
    state_.y = static_cast<std::uint16_t>(state_.y - y);
    state_.wheel = static_cast<std::uint16_t>(state_.id == kIdMouse ? 0 : state_.wheel - wheel);
    state_.told_buttons = state_.buttons;
  }
}

/// In stream mode, when there is something to tell and the last packet has been fetched.
void Ps2Mouse::report() noexcept {
  const bool news =
      state_.x != 0 || state_.y != 0 || state_.wheel != 0 || state_.buttons != state_.told_buttons;
  if (news && state_.reporting && !state_.remote && !state_.wrap && state_.queue.empty()) {
    put_movement();
  }
}

void Ps2Mouse::move(int right, int up, std::uint8_t buttons, int wheel) noexcept {
  const auto keep = [](std::uint16_t& kept, int more) {
    const int sum = signed_of(kept) + std::clamp(more, -kMostKept, kMostKept);
    kept = static_cast<std::uint16_t>(std::clamp(sum, -kMostKept, kMostKept));
  };
  state_.buttons = static_cast<std::uint8_t>(buttons & kButtons);
  if (!state_.reporting && !state_.remote) {
    return;  // moved while nobody looks
  }
  keep(state_.x, right);
  keep(state_.y, up);
  keep(state_.wheel, wheel);
  report();
}

std::uint8_t Ps2Mouse::send() noexcept {
  state_.last_sent = state_.queue.take();
  report();
  return state_.last_sent;
}

}  // namespace dm::chipset
