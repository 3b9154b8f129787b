// SPDX-License-Identifier: MIT
#include "devices/chipset/i8042.h"

#include "devices/chipset/fixed_ports.h"

namespace dm::chipset {

namespace {
constexpr std::uint8_t kKeyboardIrq = 1;
constexpr std::uint8_t kMouseIrq = 12;
}  // namespace

I8042::I8042(PioBus& pio, IrqRouter& irqs, DomainControl& control)
    : controller_{irqs.isa(kKeyboardIrq), irqs.isa(kMouseIrq), control},
      data_claim_{claim_fixed(pio,
                              {0x60, 0x60},
                              IoHandler::bind<&I8042::read_data, &I8042::write_data>(*this),
                              "8042 data")},
      command_claim_{claim_fixed(pio,
                                 {0x64, 0x64},
                                 IoHandler::bind<&I8042::read_status, &I8042::write_command>(*this),
                                 "8042 command")} {}

std::uint64_t I8042::read_data(IoAccess /*a*/) noexcept {
  return controller_.read_data();
}

void I8042::write_data(IoAccess /*a*/, std::uint64_t value) noexcept {
  controller_.write_data(static_cast<std::uint8_t>(value));
}

std::uint64_t I8042::read_status(IoAccess /*a*/) const noexcept {
  return controller_.read_status();
}

void I8042::write_command(IoAccess /*a*/, std::uint64_t value) noexcept {
  controller_.write_command(static_cast<std::uint8_t>(value));
}

}  // namespace dm::chipset
