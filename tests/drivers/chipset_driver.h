// SPDX-License-Identifier: MIT
// What firmware and kernels do to the chips of a PC, step by step. Every number is typed from the
// PCI 2.1 specification, Intel's datasheets, IBM's PS/2 reference and Xen's documentation; nothing
// comes from the devices' own headers.
#pragma once

#include "tests/rig/sim_guest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace dm::drivers {

/// hvmloader's part in setting up a machine.
class FirmwareDriver {
 public:
  struct Bar {
    PciBdf function;
    unsigned number;  ///< 0-5; 6 is the ROM
    bool io;
    std::uint32_t size;
    std::uint32_t base = 0;
  };

  explicit FirmwareDriver(rig::SimGuest& guest) : guest_{guest} {}

  /// Routes the PCI links, scans bus 0, sizes and places all BARs, switches decoding on. Throws
  /// where hvmloader would stop the domain.
  std::vector<Bar> pci_setup() {
    for (std::uint8_t link = 0; link < 4; ++link) {
      guest_.config_write({1, 0}, 0x60U + link, 1, kLinkIrqs.at(link));
    }
    std::vector<Bar> bars;
    for (unsigned devfn = 0; devfn < 256; ++devfn) {
      const PciBdf at{static_cast<std::uint8_t>(devfn >> 3U),
                      static_cast<std::uint8_t>(devfn & 7U)};
      if (guest_.config_read(at, 0x00, 4) != 0xffffffff) {
        set_up_function(at, bars);
      }
    }
    std::stable_sort(bars.begin(), bars.end(),
                     [](const Bar& a, const Bar& b) { return a.size > b.size; });
    place(bars);
    return bars;
  }

  /// Throws where hvmloader would stop the domain.
  void acpi_enable_sci() {
    if ((guest_.inb(0xb004) & 1) == 0) {
      guest_.outb(0xb2, 0xf1);
    }
    if ((guest_.inb(0xb004) & 1) == 0) {
      throw std::runtime_error("hvmloader: BUG: SCI_EN does not follow");
    }
  }

  void cmos_write(std::uint8_t index, std::uint8_t value) {
    guest_.outb(0x70, index);
    guest_.outb(0x71, value);
  }
  [[nodiscard]] std::uint8_t cmos_read(std::uint8_t index) {
    guest_.outb(0x70, index);
    return guest_.inb(0x71);
  }
  /// For 1 GiB, as hvmloader counts.
  void write_memory_sizes() {
    constexpr std::array<std::array<std::uint8_t, 2>, 8> kSizes{{{0x15, 0x80},
                                                                 {0x16, 0x02},
                                                                 {0x17, 0xff},
                                                                 {0x18, 0xff},
                                                                 {0x30, 0xff},
                                                                 {0x31, 0xff},
                                                                 {0x34, 0x00},
                                                                 {0x35, 0x3f}}};
    for (const auto& [index, value] : kSizes) {
      cmos_write(index, value);
    }
  }

  // hvmloader's probes for the ACPI tables.
  [[nodiscard]] bool uart_exists(std::uint16_t base) {
    const std::uint8_t ier = guest_.inb(port(base, 1));
    guest_.outb(port(base, 1), 0);
    const bool cleared = guest_.inb(port(base, 1)) == 0;
    guest_.outb(port(base, 1), 0xf);
    const bool set = guest_.inb(port(base, 1)) == 0xf;
    guest_.outb(port(base, 1), ier);
    return cleared && set;
  }
  [[nodiscard]] bool lpt_exists(std::uint16_t base) {
    const std::uint8_t control = guest_.inb(port(base, 2));
    guest_.outb(port(base, 2), 0xc);
    const bool found = (guest_.inb(port(base, 2)) & 0xf) == 0xc;
    guest_.outb(port(base, 2), control);
    return found;
  }
  [[nodiscard]] bool battery_port_exists() { return guest_.inb(0x88) == 0x1f; }

  static constexpr std::array<std::uint8_t, 4> kLinkIrqs{5, 10, 11, 5};

 private:
  static std::uint16_t port(std::uint16_t base, unsigned offset) {
    return static_cast<std::uint16_t>(base + offset);
  }
  static std::uint32_t bar_register(unsigned number) {
    return number == 6 ? 0x30 : 0x10 + 4 * number;
  }

