// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/input_device.h"
#include "core/backend/input_sink.h"
#include "devices/chipset/i8042.h"

#include <cstdint>

namespace dm {

/// Where a person's keys and pointer go in the guest. Keys go to the PS/2 keyboard. The pointer
/// goes to the first of these that is ready: the PV pointer, the tablet, the PS/2 mouse. It is
/// asked at each event, since drivers come and go. When it changes, the old one gets its buttons
/// released.
///
/// A position becomes a movement for the PS/2 mouse, from the position before it. The guest may
/// speed movements up, so its pointer may then be elsewhere than the viewer's: absolute() is false.
///
/// Thread rule: the loop's thread only. Nothing allocates or throws.
class Input final : public InputSink {
 public:
  static constexpr std::uint16_t kMost = 32767;  ///< the largest x and y

  /// `ps2` outlives it.
  explicit Input(chipset::I8042& ps2) noexcept : ps2_{ps2} {}

  void key(std::uint8_t code, bool down) noexcept override;
  void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) noexcept override;
  void pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) noexcept override;
  [[nodiscard]] bool absolute() const noexcept override { return target() != nullptr; }
  [[nodiscard]] std::uint8_t leds() const noexcept override { return ps2_.keyboard().leds; }

  /// The viewer has gone: nothing that it held stays pressed. The next position is where a new one
  /// begins, and no movement.
  void release_all() noexcept override;
  /// The size of what the guest shows, in pixels: what positions are converted with for a device
  /// that takes movements, and the other way round. 0 counts as 1.
  void set_screen(std::uint16_t width, std::uint16_t height) noexcept override;

  /// Devices that take positions; null: there is none. A device outlives this, or is taken back.
  void set_pv_pointer(PointerDevice* device) noexcept { replace(pv_, device); }
  void set_tablet(PointerDevice* device) noexcept { replace(tablet_, device); }

  /// Until resume(), nothing that is pressed or moved reaches a device. Idempotent.
  void pause() noexcept { paused_ = true; }
  /// What went up meanwhile goes up in the guest now, and so does what the guest has pressed and
  /// nobody here holds: the viewer of a guest that was saved. What was pressed meanwhile is lost.
  void resume() noexcept;

 private:
  [[nodiscard]] PointerDevice* target() const noexcept;
  /// Decides anew, and lets the old device go.
  [[nodiscard]] PointerDevice* retarget() noexcept;
  void replace(PointerDevice*& place, PointerDevice* device) noexcept;

  chipset::I8042& ps2_;
  PointerDevice* pv_ = nullptr;
  PointerDevice* tablet_ = nullptr;
  PointerDevice* last_ = nullptr;  ///< who got the last event; null: the PS/2 mouse
  chipset::KeyBits held_{};        ///< by the viewer
  std::uint16_t width_ = 640;
  std::uint16_t height_ = 480;
  std::uint16_t x_ = 0;
  std::uint16_t y_ = 0;
  std::uint8_t buttons_ = 0;
  bool has_position_ = false;
  bool paused_ = false;
};

}  // namespace dm
