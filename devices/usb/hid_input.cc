// SPDX-License-Identifier: MIT
#include "devices/usb/hid_input.h"

#include <algorithm>
#include <span>

namespace dm::usb {

namespace {

constexpr int kMost = 32767;  // of a tablet's coordinate, and what a queued movement may sum up to
constexpr int kMostOfByte = 127;  // of a mouse's report

// clang-format off
/// HID usages of XT set-1 codes; from 80h on those behind E0h. 0: no key. Source: HID Usage Tables
/// 1.12, chapter 10; Microsoft, "Keyboard Scan Code Specification" 1.3a, appendix A.
constexpr std::array<std::uint8_t, 256> kUsages = [] {
  std::array<std::uint8_t, 256> u{};
  constexpr std::array<std::uint8_t, 0x59> plain{
      0x00, 0x29, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23,
      0x24, 0x25, 0x26, 0x27, 0x2d, 0x2e, 0x2a, 0x2b,
      0x14, 0x1a, 0x08, 0x15, 0x17, 0x1c, 0x18, 0x0c,
      0x12, 0x13, 0x2f, 0x30, 0x28, 0xe0, 0x04, 0x16,
      0x07, 0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x0f, 0x33,
      0x34, 0x35, 0xe1, 0x31, 0x1d, 0x1b, 0x06, 0x19,
      0x05, 0x11, 0x10, 0x36, 0x37, 0x38, 0xe5, 0x55,
      0xe2, 0x2c, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e,
      0x3f, 0x40, 0x41, 0x42, 0x43, 0x53, 0x47, 0x5f,
      0x60, 0x61, 0x56, 0x5c, 0x5d, 0x5e, 0x57, 0x59,
      0x5a, 0x5b, 0x62, 0x63, 0x46, 0x00, 0x64, 0x44, 0x45};
  std::ranges::copy(plain, u.begin());
  constexpr std::array<std::array<std::uint8_t, 2>, 31> more{{
      {0x59, 0x67}, {0x70, 0x88}, {0x73, 0x87}, {0x79, 0x8a}, {0x7b, 0x8b}, {0x7d, 0x89},
      {0x7e, 0x85}, {0x9c, 0x58}, {0x9d, 0xe4}, {0xa0, 0x7f}, {0xae, 0x81}, {0xb0, 0x80},
      {0xb5, 0x54}, {0xb7, 0x46}, {0xb8, 0xe6}, {0xc5, 0x48}, {0xc6, 0x48}, {0xc7, 0x4a},
      {0xc8, 0x52}, {0xc9, 0x4b}, {0xcb, 0x50}, {0xcd, 0x4f}, {0xcf, 0x4d}, {0xd0, 0x51},
      {0xd1, 0x4e}, {0xd2, 0x49}, {0xd3, 0x4c}, {0xdb, 0xe3}, {0xdc, 0xe7}, {0xdd, 0x65},
      {0xde, 0x66},
  }};
  for (const auto& [code, usage] : more) {
    u[code] = usage;
  }
  return u;
}();
// clang-format on

constexpr std::uint8_t kFirstModifier = 0xe0;
constexpr std::uint8_t kLastModifier = 0xe7;
constexpr std::uint8_t kErrorRollOver = 0x01;
constexpr std::size_t kReportedKeys = 6;

int as_signed(std::uint16_t value) noexcept {
  return static_cast<std::int16_t>(value);
}
int as_signed(std::uint8_t value) noexcept {
  return static_cast<std::int8_t>(value);
}
std::uint16_t limited(int value) noexcept {
  return static_cast<std::uint16_t>(std::clamp(value, -kMost, kMost));
}
std::uint8_t byte_of(int value) noexcept {
  return static_cast<std::uint8_t>(std::clamp(value, -kMostOfByte, kMostOfByte));
}

/// From left, middle, right to left, right, middle: the order of HID (Usage Tables 1.12, ch. 12).
std::uint8_t hid_buttons(std::uint8_t given) noexcept {
  const unsigned bits = given;
  return static_cast<std::uint8_t>((bits & 1U) | (bits >> 1U & 2U) | (bits << 1U & 4U));
}

/// A key goes down or up. Keys that do not fit into the list are as if nobody had pressed them.
void change(HidInputState& keys, std::uint8_t usage, bool down) noexcept {
  if (usage >= kFirstModifier && usage <= kLastModifier) {
    const auto bit = static_cast<std::uint8_t>(1U << (usage - kFirstModifier));
    keys.modifiers = static_cast<std::uint8_t>(down ? keys.modifiers | bit : keys.modifiers & ~bit);
    return;
  }
  const std::span<std::uint8_t> held = std::span{keys.down}.first(keys.downs);
  const auto at = std::ranges::find(held, usage);
  if (down && at == held.end() && keys.downs < keys.down.size()) {
    keys.down.at(keys.downs++) = usage;
  } else if (!down && at != held.end()) {
    std::ranges::copy(at + 1, held.end(), at);
    keys.down.at(--keys.downs) = 0;
  }
}

HidReport keyboard_report(const HidInputState& keys) noexcept {
  HidReport report{.bytes = {keys.modifiers}, .length = 8};
  for (std::size_t i = 0; i < std::min<std::size_t>(keys.downs, kReportedKeys); ++i) {
    report.bytes.at(2 + i) = keys.downs > kReportedKeys ? kErrorRollOver : keys.down.at(i);
  }
  return report;
}

}  // namespace

HidInput::Event HidInput::front() const noexcept {
  const HidQueue& q = state_.queue;
  return {.x = q.x.at(q.first),
          .y = q.y.at(q.first),
          .buttons = q.buttons.at(q.first),
          .wheel = q.wheel.at(q.first)};
}

/// The buttons that the guest will know when it has fetched all.
std::uint8_t HidInput::last_buttons() const noexcept {
  const HidQueue& q = state_.queue;
  return q.count == 0 ? state_.buttons : q.buttons.at((q.first + q.count - 1U) % kQueue);
}

/// A wheel is two buttons for who gives the event; it moves when one of them goes down.
std::uint8_t HidInput::wheel_of(std::uint8_t buttons) noexcept {
  const auto pressed = static_cast<std::uint8_t>(buttons & ~state_.given);
  state_.given = buttons;
  return byte_of(static_cast<int>(pressed >> 3U & 1U) - static_cast<int>(pressed >> 4U & 1U));
}

bool HidInput::joined(const Event& event) noexcept {
  HidQueue& q = state_.queue;
  if (kind_ == HidKind::keyboard || q.count == 0) {
    return false;
  }
  const std::size_t last = (q.first + q.count - 1U) % kQueue;
  if (q.buttons.at(last) != event.buttons) {
    return false;
  }
  const bool relative = kind_ == HidKind::mouse;
  q.x.at(last) = relative ? limited(as_signed(q.x.at(last)) + as_signed(event.x)) : event.x;
  q.y.at(last) = relative ? limited(as_signed(q.y.at(last)) + as_signed(event.y)) : event.y;
  q.wheel.at(last) = byte_of(as_signed(q.wheel.at(last)) + as_signed(event.wheel));
  return true;
}

void HidInput::push(const Event& event, bool queue) noexcept {
  HidQueue& q = state_.queue;
  if (joined(event)) {
    return;
  }
  if (q.count == kQueue) {
    ++merged_;
    pop();
  }
  const std::size_t at = (q.first + q.count) % kQueue;
  q.x.at(at) = event.x;
  q.y.at(at) = event.y;
  q.buttons.at(at) = event.buttons;
  q.wheel.at(at) = event.wheel;
  ++q.count;
  if (!queue) {
    forget();
  }
}

void HidInput::pointer(std::uint16_t x,
                       std::uint16_t y,
                       std::uint8_t buttons,
                       bool queue) noexcept {
  if (kind_ == HidKind::tablet) {
    push({.x = std::min<std::uint16_t>(x, kMost),
          .y = std::min<std::uint16_t>(y, kMost),
          .buttons = hid_buttons(buttons),
          .wheel = wheel_of(buttons)},
         queue);
  }
}

void HidInput::pointer_by(int dx, int dy, std::uint8_t buttons, bool queue) noexcept {
  if (kind_ == HidKind::mouse) {
    const Event event{.x = limited(dx),
                      .y = limited(dy),
                      .buttons = hid_buttons(buttons),
                      .wheel = wheel_of(buttons)};
    if (event.x != 0 || event.y != 0 || event.wheel != 0 || event.buttons != last_buttons()) {
      push(event, queue);
    }
  } else if (kind_ == HidKind::tablet) {
    const HidQueue& q = state_.queue;
    const std::size_t last = (q.first + q.count - 1U) % kQueue;
    const int x = (q.count == 0 ? state_.x : q.x.at(last)) + std::clamp(dx, -kMost, kMost);
    const int y = (q.count == 0 ? state_.y : q.y.at(last)) + std::clamp(dy, -kMost, kMost);
    pointer(static_cast<std::uint16_t>(std::clamp(x, 0, kMost)),
            static_cast<std::uint16_t>(std::clamp(y, 0, kMost)), buttons, queue);
  }
}

void HidInput::key(std::uint8_t code, bool down, bool queue) noexcept {
  if (kind_ == HidKind::keyboard && kUsages.at(code) != 0) {
    push({.x = kUsages.at(code), .buttons = down ? std::uint8_t{1} : std::uint8_t{0}}, queue);
  }
}

HidReport HidInput::report(bool boot) const noexcept {
  const Event event = front();
  if (kind_ == HidKind::keyboard) {
    HidInputState keys = state_;
    if (waiting()) {
      change(keys, static_cast<std::uint8_t>(event.x), event.buttons != 0);
    }
    return keyboard_report(keys);
  }
  const std::uint8_t buttons = waiting() ? event.buttons : state_.buttons;
  const std::uint8_t wheel = waiting() ? event.wheel : std::uint8_t{0};
  if (kind_ == HidKind::mouse) {
    const int x = waiting() ? as_signed(event.x) : 0;
    const int y = waiting() ? as_signed(event.y) : 0;
    return {.bytes = {buttons, byte_of(x), byte_of(y), wheel},
            .length = boot ? std::uint8_t{3} : std::uint8_t{4}};
  }
  const unsigned x = waiting() ? event.x : state_.x;
  const unsigned y = waiting() ? event.y : state_.y;
  return {.bytes = {buttons, static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(x >> 8U),
                    static_cast<std::uint8_t>(y), static_cast<std::uint8_t>(y >> 8U), wheel},
          .length = 6};
}

void HidInput::sent() noexcept {
  if (!waiting()) {
    return;
  }
  HidQueue& q = state_.queue;
  if (kind_ == HidKind::mouse) {
    // A long way takes several reports.
    std::uint16_t& x = q.x.at(q.first);
    std::uint16_t& y = q.y.at(q.first);
    x = limited(as_signed(x) - as_signed(byte_of(as_signed(x))));
    y = limited(as_signed(y) - as_signed(byte_of(as_signed(y))));
    q.wheel.at(q.first) = 0;
    state_.buttons = q.buttons.at(q.first);
    if (x != 0 || y != 0) {
      return;
    }
  }
  pop();
}

/// The oldest event takes effect.
void HidInput::pop() noexcept {
  HidQueue& q = state_.queue;
  const Event event = front();
  if (kind_ == HidKind::keyboard) {
    change(state_, static_cast<std::uint8_t>(event.x), event.buttons != 0);
  } else {
    state_.buttons = event.buttons;
    if (kind_ == HidKind::tablet) {
      state_.x = event.x;
      state_.y = event.y;
    }
  }
  q.first = static_cast<std::uint8_t>((q.first + 1U) % kQueue);
  --q.count;
}

void HidInput::forget() noexcept {
  while (waiting()) {
    pop();
  }
}

}  // namespace dm::usb
