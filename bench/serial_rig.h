// SPDX-License-Identifier: MIT
// A serial port whose line takes everything. Shared by bench_devices and bench_count_devices.
#pragma once

#include "devices/uart16550/serial_port.h"
#include "tests/rig/sim_guest.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace dm::bench {

struct NullLine final : CharBackend {
  void attach(CharClient* /*client*/) noexcept override {}
  std::size_t write(std::span<const std::byte> bytes) noexcept override {
    taken += bytes.size();
    return bytes.size();
  }
  std::size_t read(std::span<std::byte> /*to*/) noexcept override { return 0; }
  void set_break(bool /*on*/) noexcept override {}
  void set_line(std::uint32_t, std::uint8_t, std::uint8_t, char) noexcept override {}
  void set_outputs(bool, bool) noexcept override {}
  [[nodiscard]] Output output() const noexcept override { return {}; }
  [[nodiscard]] std::string_view description() const noexcept override { return "null"; }
  std::uint64_t taken = 0;
};

struct SerialRig {
  static constexpr std::uint32_t kLine = 68;  ///< characters, as of a line of a boot log

  rig::SimGuest guest;
  NullLine line;
  std::unique_ptr<uart16550::SerialPort> port =
      uart16550::SerialPort::create(
          uart16550::kComPorts[0], guest.pio(), guest.irqs(), guest.timers(), line)
          .value();

  SerialRig() {
    guest.outb(0x3fa, 0x01);  // FCR: FIFOs on
    guest.outb(0x3f9, 0x00);  // IER: polled, as firmware does
  }
  void interrupt_for_thre() {
    guest.outb(0x3fc, 0x08);  // MCR: OUT2
    guest.outb(0x3f9, 0x02);  // IER: THRE
  }

  void write_character() { guest.outb(0x3f8, 'x'); }
  /// As a driver's handler does for each character: THR, IIR.
  std::uint8_t write_character_and_take_its_interrupt() {
    write_character();
    return guest.inb(0x3fa);
  }
  std::uint8_t read_lsr() { return guest.inb(0x3fd); }
  void rep_outsb() { guest.rep_outs(0x3f8, 1, 0x10000, kLine); }
};

}  // namespace dm::bench
