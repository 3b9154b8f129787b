// SPDX-License-Identifier: MIT
// A guest's driver for a VGA card. Port numbers and modes are typed from IBM's "PS/2 Hardware
// Interface Technical Reference, Video Subsystem" and Bochs' text on VBE DISPI; nothing comes from
// the device's own headers.
#pragma once

#include "tests/rig/guest_instructions.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::drivers {

class VgaDriver {
 public:
  static constexpr std::uint32_t kBar0 = 0xf1000000;
  static constexpr std::uint32_t kBar2 = 0xf2050000;
  static constexpr std::uint32_t kRom = 0xf2060000;

  VgaDriver(rig::GuestInstructions& guest, PciBdf bdf) noexcept : guest_{guest}, bdf_{bdf} {}

  /// As firmware does: BARs, ROM off, and everything decoded.
  void map() {
    guest_.config_write(bdf_, 0x10, 4, kBar0);
    guest_.config_write(bdf_, 0x18, 4, kBar2);
    guest_.config_write(bdf_, 0x30, 4, kRom);
    guest_.config_write(bdf_, 0x04, 2, 3);
    guest_.outb(0x3c2, 0x67);  // colour addresses
  }

  void sr(std::uint8_t index, std::uint8_t value) { put(0x3c4, index, value); }
  void gr(std::uint8_t index, std::uint8_t value) { put(0x3ce, index, value); }
  void cr(std::uint8_t index, std::uint8_t value) { put(0x3d4, index, value); }
  [[nodiscard]] std::uint8_t sr(std::uint8_t index) { return get(0x3c4, index); }
  [[nodiscard]] std::uint8_t gr(std::uint8_t index) { return get(0x3ce, index); }
  [[nodiscard]] std::uint8_t cr(std::uint8_t index) { return get(0x3d4, index); }
  /// Bit 5 stays set: the screen is on.
  void ar(std::uint8_t index, std::uint8_t value) {
    (void)guest_.inb(0x3da);
    guest_.outb(0x3c0, static_cast<std::uint8_t>(index | 0x20U));
    guest_.outb(0x3c0, value);
  }
  [[nodiscard]] std::uint8_t ar(std::uint8_t index) {
    (void)guest_.inb(0x3da);
    guest_.outb(0x3c0, static_cast<std::uint8_t>(index | 0x20U));
    const auto value = guest_.inb(0x3c1);
    (void)guest_.inb(0x3da);
    return value;
  }
  void colour(std::uint8_t index, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
    guest_.outb(0x3c8, index);
    guest_.outb(0x3c9, r);
    guest_.outb(0x3c9, g);
    guest_.outb(0x3c9, b);
  }

  void dispi(std::uint16_t index, std::uint16_t value) {
    guest_.outw(0x1ce, index);
    guest_.outw(0x1cf, value);
  }
  [[nodiscard]] std::uint16_t dispi(std::uint16_t index) {
    guest_.outw(0x1ce, index);
    return guest_.inw(0x1d0);
  }
  /// As vesafb's firmware does; `flags` beside the bit that turns it on.
  void vbe(std::uint16_t width,
           std::uint16_t height,
           std::uint16_t bpp,
           std::uint16_t flags = 0x40) {
    dispi(4, 0);
    dispi(3, bpp);
    dispi(1, width);
    dispi(2, height);
    dispi(4, static_cast<std::uint16_t>(flags | 1U));
  }

  /// A mode of IBM's tables: SR1-SR4, MISC, CR0-CR18, AR0-AR14, GR0-GR8.
  struct Mode {
    std::array<std::uint8_t, 4> sequencer;
    std::uint8_t misc;
    std::array<std::uint8_t, 25> crt;
    std::array<std::uint8_t, 21> attribute;
    std::array<std::uint8_t, 9> graphics;
  };
  void set(const Mode& mode) {
    guest_.outb(0x3c2, mode.misc);
    sr(0, 1);
    std::uint8_t index = 1;
    for (const std::uint8_t value : mode.sequencer) {
      sr(index++, value);
    }
    sr(0, 3);
    cr(0x11, 0);
    index = 0;
    for (const std::uint8_t value : mode.crt) {
      cr(index++, value);
    }
    index = 0;
    for (const std::uint8_t value : mode.graphics) {
      gr(index++, value);
    }
    index = 0;
    for (const std::uint8_t value : mode.attribute) {
      ar(index++, value);
    }
  }

 private:
  void put(std::uint16_t port, std::uint8_t index, std::uint8_t value) {
    guest_.outw(port, static_cast<std::uint16_t>(index | value << 8U));
  }
  [[nodiscard]] std::uint8_t get(std::uint16_t port, std::uint8_t index) {
    guest_.outb(port, index);
    return guest_.inb(static_cast<std::uint16_t>(port + 1));
  }

  rig::GuestInstructions& guest_;
  PciBdf bdf_;
};

}  // namespace dm::drivers
