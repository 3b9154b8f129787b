// SPDX-License-Identifier: MIT
#include "devices/chipset/ps2_keyboard.h"

#include "devices/chipset/scan_codes.h"

#include <utility>

namespace dm::chipset {

namespace {

constexpr std::uint8_t kSetLeds = 0xed;
constexpr std::uint8_t kEcho = 0xee;
constexpr std::uint8_t kScancodeSet = 0xf0;
constexpr std::uint8_t kReadId = 0xf2;
constexpr std::uint8_t kSetRate = 0xf3;
constexpr std::uint8_t kEnable = 0xf4;
constexpr std::uint8_t kDefaultDisable = 0xf5;
constexpr std::uint8_t kSetDefault = 0xf6;
constexpr std::uint8_t kAllTypematic = 0xf7;  // F7h-FAh set properties of all keys, scan code set 3
constexpr std::uint8_t kAllKeysLast = 0xfa;
constexpr std::uint8_t kResend = 0xfe;
constexpr std::uint8_t kReset = 0xff;

constexpr std::uint8_t kAck = 0xfa;
constexpr std::uint8_t kTestPassed = 0xaa;
constexpr std::uint8_t kIdFirst = 0xab;
constexpr std::uint8_t kIdSecond = 0x83;

constexpr bool takes_parameter(std::uint8_t command) noexcept {
  return command == kSetLeds || command == kScancodeSet || command == kSetRate;
}

}  // namespace

bool validate(const Ps2KeyboardState& s) noexcept {
  return s.scancode_set >= 1 && s.scancode_set <= 3 &&
         (s.command == 0 || takes_parameter(s.command)) && validate(s.queue);
}

void Ps2Keyboard::receive(std::uint8_t byte) noexcept {
  const std::uint8_t command = std::exchange(state_.command, std::uint8_t{0});
  if (command != 0 && byte < kSetLeds) {
    finish(command, byte);
  } else {
    start(byte);  // a command where a parameter was due ends the old one
  }
}

void Ps2Keyboard::set_defaults() noexcept {
  const std::uint8_t leds = state_.leds;
  const std::uint8_t modifiers = state_.modifiers;
  state_ = Ps2KeyboardState{};
  state_.leds = leds;
  state_.modifiers = modifiers;
}

void Ps2Keyboard::press(std::uint8_t code, bool down) noexcept {
  // Some keys send other codes while these are held.
  state_.modifiers = hold(state_.modifiers, code, down);
  if (state_.scanning) {
    const ScanSequence sequence = scan_sequence(state_.scancode_set, code, down, state_.modifiers);
    static_cast<void>(state_.queue.put_all(sequence.bytes()));
  }
}

void Ps2Keyboard::start(std::uint8_t command) noexcept {
  Ps2Queue& out = state_.queue;
  switch (command) {
    case kSetLeds:
    case kScancodeSet:
    case kSetRate:
      state_.command = command;
      out.put(kAck);
      break;
    case kEcho:
      out.put(kEcho);
      break;
    case kReadId:
      out.put(kAck);
      out.put(kIdFirst);
      out.put(kIdSecond);
      break;
    case kEnable:
      out.clear();
      state_.scanning = true;
      out.put(kAck);
      break;
    case kDefaultDisable:
    case kSetDefault:
      set_defaults();
      state_.scanning = command == kSetDefault;
      out.put(kAck);
      break;
    case kResend:
      out.put(state_.last_sent);
      break;
    case kReset:
      set_defaults();
      state_.leds = 0;
      out.put(kAck);
      out.put(kTestPassed);
      break;
    default:
      out.put(command >= kAllTypematic && command <= kAllKeysLast ? kAck : kResend);
      break;
  }
}

void Ps2Keyboard::finish(std::uint8_t command, std::uint8_t parameter) noexcept {
  Ps2Queue& out = state_.queue;
  if (command == kScancodeSet && parameter > 3) {
    out.put(kResend);
    return;
  }
  out.put(kAck);
  if (command == kSetLeds) {
    state_.leds = parameter;
  } else if (command == kSetRate) {
    state_.rate = parameter;
  } else if (parameter == 0) {
    out.put(state_.scancode_set);
  } else {
    state_.scancode_set = parameter;
  }
}

}  // namespace dm::chipset
