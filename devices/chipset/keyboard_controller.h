// SPDX-License-Identifier: MIT
#pragma once

#include "core/irq/irq_line.h"
#include "core/ports/domain_control.h"
#include "devices/chipset/ps2_keyboard.h"
#include "devices/chipset/ps2_mouse.h"

#include <array>
#include <cstdint>

namespace dm::chipset {

/// The side from which the byte in the output buffer came.
enum class OutputSource : std::uint8_t { none, keyboard_side, mouse_side };

/// The controller's own registers.
struct I8042Registers {
  std::array<std::uint8_t, 32> ram{
      0x30};                        ///< byte 0 is the command byte: both devices off, no interrupts
  std::uint8_t output_port = 0xcf;  ///< P2, without the two bits that follow the output buffer
  std::uint8_t output = 0;          ///< the byte at port 60h; stays there after it was read
  OutputSource full = OutputSource::none;  ///< none: the output buffer is empty
  std::uint8_t reply = 0;  ///< the controller's own next byte, while the buffer is full
  OutputSource reply_waits = OutputSource::none;
  std::uint8_t command = 0;  ///< the command that waits for its data byte; 0: none
  bool last_was_command = false;
};
static_assert(sizeof(I8042Registers) == 39);  // a new member: describe it, validate it

struct I8042State {
  I8042Registers registers;
  Ps2KeyboardState keyboard;
  Ps2MouseState mouse;
};

template <class Visitor>
void describe(Visitor& v, I8042Registers& s) {
  v.field(1, "ram", s.ram);
  v.field(2, "output_port", s.output_port);
  v.field(3, "output", s.output);
  v.field(4, "full", s.full);
  v.field(5, "reply", s.reply);
  v.field(6, "reply_waits", s.reply_waits);
  v.field(7, "command", s.command);
  v.field(8, "last_was_command", s.last_was_command);
}
template <class Visitor>
void describe(Visitor& v, I8042State& s) {
  v.field(1, "registers", s.registers);
  v.field(2, "keyboard", s.keyboard);
  v.field(3, "mouse", s.mouse);
}
[[nodiscard]] bool validate(const I8042State& s) noexcept;

/// The 8042 of a PS/2 machine, with its keyboard and mouse. It takes commands and bytes at once, so
/// the guest never sees the input buffer full. The output buffer holds one byte. When the guest has
/// read it, the next byte follows, with its own interrupt edge. The controller's own answers go
/// first, then the keyboard's bytes, then the mouse's. With COMMAND_BYTE.XLATE the keyboard's bytes
/// are translated from scan code set 2 to set 1, whatever the keyboard's set is: a break code's two
/// bytes become one.
///
/// The interrupt levels depend only on the state: IRQ 1 is high while a byte of the keyboard side
/// waits and the command byte allows the interrupt; IRQ 12 likewise for the mouse side. Thread
/// rule: the loop's thread only. Source: IBM PS/2 Hardware Interface Technical Reference, Keyboard
/// and Auxiliary Device Controller.
class KeyboardController {
 public:
  KeyboardController(IrqLine keyboard_irq, IrqLine mouse_irq, DomainControl& control) noexcept;

  [[nodiscard]] std::uint8_t read_data() noexcept;
  [[nodiscard]] std::uint8_t read_status() const noexcept;
  void write_data(std::uint8_t byte) noexcept;
  void write_command(std::uint8_t command) noexcept;

  /// Somebody presses or releases a key: Ps2Keyboard::key.
  void key(std::uint8_t code, bool is_down) noexcept;
  /// Somebody moves the mouse: Ps2Mouse::move.
  void move_mouse(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) noexcept;
  [[nodiscard]] const Ps2KeyboardState& keyboard() const noexcept { return keyboard_.state(); }

  [[nodiscard]] I8042State state() const noexcept {
    return {registers_, keyboard_.state(), mouse_.state()};
  }
  void restore(const I8042State& s) noexcept;
  /// Number of commands that this controller does not know.
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }

 private:
  void run_simple_command(std::uint8_t command) noexcept;
  void run_with_data(std::uint8_t command, std::uint8_t byte) noexcept;
  void write_output_port(std::uint8_t value) noexcept;
  [[nodiscard]] std::uint8_t output_port() const noexcept;
  void answer(std::uint8_t byte, OutputSource side = OutputSource::keyboard_side) noexcept;
  /// Moves the next byte into the output buffer if that is free, and updates the interrupts.
  void refill() noexcept;
  /// False: there is none, or there was half of one.
  [[nodiscard]] bool take_keyboard_byte(std::uint8_t& byte) noexcept;
  void update_irqs() noexcept;
  [[nodiscard]] std::uint8_t& command_byte() noexcept { return registers_.ram[0]; }
  [[nodiscard]] std::uint8_t command_byte() const noexcept { return registers_.ram[0]; }

  IrqLine keyboard_irq_;
  IrqLine mouse_irq_;
  DomainControl& control_;
  Ps2Keyboard keyboard_;
  Ps2Mouse mouse_;
  I8042Registers registers_;
  std::uint64_t ignored_ = 0;
};

}  // namespace dm::chipset
