// SPDX-License-Identifier: MIT
// Internal to the pictures.
#pragma once

#include "devices/vga/state.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace dm::vga {

/// Video memory as the CRT controller reads it: addresses wrap where it ends, so any number is one.
class ReadMemory {
 public:
  explicit ReadMemory(std::span<const std::byte> video) noexcept
      : video_{video.data()}, mask_{video.size() - 1} {}

  /// A byte of each plane, plane 0 lowest.
  [[nodiscard]] std::uint32_t planes(std::uint64_t at) const noexcept {
    std::uint32_t value = 0;
    std::memcpy(&value, video_ + (at & mask_ & ~std::uint64_t{3}), sizeof value);
    return value;
  }

 private:
  const std::byte* video_;
  std::uint64_t mask_;
};

/// What the CRT controller counts with in a legacy mode.
struct CrtGeometry {
  std::uint64_t start = 0;  ///< bytes
  std::uint64_t line = 0;   ///< bytes from a line to the next; 0: all lines are one
  std::uint32_t line_compare = 0;
  std::uint32_t lines = 0;  ///< that are displayed
};

[[nodiscard]] constexpr std::uint32_t crt_word(std::uint8_t high, std::uint8_t low) noexcept {
  return std::uint32_t{high} << 8U | low;
}

[[nodiscard]] inline CrtGeometry crt_geometry(const State& s) noexcept {
  using namespace regs;  // NOLINT(google-build-using-namespace): registers, all of it
  const std::uint32_t overflow = s.cr<CR07>();
  const std::uint32_t scan = s.cr<CR09>();
  return {
      .start = std::uint64_t{crt_word(s.cr<CR0C>(), s.cr<CR0D>())} * 4,
      .line = std::uint64_t{s.cr<CR13>()} * 8,
      .line_compare = s.cr<CR18>() | CR07::LC8::get(overflow) << 8U | CR09::LC9::get(scan) << 9U,
      .lines =
          (s.cr<CR12>() | CR07::VDE8::get(overflow) << 8U | CR07::VDE9::get(overflow) << 9U) + 1};
}

/// A text mode's measures, in pixels and characters.
struct TextGeometry {
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;
  std::uint32_t width = 0;  ///< of a character
  std::uint32_t height = 0;
};
[[nodiscard]] TextGeometry text_geometry(const State& s) noexcept;

void draw_text(const State& s, ReadMemory video, std::span<std::uint8_t> pixels) noexcept;
void draw_graphics(const State& s,
                   ReadMemory video,
                   std::uint32_t width,
                   std::span<std::uint8_t> pixels) noexcept;

}  // namespace dm::vga
