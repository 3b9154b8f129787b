// SPDX-License-Identifier: MIT
#pragma once

#include "devices/uart16550/serial_port.h"
#include "tests/drivers/uart_driver.h"
#include "tests/rig/scripted_chardev.h"
#include "tests/rig/sim_guest.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dm::test {

using drivers::UartDriver;
using uart16550::kComPorts;
using uart16550::SerialPort;
using uart16550::Uart16550;
using uart16550::UartState;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 87us reads better

/// COM1 in a simulated PC, with a driver on one side and a script on the other.
struct UartRig {
  static constexpr unsigned kIrq = 4;
  static constexpr std::uint16_t kBase = 0x3f8;

  [[nodiscard]] std::unique_ptr<SerialPort> make(std::size_t number, ScriptedChardev& backend) {
    return SerialPort::create(kComPorts.at(number), guest.pio(), guest.irqs(), guest.timers(),
                              backend)
        .value();
  }
  [[nodiscard]] bool irq() const { return guest.isa_irq(kIrq); }
  [[nodiscard]] const UartState& state() const { return port->uart().state(); }
  [[nodiscard]] const Uart16550::Counters& counters() const { return port->uart().counters(); }

  rig::SimGuest guest;
  ScriptedChardev other;
  std::unique_ptr<SerialPort> port = make(0, other);
  UartDriver com1{guest, kBase};
};

}  // namespace dm::test
