// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/chardev.h"
#include "core/io/pio_bus.h"
#include "core/irq/irq_line.h"
#include "core/obs/inspector.h"
#include "core/result.h"
#include "core/time/timer.h"
#include "devices/uart16550/uart.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace dm::uart16550 {

/// Where a PC has its serial ports. A machine may have any of them; two share an interrupt each.
struct ComPort {
  std::string_view name;
  std::uint16_t base;
  std::uint8_t irq;
};
inline constexpr std::array<ComPort, 4> kComPorts{{
    {.name = "com1", .base = 0x3f8, .irq = 4},
    {.name = "com2", .base = 0x2f8, .irq = 3},
    {.name = "com3", .base = 0x3e8, .irq = 4},
    {.name = "com4", .base = 0x2e8, .irq = 3},
}};

/// A 16550A at its place in the PC: eight ports, an ISA interrupt, the other end. ISA is a
/// byte-wide bus, so an access of 2 or 4 bytes is as many consecutive registers, low byte first.
/// `rep outsb` and `rep insb` on the data register are taken whole. Thread rule: the loop's thread
/// only.
class SerialPort {
 public:
  /// Fails when somebody else has the ports. Everything passed in must outlive the port.
  [[nodiscard]] static Result<std::unique_ptr<SerialPort>> create(
      const ComPort& where, PioBus& pio, IrqRouter& irqs, TimerQueue& timers, CharBackend& backend);
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;
  ~SerialPort() = default;

  [[nodiscard]] Uart16550& uart() noexcept { return uart_; }
  [[nodiscard]] const Uart16550& uart() const noexcept { return uart_; }
  [[nodiscard]] CharBackend& backend() noexcept { return backend_; }

  // The UART's: see there.
  void pause() noexcept { uart_.pause(); }
  void resume() noexcept { uart_.resume(); }
  void reset() noexcept { uart_.reset(); }
  [[nodiscard]] const UartState& state() const noexcept { return uart_.state(); }
  [[nodiscard]] bool restore(const UartState& saved) noexcept { return uart_.restore(saved); }
  /// A row of "serial". `name` is the row's.
  void inspect(Inspector& to, std::string_view name) const;

 private:
  SerialPort(const ComPort& where,
             PioBus& pio,
             IrqRouter& irqs,
             TimerQueue& timers,
             CharBackend& backend) noexcept;

  [[nodiscard]] std::uint64_t read(IoAccess a) noexcept;
  void write(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::size_t read_run(IoAccess a, std::span<std::byte> to) noexcept;
  [[nodiscard]] std::size_t write_run(IoAccess a, std::span<const std::byte> from) noexcept;
  [[nodiscard]] bool is_data(IoAccess a) const noexcept;

  CharBackend& backend_;
  IrqLine irq_;
  Uart16550 uart_;
  PioClaim claim_;  ///< last: the guest reaches a whole device or none
};

}  // namespace dm::uart16550
