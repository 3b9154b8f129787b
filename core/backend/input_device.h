// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

/// A device of the guest that takes positions of the pointer: a USB tablet, a PV pointer. It
/// answers to whoever routes input, which asks ready() before it sends anything. Thread rule: the
/// loop's thread only.
class PointerDevice {
 public:
  PointerDevice() = default;
  PointerDevice(const PointerDevice&) = delete;
  PointerDevice& operator=(const PointerDevice&) = delete;
  virtual ~PointerDevice() = default;

  /// Whether a driver of the guest listens now: a PV pointer is connected, a tablet is configured
  /// and was polled within a second.
  [[nodiscard]] virtual bool ready() const noexcept = 0;
  /// x and y are 0 to 32767; buttons as in InputSink::pointer. When another device takes over, this
  /// one gets a last call without buttons, so that none stays pressed: it may be not ready by then.
  virtual void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) noexcept = 0;
};

}  // namespace dm
