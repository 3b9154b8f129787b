// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

/// Where a viewer's keys and pointer go. Thread rule: the loop's thread only. No call allocates or
/// waits; what the guest does not fetch is lost.
class InputSink {
 public:
  InputSink() = default;
  InputSink(const InputSink&) = delete;
  InputSink& operator=(const InputSink&) = delete;
  virtual ~InputSink() = default;

  /// A key by its scan code of set 1, as an XT keyboard sends it; bit 7 stands for the prefix E0h.
  virtual void key(std::uint8_t code, bool down) = 0;
  /// A place on the screen, 0 to 32767 in both directions. Buttons as RFB has them: bit 0 left, 1
  /// middle, 2 right, 3 wheel up, 4 wheel down.
  virtual void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) = 0;
  /// A movement, in pixels.
  virtual void pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) = 0;
  /// Does the guest's pointer go where pointer() says? If not, it can only be moved.
  [[nodiscard]] virtual bool absolute() const = 0;
  /// Bit 0 scroll lock, 1 num lock, 2 caps lock (IBM PS/2, Set Mode Indicators).
  [[nodiscard]] virtual std::uint8_t leds() const = 0;
  /// Nobody holds a key or button any more.
  virtual void release_all() = 0;
};

}  // namespace dm
