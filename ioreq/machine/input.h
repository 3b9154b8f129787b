// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/input_device.h"
#include "core/backend/input_sink.h"
#include "devices/chipset/keyboard_controller.h"

#include <bitset>
#include <cstdint>
#include <vector>

namespace dm {

/// Where keys and pointer of a viewer end: keys at the PS/2 keyboard, the pointer at the first
/// device that takes positions and has a driver of the guest's, else movements at the PS/2 mouse.
/// It knows which keys and buttons are held, so that none stays down when its viewer has gone or
/// another device takes over. Thread rule: the loop's thread only. No allocation after add().
class Input final : public InputSink {
 public:
  struct Counters {
    std::uint64_t keys = 0;
    std::uint64_t moves = 0;
  };

  explicit Input(chipset::KeyboardController& ps2) noexcept : ps2_{ps2} {}
  /// One that is asked before those that are there. It outlives this object.
  void add(PointerDevice& device) { devices_.insert(devices_.begin(), &device); }

  void key(std::uint8_t code, bool down) override;
  /// A PS/2 mouse goes to no place: there only the buttons count.
  void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) override;
  void pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) override;
  [[nodiscard]] bool absolute() const override { return ready() != nullptr; }
  [[nodiscard]] std::uint8_t leds() const override { return ps2_.leds() & 7U; }
  void release_all() override;
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  /// The device that takes positions now, or null.
  [[nodiscard]] PointerDevice* ready() const noexcept;
  void take_over(PointerDevice* device) noexcept;
  void move_mouse(int right, int up, std::uint8_t buttons) noexcept;

  chipset::KeyboardController& ps2_;
  std::bitset<256> held_;
  std::uint8_t buttons_ = 0;  ///< as RFB has them
  std::vector<PointerDevice*> devices_;
  PointerDevice* last_ = nullptr;  ///< that was told last; null: the mouse
  std::uint16_t x_ = 0;
  std::uint16_t y_ = 0;
  Counters counters_;
};

}  // namespace dm