  void set_up_function(PciBdf at, std::vector<Bar>& bars) {
    const auto id = static_cast<std::uint32_t>(guest_.config_read(at, 0x00, 4));
    const auto base_and_sub = static_cast<std::uint16_t>(guest_.config_read(at, 0x0a, 2));
    if (at == PciBdf{1, 0} && id != 0x70008086) {
      throw std::runtime_error("hvmloader: BUG: 00:01.0 is not a PIIX3");
    }
    if (base_and_sub == 0x0680) {
      if (id != 0x71138086) {
        throw std::runtime_error("hvmloader: BUG: power management is not a PIIX4");
      }
      guest_.config_write(at, 0x20, 2, 0);
      guest_.config_write(at, 0xd2, 2, 0);
      guest_.config_write(at, 0x22, 2, 0);
      guest_.config_write(at, 0x3c, 2, 9);
      guest_.config_write(at, 0x3d, 1, 1);
      guest_.config_write(at, 0x40, 4, 0xb001);
      guest_.config_write(at, 0x80, 1, 1);
    }
    const auto command = guest_.config_read(at, 0x04, 2);
    guest_.config_write(at, 0x04, 2, command & ~std::uint64_t{3});
    for (unsigned number = 0; number < 7; ++number) {
      if (const auto bar = size_bar(at, number); bar) {
        bars.push_back(*bar);
      }
    }
    if (const auto pin = static_cast<unsigned>(guest_.config_read(at, 0x3d, 1)); pin != 0) {
      const unsigned link = (pin - 1 + at.device) & 3U;
      guest_.config_write(at, 0x3c, 1, guest_.config_read({1, 0}, 0x60 + link, 1));
    }
  }

  std::optional<Bar> size_bar(PciBdf at, unsigned number) {
    const std::uint32_t reg = bar_register(number);
    const auto old = static_cast<std::uint32_t>(guest_.config_read(at, reg, 4));
    guest_.config_write(at, reg, 4, number == 6 ? 0xfffffffe : 0xffffffff);
    auto sized = static_cast<std::uint32_t>(guest_.config_read(at, reg, 4));
    guest_.config_write(at, reg, 4, old);
    const bool io = number != 6 && (old & 1) != 0;
    sized &= io ? 0xfffcU : 0xfffffff0U;
    const std::uint32_t size = sized & (~sized + 1);
    return size == 0 ? std::nullopt : std::optional{Bar{at, number, io, size}};
  }

  void place(std::vector<Bar>& bars) {
    std::uint32_t memory = 0xf0000000;
    std::uint32_t io = 0xc000;
    for (Bar& bar : bars) {
      std::uint32_t& next = bar.io ? io : memory;
      bar.base = (next + bar.size - 1) & ~(bar.size - 1);
      next = bar.base + bar.size;
      guest_.config_write(bar.function, bar_register(bar.number), 4, bar.base);
      const auto command = guest_.config_read(bar.function, 0x04, 2);
      guest_.config_write(bar.function, 0x04, 2, command | (bar.io ? 5U : 6U));
    }
  }

  rig::SimGuest& guest_;
};

/// A kernel's or firmware's driver for the 8042, polling. Nothing waits longer than a few reads:
/// this controller answers at once or not at all.
class KeyboardDriver {
 public:
  static constexpr std::uint8_t OBF = 0x01, IBF = 0x02, SYS = 0x04, CMD = 0x08, KEYLOCK = 0x10,
                                AUX = 0x20;

  explicit KeyboardDriver(rig::SimGuest& guest) : guest_{guest} {}

  [[nodiscard]] std::uint8_t status() { return guest_.inb(0x64); }
  [[nodiscard]] bool full() { return (status() & OBF) != 0; }
  /// Reads until the buffer is empty. False when 16 reads do not empty it: "no controller".
  [[nodiscard]] bool flush() {
    for (unsigned i = 0; i < 16; ++i) {
      if (!full()) {
        return true;
      }
      (void)guest_.inb(0x60);
    }
    return !full();
  }
  void command(std::uint8_t code) { guest_.outb(0x64, code); }
  void command(std::uint8_t code, std::uint8_t data) {
    guest_.outb(0x64, code);
    guest_.outb(0x60, data);
  }
  /// The byte that waits, if one does.
  [[nodiscard]] std::optional<std::uint8_t> read() {
    return full() ? std::optional{guest_.inb(0x60)} : std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint8_t> ask(std::uint8_t code) {
    command(code);
    return read();
  }
  [[nodiscard]] std::optional<std::uint8_t> ask(std::uint8_t code, std::uint8_t data) {
    command(code, data);
    return read();
  }
  /// Everything the keyboard answers to a byte.
  [[nodiscard]] std::vector<int> keyboard(std::uint8_t byte) {
    guest_.outb(0x60, byte);
    return drain();
  }
  [[nodiscard]] std::vector<int> mouse(std::uint8_t byte) {
    command(0xd4, byte);
    return drain();
  }
  [[nodiscard]] std::vector<int> drain() {
    std::vector<int> bytes;
    while (full() && bytes.size() < 64) {
      bytes.push_back(guest_.inb(0x60));
    }
    return bytes;
  }

 private:
  rig::SimGuest& guest_;
};

}  // namespace dm::drivers
