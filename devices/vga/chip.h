// SPDX-License-Identifier: MIT
#pragma once

#include "core/addr.h"
#include "core/io/io_handler.h"
#include "core/mem/guest_memory.h"
#include "core/ports/video_memory.h"
#include "core/time/timer.h"
#include "devices/vga/edid.h"
#include "devices/vga/state.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace dm::vga {

/// The chip of the standard VGA card: legacy registers, the DISPI registers of VBE modes, the
/// window at A0000h, and what is behind the BARs. It knows no port that was claimed and no address
/// of a BAR: offsets of accesses are those of their region. Picture and pixels are in picture.h.
/// Thread rule: the loop's thread only. No allocation after construction. Each access costs a few
/// bytes of memory, but for the one that turns a VBE mode on: see write_enable().
class Chip {
 public:
  struct Ports {
    VideoMemory& video;
    GuestMemory& memory;       ///< hears which pages the chip has written
    const TimerQueue& timers;  ///< for the retrace bits, which follow guest time
  };
  Chip(const Ports& ports, const Monitor& monitor) noexcept;

  /// Ports 3B0h to 3BBh, 3C0h to 3DFh, and 1CEh to 1D1h.
  [[nodiscard]] std::uint64_t read_mono(IoAccess a) noexcept;
  void write_mono(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_colour(IoAccess a) noexcept;
  void write_colour(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_dispi(IoAccess a) noexcept;
  void write_dispi(IoAccess a, std::uint64_t value) noexcept;
  /// A0000h to BFFFFh.
  [[nodiscard]] std::uint64_t read_window(IoAccess a) noexcept;
  void write_window(IoAccess a, std::uint64_t value) noexcept;
  /// BAR 2.
  [[nodiscard]] std::uint64_t read_registers(IoAccess a) noexcept;
  void write_registers(IoAccess a, std::uint64_t value) noexcept;
  /// Video memory itself. Guests reach it without us, as long as its pages are where BAR 0 is.
  [[nodiscard]] std::uint64_t read_memory(IoAccess a) noexcept;
  void write_memory(IoAccess a, std::uint64_t value) noexcept;

  /// As after power-on. Video memory keeps its bytes.
  void reset() noexcept;
  /// All but configuration space and the place of video memory, which are the wiring's.
  [[nodiscard]] const State& state() const noexcept { return state_; }
  void restore(const State& state) noexcept { state_ = state; }
  /// Has the chip written to video memory since the last call?
  [[nodiscard]] bool take_written() noexcept { return std::exchange(written_, false); }

 private:
  [[nodiscard]] bool answers(std::uint16_t port) const noexcept;
  [[nodiscard]] std::uint8_t read_port(std::uint16_t port) noexcept;
  void write_port(std::uint16_t port, std::uint8_t value) noexcept;
  [[nodiscard]] std::uint64_t read_ports(std::uint16_t first, IoAccess a) noexcept;
  void write_ports(std::uint16_t first, IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint8_t read_status1() noexcept;
  [[nodiscard]] std::uint8_t read_attribute() const noexcept;
  void write_attribute(std::uint8_t value) noexcept;
  void write_crt(std::uint8_t value) noexcept;
  [[nodiscard]] std::uint8_t read_pel() noexcept;
  void write_pel(std::uint8_t value) noexcept;

  [[nodiscard]] std::uint16_t read_dispi_register(std::uint16_t index) const noexcept;
  void write_dispi_register(std::uint16_t index, std::uint16_t value) noexcept;
  void write_bank(std::uint16_t value) noexcept;
  void write_enable(std::uint16_t value) noexcept;
  void follow_dispi() noexcept;

  [[nodiscard]] std::uint32_t map_mask() const noexcept;
  [[nodiscard]] bool chain4() const noexcept;
  [[nodiscard]] bool window_offset(std::uint64_t& at) const noexcept;
  [[nodiscard]] std::uint8_t read_byte(std::uint64_t at) noexcept;
  void write_byte(std::uint64_t at, std::uint8_t value) noexcept;
  void write_planes(std::uint64_t at, std::uint8_t value) noexcept;
  [[nodiscard]] std::uint8_t peek(std::uint64_t at) const noexcept;
  void poke(std::uint64_t at, std::uint8_t value) noexcept;
  void wrote(std::uint64_t at, std::uint64_t length) noexcept;

  Ports ports_;
  std::span<std::byte> video_;  ///< of ports_.video: the hot path asks nobody
  Edid edid_;
  State state_;
  bool written_ = false;
};

}  // namespace dm::vga
