// SPDX-License-Identifier: MIT
#pragma once

#include "core/state/describe.h"
#include "devices/vga/regs.h"

#include <array>
#include <cstddef>
#include <cstdint>

/// Everything of the card that its guest can find out, but for video memory, which is the guest's
/// own and is saved with its RAM: plain aggregates that are saved, loaded and hashed.
namespace dm::vga {

/// Behind 3C7h to 3C9h.
struct DacState {
  std::array<std::uint8_t, 768> palette{};  ///< red, green, blue; 6 or 8 bits each
  std::array<std::uint8_t, 3> cache{};      ///< of a colour that is not written whole yet
  std::uint8_t component = 0;               ///< which of the three is next
  std::uint8_t read_index = 0;
  std::uint8_t write_index = 0;
  bool reading = false;  ///< the last index written was the read index
};

struct DispiState {
  static constexpr std::array<std::uint16_t, regs::dispi::kCount> kReset{regs::dispi::kNewestId};
  std::array<std::uint16_t, regs::dispi::kCount> reg = kReset;
  std::uint16_t index = 0;
  /// Added to addresses of the window's first 64 KiB: bytes. BANK as it was written, until ENABLE
  /// is written again.
  std::uint32_t bank_offset = 0;

  [[nodiscard]] bool enabled() const noexcept {
    return regs::dispi::ENABLE::ENABLED::test(reg[regs::dispi::kEnable]);
  }
};

struct State {
  std::array<std::uint8_t, 256> config{};
  std::uint8_t misc = 0;
  std::uint8_t feature = 0;
  std::uint8_t sequencer_index = 0;
  std::array<std::uint8_t, regs::Sequencer::kSize> sequencer{};
  std::uint8_t graphics_index = 0;
  std::array<std::uint8_t, regs::Graphics::kSize> graphics{};
  std::uint8_t crt_index = 0;
  std::array<std::uint8_t, regs::Crt::kSize> crt{};
  std::uint8_t attribute_index = 0;
  bool attribute_data = false;  ///< the flip-flop: the next write of 3C0h is data
  std::array<std::uint8_t, regs::Attribute::kSize> attribute{};
  DacState dac;
  std::uint32_t latch = 0;  ///< a byte of each plane, plane 0 lowest
  DispiState dispi;
  bool big_endian = false;         ///< pixels of more than 8 bits
  std::uint32_t memory_mib = 0;    ///< size of video memory
  std::uint64_t memory_frame = 0;  ///< where video memory lies: its first gfn

  template <class R>
  [[nodiscard]] std::uint8_t sr() const noexcept {
    return sequencer[R::kOffset];
  }
  template <class R>
  [[nodiscard]] std::uint8_t gr() const noexcept {
    return graphics[R::kOffset];
  }
  template <class R>
  [[nodiscard]] std::uint8_t cr() const noexcept {
    return crt[R::kOffset];
  }
  template <class R>
  [[nodiscard]] std::uint8_t ar() const noexcept {
    return attribute[R::kOffset];
  }
};

/// All bits of the byte of each plane that a bit of `planes` names.
[[nodiscard]] constexpr std::uint32_t spread_planes(std::uint32_t planes) noexcept {
  std::uint32_t bytes = 0;
  for (unsigned plane = 0; plane < 4; ++plane) {
    bytes |= (planes >> plane & 1U) != 0 ? 0xffU << (8 * plane) : 0;
  }
  return bytes;
}

/// What BANK counts in, bytes.
inline constexpr std::uint32_t kBankSize = 0x10000;

/// Depth of a VBE mode in bits of memory: 15 takes 16.
[[nodiscard]] constexpr std::uint32_t bits_of_pixel(std::uint16_t bpp) noexcept {
  return bpp == 15 ? 16 : bpp;
}

/// Where the picture of a VBE mode begins in video memory, and how far its lines are apart, in
/// bytes. What comes out lies within video memory if fix_up() has seen the registers.
struct DispiGeometry {
  std::uint64_t line = 0;
  std::uint64_t start = 0;
};
[[nodiscard]] DispiGeometry geometry(const DispiState& s) noexcept;
/// Makes registers fit each other and the size of video memory, as a driver reads them back.
/// Changes nothing while VBE is off.
void fix_up(DispiState& s, std::uint64_t memory_size) noexcept;

template <class Visitor>
void describe(Visitor& v, DacState& s) {
  v.field(1, "palette", s.palette);
  v.field(2, "cache", s.cache);
  v.field(3, "component", s.component);
  v.field(4, "read_index", s.read_index);
  v.field(5, "write_index", s.write_index);
  v.field(6, "reading", s.reading);
}

template <class Visitor>
void describe(Visitor& v, DispiState& s) {
  v.field(1, "registers", s.reg);
  v.field(2, "index", s.index);
  v.field(3, "bank_offset", s.bank_offset);
}

template <class Visitor>
void describe(Visitor& v, State& s) {
  v.field(1, "config", s.config);
  v.field(2, "misc", s.misc);
  v.field(3, "feature", s.feature);
  v.field(4, "sequencer_index", s.sequencer_index);
  v.field(5, "sequencer", s.sequencer);
  v.field(6, "graphics_index", s.graphics_index);
  v.field(7, "graphics", s.graphics);
  v.field(8, "crt_index", s.crt_index);
  v.field(9, "crt", s.crt);
  v.field(10, "attribute_index", s.attribute_index);
  v.field(11, "attribute_data", s.attribute_data);
  v.field(12, "attribute", s.attribute);
  v.field(13, "dac", s.dac);
  v.field(14, "latch", s.latch);
  v.field(15, "dispi", s.dispi);
  v.field(16, "big_endian", s.big_endian);
  v.field(17, "memory_mib", s.memory_mib);
  v.field(18, "memory_frame", s.memory_frame);
}

/// True when the card itself could have such a state: no index in it leads out of an array, and a
/// VBE mode that is on lies within video memory.
[[nodiscard]] bool validate(const State& s) noexcept;

/// The sizes of video memory that a card can have, in MiB: powers of two.
inline constexpr std::uint32_t kLeastMemory = 1;
inline constexpr std::uint32_t kMostMemory = 256;

}  // namespace dm::vga
