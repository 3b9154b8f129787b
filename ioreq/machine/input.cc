// SPDX-License-Identifier: MIT
#include "ioreq/machine/input.h"

namespace dm {

namespace {

// RFC 6143, 7.5.5.
constexpr unsigned kLeft = 1;
constexpr unsigned kMiddle = 2;
constexpr unsigned kRight = 4;
constexpr unsigned kWheelUp = 8;
constexpr unsigned kWheelDown = 16;

/// As a PS/2 mouse numbers them.
[[nodiscard]] std::uint8_t ps2_buttons(unsigned buttons) noexcept {
  return static_cast<std::uint8_t>(((buttons & kLeft) != 0 ? 1 : 0) |
                                   ((buttons & kRight) != 0 ? 2 : 0) |
                                   ((buttons & kMiddle) != 0 ? 4 : 0));
}

}  // namespace

void Input::key(std::uint8_t code, bool down) {
  if (!down && !held_.test(code)) {
    return;  // it was never pressed
  }
  held_.set(code, down);
  ++counters_.keys;
  ps2_.press(code, down);
}

PointerDevice* Input::ready() const noexcept {
  for (PointerDevice* const device : devices_) {
    if (device->ready()) {
      return device;
    }
  }
  return nullptr;
}

/// No button stays pressed at the device before.
void Input::take_over(PointerDevice* device) noexcept {
  if (device == last_) {
    return;
  }
  if (buttons_ != 0 && last_ != nullptr) {
    last_->pointer(x_, y_, 0);
  } else if (buttons_ != 0) {
    move_mouse(0, 0, 0);
  }
  buttons_ = 0;
  last_ = device;
}

/// A turn of the wheel is a button that goes down.
void Input::move_mouse(int right, int up, std::uint8_t buttons) noexcept {
  const unsigned pressed = buttons & ~unsigned{buttons_};
  const int wheel = ((pressed & kWheelDown) != 0 ? 1 : 0) - ((pressed & kWheelUp) != 0 ? 1 : 0);
  ps2_.move(right, up, ps2_buttons(buttons), wheel);
}

void Input::pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) {
  ++counters_.moves;
  PointerDevice* const device = ready();
  take_over(device);
  if (device != nullptr) {
    device->pointer(x, y, buttons);
  } else {
    move_mouse(0, 0, buttons);
  }
  x_ = x;
  y_ = y;
  buttons_ = buttons;
}

/// Also while a device takes positions: a viewer may not have heard of it yet.
void Input::pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) {
  ++counters_.moves;
  take_over(nullptr);
  move_mouse(dx, -dy, buttons);
  buttons_ = buttons;
}

void Input::release_all() {
  for (std::size_t code = 0; code < held_.size(); ++code) {
    if (held_.test(code)) {
      key(static_cast<std::uint8_t>(code), false);
    }
  }
  if (buttons_ != 0 && last_ != nullptr) {
    last_->pointer(x_, y_, 0);
  } else if (buttons_ != 0) {
    move_mouse(0, 0, 0);
  }
  buttons_ = 0;
}

}  // namespace dm
