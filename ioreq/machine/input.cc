// SPDX-License-Identifier: MIT
#include "ioreq/machine/input.h"

#include "devices/chipset/scan_codes.h"

#include <algorithm>
#include <utility>

namespace dm {

namespace {

constexpr int kRange = Input::kMost + 1;

int to_pixels(std::uint16_t at, std::uint16_t size) noexcept {
  return at * size / kRange;
}

std::uint16_t moved(std::uint16_t at, int pixels, std::uint16_t size) noexcept {
  return static_cast<std::uint16_t>(std::clamp<int>(at + pixels * kRange / size, 0, Input::kMost));
}

}  // namespace

void Input::key(std::uint8_t code, bool down) noexcept {
  chipset::set_key(held_, code, down);
  if (!paused_) {
    ps2_.key(code, down);
  }
}

void Input::pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) noexcept {
  x = std::min(x, kMost);
  y = std::min(y, kMost);
  const int dx = has_position_ ? to_pixels(x, width_) - to_pixels(x_, width_) : 0;
  const int dy = has_position_ ? to_pixels(y, height_) - to_pixels(y_, height_) : 0;
  x_ = x;
  y_ = y;
  has_position_ = true;
  buttons_ = buttons;
  if (paused_) {
    return;
  }
  if (PointerDevice* const device = retarget(); device != nullptr) {
    device->pointer(x, y, buttons);
  } else {
    ps2_.move_mouse(static_cast<std::int16_t>(dx), static_cast<std::int16_t>(dy), buttons);
  }
}

void Input::pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) noexcept {
  x_ = moved(x_, dx, width_);
  y_ = moved(y_, dy, height_);
  buttons_ = buttons;
  if (paused_) {
    return;
  }
  if (PointerDevice* const device = retarget(); device != nullptr) {
    device->pointer(x_, y_, buttons);
  } else {
    ps2_.move_mouse(dx, dy, buttons);
  }
}

void Input::release_all() noexcept {
  for (unsigned code = 0; code < 256; ++code) {
    if (const auto one = static_cast<std::uint8_t>(code); chipset::has_key(held_, one)) {
      key(one, false);
    }
  }
  if (buttons_ != 0) {
    pointer_by(0, 0, 0);
  }
  has_position_ = false;
}

void Input::set_screen(std::uint16_t width, std::uint16_t height) noexcept {
  width_ = std::max<std::uint16_t>(width, 1);
  height_ = std::max<std::uint16_t>(height, 1);
}

void Input::resume() noexcept {
  if (!std::exchange(paused_, false)) {
    return;
  }
  const chipset::KeyBits down = ps2_.keyboard().down;
  for (unsigned code = 0; code < 256; ++code) {
    const auto one = static_cast<std::uint8_t>(code);
    const bool held =
        chipset::has_key(held_, one) ||
        (one == chipset::kKeySysRq && chipset::has_key(held_, chipset::kKeyPrintScreen));
    if (chipset::has_key(down, one) && !held) {
      ps2_.key(one, false);
    }
  }
  if (PointerDevice* const device = retarget(); device != nullptr && has_position_) {
    device->pointer(x_, y_, buttons_);
  }
  if (last_ == nullptr) {
    ps2_.move_mouse(0, 0, buttons_);
  }
}

PointerDevice* Input::target() const noexcept {
  for (PointerDevice* const device : {pv_, tablet_}) {
    if (device != nullptr && device->ready()) {
      return device;
    }
  }
  return nullptr;
}

PointerDevice* Input::retarget() noexcept {
  PointerDevice* const device = target();
  if (device != last_) {
    if (last_ != nullptr) {
      last_->pointer(x_, y_, 0);
    } else {
      ps2_.move_mouse(0, 0, 0);
    }
    last_ = device;
  }
  return device;
}

void Input::replace(PointerDevice*& place, PointerDevice* device) noexcept {
  if (last_ == place) {
    last_ = nullptr;
  }
  place = device;
}

}  // namespace dm
