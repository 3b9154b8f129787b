// SPDX-License-Identifier: MIT
#include "devices/chipset/ps2_mouse.h"

#include <array>
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
constexpr std::uint8_t kFinestResolution = 3;
constexpr std::array<std::uint8_t, 3> kKnock{200, 100, 80};

// Status byte 1.
constexpr std::uint8_t kStatusRemote = 0x40;
constexpr std::uint8_t kStatusEnabled = 0x20;
constexpr std::uint8_t kStatusScaling2 = 0x10;
// Movement byte 1: this bit is always set, so that receivers find the start of a packet.
constexpr std::uint8_t kMovementSync = 0x08;

/// Beside "resend" and "reset", which answer in ways of their own.
constexpr bool is_command(std::uint8_t byte) noexcept {
  return (byte >= kScaling1 && byte <= kResetWrap) || byte == kSetWrap || byte == kRemoteMode ||
         (byte >= kReadId && byte <= kSetDefault);
}
constexpr bool takes_parameter(std::uint8_t command) noexcept {
  return command == kResolution || command == kSampleRate;
}

}  // namespace

bool validate(const Ps2MouseState& s) noexcept {
  return s.resolution <= kFinestResolution && (s.id == kIdMouse || s.id == kIdWheel) &&
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
  if (state_.previous_rate == kKnock[0] && state_.sample_rate == kKnock[1] && rate == kKnock[2]) {
    state_.id = kIdWheel;
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
                                             (state_.scaling_2_1 ? kStatusScaling2 : 0)));
  state_.queue.put(state_.resolution);
  state_.queue.put(state_.sample_rate);
}

/// No button, no motion; a wheel adds a byte.
void Ps2Mouse::put_movement() noexcept {
  state_.queue.put(kMovementSync);
  state_.queue.put(0);
  state_.queue.put(0);
  if (state_.id == kIdWheel) {
    state_.queue.put(0);
  }
}

}  // namespace dm::chipset
