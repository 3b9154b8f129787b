// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

/// Port to the guest's keyboard and pointer, for whoever has a person's hands: a VNC client, a
/// test. Events come one at a time and are never refused; what the guest has no room for is lost,
/// but a release is not. Typematic is the caller's: it presses a held key again. Thread rule: the
/// loop's thread only.
class InputSink {
 public:
  InputSink() = default;
  InputSink(const InputSink&) = delete;
  InputSink& operator=(const InputSink&) = delete;
  virtual ~InputSink() = default;

  /// A key goes down or up. `code` is its XT code (scan code set 1); bit 7 stands for the prefix
  /// E0. Pause is C6h, Print Screen B7h. Codes of no key do nothing.
  virtual void key(std::uint8_t code, bool down) = 0;
  /// The pointer is at x and y, 0 to 32767 of the screen's width and height; more counts as 32767.
  /// Buttons as in RFB: bit 0 left, 1 middle, 2 right; bits 3 and 4 the wheel up and down, where
  /// each change from 0 to 1 is one step.
  virtual void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) = 0;
  /// The pointer has moved by pixels of the screen, right and down. Buttons as above.
  virtual void pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) = 0;
  /// Whether the guest takes positions now. False: it takes movements, and its pointer may be
  /// elsewhere than the client's.
  [[nodiscard]] virtual bool absolute() const = 0;
  /// The keyboard's lights: bit 0 scroll lock, 1 num lock, 2 caps lock.
  [[nodiscard]] virtual std::uint8_t leds() const = 0;
  /// The size of what the guest shows, in pixels: positions become movements by it, and the other
  /// way round. 0 counts as 1.
  virtual void set_screen(std::uint16_t width, std::uint16_t height) = 0;
  /// Whoever sent events has gone: nothing that it held stays pressed.
  virtual void release_all() = 0;
};

}  // namespace dm
