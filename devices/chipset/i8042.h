// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"
#include "core/irq/irq_line.h"
#include "devices/chipset/keyboard_controller.h"

#include <cstdint>

namespace dm::chipset {

/// The wiring of the keyboard controller: ports 0x60 and 0x64, ISA interrupts 1 and 12. Thread
/// rule: the loop's thread only.
class I8042 {
 public:
  /// Throws std::runtime_error when the ports are not to be had.
  I8042(PioBus& pio, IrqRouter& irqs, DomainControl& control);

  /// What somebody does to keyboard and mouse: Ps2Keyboard::key, Ps2Mouse::move.
  void key(std::uint8_t code, bool is_down) noexcept { controller_.key(code, is_down); }
  void move_mouse(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) noexcept {
    controller_.move_mouse(dx, dy, buttons);
  }
  [[nodiscard]] const Ps2KeyboardState& keyboard() const noexcept { return controller_.keyboard(); }

  void reset() noexcept { controller_.restore({}); }
  [[nodiscard]] I8042State state() const noexcept { return controller_.state(); }
  void restore(const I8042State& s) noexcept { controller_.restore(s); }
  [[nodiscard]] std::uint64_t ignored() const noexcept { return controller_.ignored(); }

 private:
  [[nodiscard]] std::uint64_t read_data(IoAccess a) noexcept;
  void write_data(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_status(IoAccess a) const noexcept;
  void write_command(IoAccess a, std::uint64_t value) noexcept;

  KeyboardController controller_;
  PioClaim data_claim_;
  PioClaim command_claim_;
};

}  // namespace dm::chipset
