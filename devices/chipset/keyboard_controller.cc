// SPDX-License-Identifier: MIT
#include "devices/chipset/keyboard_controller.h"

#include "devices/chipset/keyboard_controller_regs.h"
#include "devices/chipset/scan_codes.h"

#include <utility>

namespace dm::chipset {

namespace hw = i8042;

namespace {

constexpr bool in_group(std::uint8_t command, std::uint8_t first, std::uint8_t last) noexcept {
  return command >= first && command <= last;
}
constexpr bool writes_ram(std::uint8_t command) noexcept {
  return in_group(command, hw::kWriteRam, hw::kWriteRam + hw::kRamMask);
}
constexpr bool takes_data(std::uint8_t command) noexcept {
  return writes_ram(command) || in_group(command, hw::kWriteOutputPort, hw::kWriteAux);
}
constexpr bool valid(OutputSource source) noexcept {
  return source <= OutputSource::mouse_side;
}

constexpr std::uint8_t kBreak = 0xf0;     // what comes before the code of a key that goes up
constexpr std::uint8_t kBreakBit = 0x80;  // the same in set 1

}  // namespace

bool validate(const I8042State& s) noexcept {
  const I8042Registers& r = s.registers;
  return valid(r.full) && valid(r.reply_waits) && (r.command == 0 || takes_data(r.command)) &&
         (r.output_port & hw::OUTPUT_PORT::kFollows) == 0 && validate(s.keyboard) &&
         validate(s.mouse);
}

KeyboardController::KeyboardController(IrqLine keyboard_irq,
                                       IrqLine mouse_irq,
                                       DomainControl& control) noexcept
    : keyboard_irq_{std::move(keyboard_irq)}, mouse_irq_{std::move(mouse_irq)}, control_{control} {}

void KeyboardController::restore(const I8042State& s) noexcept {
  registers_ = s.registers;
  keyboard_.restore(s.keyboard);
  mouse_.restore(s.mouse);
  update_irqs();
}

std::uint8_t KeyboardController::read_data() noexcept {
  registers_.full = OutputSource::none;
  update_irqs();  // low before the next byte: each byte is an edge
  const std::uint8_t byte = registers_.output;
  refill();
  return byte;
}

std::uint8_t KeyboardController::read_status() const noexcept {
  std::uint8_t status = hw::STATUS::INH::kMask;
  status = hw::STATUS::OBF::with(status, registers_.full != OutputSource::none ? 1 : 0);
  status = hw::STATUS::SYS::with(status, hw::COMMAND_BYTE::SYS::get(command_byte()));
  status = hw::STATUS::CMD::with(status, registers_.last_was_command ? 1 : 0);
  return hw::STATUS::AOBF::with(status, registers_.full == OutputSource::mouse_side ? 1 : 0);
}

void KeyboardController::write_data(std::uint8_t byte) noexcept {
  registers_.last_was_command = false;
  if (const std::uint8_t command = std::exchange(registers_.command, std::uint8_t{0});
      command != 0) {
    run_with_data(command, byte);
  } else {
    // A byte for the keyboard switches its line on again.
    command_byte() = hw::COMMAND_BYTE::KBDDIS::with(command_byte(), 0);
    keyboard_.receive(byte);
  }
  refill();
}

void KeyboardController::write_command(std::uint8_t command) noexcept {
  registers_.last_was_command = true;
  registers_.command = takes_data(command) ? command : std::uint8_t{0};
  if (in_group(command, hw::kReadRam, hw::kReadRam + hw::kRamMask)) {
    answer(registers_.ram[command & hw::kRamMask]);
  } else if (command >= hw::kPulse) {
    if (!hw::OUTPUT_PORT::RESET::test(command)) {
      control_.shutdown(ShutdownReason::reboot);
    }
  } else if (registers_.command == 0) {
    run_simple_command(command);
  }
  refill();
}

void KeyboardController::run_simple_command(std::uint8_t command) noexcept {
  switch (command) {
    case hw::kDisableAux:
    case hw::kEnableAux:
      command_byte() =
          hw::COMMAND_BYTE::AUXDIS::with(command_byte(), command == hw::kDisableAux ? 1 : 0);
      break;
    case hw::kDisableKeyboard:
    case hw::kEnableKeyboard:
      command_byte() =
          hw::COMMAND_BYTE::KBDDIS::with(command_byte(), command == hw::kDisableKeyboard ? 1 : 0);
      break;
    case hw::kSelfTest:
      command_byte() = hw::COMMAND_BYTE::SYS::with(command_byte(), 1);
      answer(hw::kSelfTestPassed);
      break;
    case hw::kTestAux:
    case hw::kTestKeyboard:
      answer(hw::kLineTestPassed);
      break;
    case hw::kReadInputPort:
      answer(hw::kInputPort);
      break;
    case hw::kReadOutputPort:
      answer(output_port());
      break;
    case hw::kCloseA20:
    case hw::kOpenA20:
      registers_.output_port =
          hw::OUTPUT_PORT::A20::with(registers_.output_port, command == hw::kOpenA20 ? 1 : 0);
      break;
    default:
      ++ignored_;
      break;
  }
}

void KeyboardController::run_with_data(std::uint8_t command, std::uint8_t byte) noexcept {
  if (writes_ram(command)) {
    registers_.ram[command & hw::kRamMask] = byte;
    return;
  }
  switch (static_cast<hw::DataCommand>(command)) {
    case hw::kWriteOutputPort:
      write_output_port(byte);
      break;
    case hw::kWriteKeyboardBuffer:
      answer(byte, OutputSource::keyboard_side);
      break;
    case hw::kWriteAuxBuffer:
      answer(byte, OutputSource::mouse_side);
      break;
    case hw::kWriteAux:
      command_byte() = hw::COMMAND_BYTE::AUXDIS::with(command_byte(), 0);
      mouse_.receive(byte);
      break;
  }
}

void KeyboardController::write_output_port(std::uint8_t value) noexcept {
  registers_.output_port = static_cast<std::uint8_t>(value & ~hw::OUTPUT_PORT::kFollows);
  if (!hw::OUTPUT_PORT::RESET::test(value)) {
    control_.shutdown(ShutdownReason::reboot);
  }
}

std::uint8_t KeyboardController::output_port() const noexcept {
  std::uint8_t port = registers_.output_port;
  port = hw::OUTPUT_PORT::IRQ1::with(port, registers_.full == OutputSource::keyboard_side ? 1 : 0);
  return hw::OUTPUT_PORT::IRQ12::with(port, registers_.full == OutputSource::mouse_side ? 1 : 0);
}

/// One answer can wait; a guest that asks again without reading gets the newer one.
void KeyboardController::answer(std::uint8_t byte, OutputSource side) noexcept {
  registers_.reply = byte;
  registers_.reply_waits = side;
}

void KeyboardController::refill() noexcept {
  if (registers_.full == OutputSource::none) {
    const std::uint8_t mode = command_byte();
    if (registers_.reply_waits != OutputSource::none) {
      registers_.output = registers_.reply;
      registers_.full = std::exchange(registers_.reply_waits, OutputSource::none);
    } else if (!hw::COMMAND_BYTE::KBDDIS::test(mode) && take_keyboard_byte(registers_.output)) {
      registers_.full = OutputSource::keyboard_side;
    } else if (mouse_.has_byte() && !hw::COMMAND_BYTE::AUXDIS::test(mode)) {
      registers_.output = mouse_.send();
      registers_.full = OutputSource::mouse_side;
    }
  }
  update_irqs();
}

/// F0h and the code after it are taken at once: no answer of the keyboard can come between them.
bool KeyboardController::take_keyboard_byte(std::uint8_t& byte) noexcept {
  if (!keyboard_.has_byte()) {
    return false;
  }
  const bool translates = hw::COMMAND_BYTE::XLATE::test(command_byte());
  const std::uint8_t first = keyboard_.send();
  if (!translates || first != kBreak) {
    byte = translates ? set2_to_set1(first) : first;
    return true;
  }
  if (!keyboard_.has_byte()) {
    return false;  // only a state from a file has half a sequence
  }
  byte = static_cast<std::uint8_t>(set2_to_set1(keyboard_.send()) | kBreakBit);
  return true;
}

void KeyboardController::key(std::uint8_t code, bool is_down) noexcept {
  keyboard_.key(code, is_down);
  refill();
}

void KeyboardController::move_mouse(std::int16_t dx,
                                    std::int16_t dy,
                                    std::uint8_t buttons) noexcept {
  mouse_.move(dx, dy, buttons);
  refill();
}

void KeyboardController::update_irqs() noexcept {
  const std::uint8_t mode = command_byte();
  keyboard_irq_.set(registers_.full == OutputSource::keyboard_side &&
                    hw::COMMAND_BYTE::KBDINT::test(mode));
  mouse_irq_.set(registers_.full == OutputSource::mouse_side &&
                 hw::COMMAND_BYTE::AUXINT::test(mode));
}

}  // namespace dm::chipset
