// SPDX-License-Identifier: MIT
#include "devices/chipset/ps2_keyboard.h"

#include "devices/chipset/scan_codes.h"

#include <cstddef>
#include <span>
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

bool owes_only_what_is_down(const Ps2KeyboardState& s) noexcept {
  for (std::size_t i = 0; i < s.owed.size(); ++i) {
    if ((s.owed[i] & ~s.down[i]) != 0) {
      return false;
    }
  }
  return true;
}

Modifiers modifiers(const KeyBits& down) noexcept {
  return {.shift = has_key(down, kKeyLeftShift) || has_key(down, kKeyRightShift),
          .ctrl = has_key(down, kKeyLeftCtrl) || has_key(down, kKeyRightCtrl)};
}

}  // namespace

bool validate(const Ps2KeyboardState& s) noexcept {
  return validate(s.keys) && owes_only_what_is_down(s) && s.scancode_set >= 1 &&
         s.scancode_set <= 3 && (s.command == 0 || takes_parameter(s.command)) && validate(s.queue);
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
  Ps2KeyboardState fresh;
  fresh.leds = state_.leds;
  fresh.down = state_.down;
  fresh.owed = state_.owed;
  state_ = fresh;
}

void Ps2Keyboard::clear_output() noexcept {
  state_.queue.clear();
  state_.keys.clear();
}

std::uint8_t Ps2Keyboard::send() noexcept {
  state_.last_sent = state_.queue.empty() ? state_.keys.take() : state_.queue.take();
  pay_owed();
  return state_.last_sent;
}

bool Ps2Keyboard::put_sequence(std::uint8_t code, bool is_down) noexcept {
  const ScanCodes codes = scan_codes(state_.scancode_set, code, is_down, modifiers(state_.down));
  return state_.keys.put_whole(std::span{codes.bytes}.first(codes.count));
}

void Ps2Keyboard::key(std::uint8_t code, bool is_down) noexcept {
  if (code == kKeyPrintScreen) {
    // With Alt it is another key, and stays so until it goes up.
    const bool alt = has_key(state_.down, kKeyLeftAlt) || has_key(state_.down, kKeyRightAlt);
    if (is_down ? alt : has_key(state_.down, kKeySysRq)) {
      code = kKeySysRq;
    }
  }
  if (!is_down) {
    if (has_key(state_.down, code)) {
      release(code);
    }
    return;
  }
  set_key(state_.owed, code, false);
  if (!state_.scanning || !put_sequence(code, true)) {
    return;
  }
  const bool breaks = scan_codes(state_.scancode_set, code, false, {}).count != 0;
  if (breaks) {
    set_key(state_.down, code, true);
  }
}

void Ps2Keyboard::release(std::uint8_t code) noexcept {
  const bool sent = state_.scanning && put_sequence(code, false);
  set_key(state_.owed, code, !sent);
  if (sent) {
    set_key(state_.down, code, false);
  }
}

/// In the order of the codes: for a key that goes up the order means nothing.
void Ps2Keyboard::pay_owed() noexcept {
  if (!state_.scanning || state_.owed == KeyBits{}) {
    return;
  }
  for (unsigned code = 0; code < 256; ++code) {
    if (const auto key = static_cast<std::uint8_t>(code); has_key(state_.owed, key)) {
      release(key);
      if (has_key(state_.owed, key)) {
        return;  // no room
      }
    }
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
      clear_output();
      state_.scanning = true;
      out.put(kAck);
      pay_owed();
      break;
    case kDefaultDisable:
    case kSetDefault:
      set_defaults();
      state_.scanning = command == kSetDefault;
      out.put(kAck);
      pay_owed();
      break;
    case kResend:
      out.put(state_.last_sent);
      break;
    case kReset:
      state_ = Ps2KeyboardState{};
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
