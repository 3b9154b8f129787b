// SPDX-License-Identifier: MIT
// Text modes: characters in plane 0, their attributes in plane 1, fonts in plane 2. As in QEMU
// there is no underline, and bit 7 of an attribute is a bright background, never blinking; the
// cursor is steady. So a picture needs no timer.
#include "devices/vga/picture_memory.h"

#include <algorithm>
#include <array>

namespace dm::vga {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): registers, all of it

/// Fonts A and B: of the eight places of 8 KiB in plane 2, those that attributes with bit 3 set and
/// clear select. The bits of a number lie apart.
struct Fonts {
  std::array<std::uint64_t, 2> at{};
};

[[nodiscard]] Fonts fonts_of(const State& s) noexcept {
  constexpr std::uint64_t kFont = std::uint64_t{8192} * 4;
  const std::uint32_t map = s.sr<SR3>();
  return {{((map >> 4U & 1U) | (map << 1U & 6U)) * kFont,
           ((map >> 5U & 1U) | (map >> 1U & 6U)) * kFont}};
}

/// The lines of a character that the cursor covers: from `first` up to before `end`.
struct Cursor {
  std::uint64_t at = 0;  ///< bytes
  std::uint32_t first = 0;
  std::uint32_t end = 0;
};

[[nodiscard]] Cursor cursor_of(const State& s, std::uint32_t height) noexcept {
  Cursor cursor{.at = std::uint64_t{crt_word(s.cr<CR0E>(), s.cr<CR0F>())} * 4};
  if (!CR0A::CO::test(s.cr<CR0A>())) {
    cursor.first = CR0A::RSCB::get(s.cr<CR0A>());
    cursor.end = std::min(CR0B::RSCE::get(s.cr<CR0B>()) + 1U, height);
  }
  return cursor;
}

/// Which of a character's dots are lit.
struct Glyph {
  std::uint32_t width;
  bool repeat_last;  ///< nine dots: the ninth is the eighth

  void line(std::uint8_t* to,
            std::uint32_t dots,
            std::uint8_t ink,
            std::uint8_t paper) const noexcept {
    const auto dot = [&](unsigned i) { return (dots >> (7 - i) & 1U) != 0 ? ink : paper; };
    if (width == 16) {
      for (unsigned i = 0; i < 16; ++i) {
        to[i] = dot(i / 2);
      }
      return;
    }
    for (unsigned i = 0; i < 8; ++i) {
      to[i] = dot(i);
    }
    if (width == 9) {
      to[8] = repeat_last ? to[7] : paper;
    }
  }
};

/// Line graphics. IBM's cards repeat the dot of C0h to DFh; QEMU begins at B0h.
[[nodiscard]] bool repeats(const State& s, std::uint32_t character) noexcept {
  return AR10::ELG::test(s.ar<AR10>()) && character >= 0xb0 && character <= 0xdf;
}

}  // namespace

TextGeometry text_geometry(const State& s) noexcept {
  constexpr std::uint8_t kCga100Lines = 100;  // CGA's 160x100 of 16 colours: half a character each
  const std::uint32_t height = CR09::MSL::get(s.cr<CR09>()) + 1U;
  std::uint32_t width = SR1::D89::test(s.sr<SR1>()) ? 8 : 9;
  if (SR1::DC::test(s.sr<SR1>())) {
    width = 16;
  }
  const std::uint32_t rows =
      s.cr<CR06>() == kCga100Lines ? kCga100Lines : crt_geometry(s).lines / height;
  return {.columns = s.cr<CR01>() + 1U, .rows = rows, .width = width, .height = height};
}

void draw_text(const State& s, ReadMemory video, std::span<std::uint8_t> pixels) noexcept {
  constexpr std::uint32_t kGlyph = 32 * 4;  // bytes of video memory, a line in each dword
  const TextGeometry text = text_geometry(s);
  const CrtGeometry crt = crt_geometry(s);
  const Fonts fonts = fonts_of(s);
  const Cursor cursor = cursor_of(s, text.height);
  const std::size_t stride = std::size_t{text.columns} * text.width;
  std::uint64_t row_at = crt.start;
  std::uint32_t line = 0;
  for (std::uint32_t row = 0; row < text.rows; ++row) {
    for (std::uint32_t column = 0; column < text.columns; ++column) {
      const std::uint64_t at = row_at + std::uint64_t{column} * 4;
      const std::uint32_t cell = video.planes(at);
      const std::uint32_t character = cell & 0xffU;
      const std::uint32_t attribute = cell >> 8U & 0xffU;
      const std::uint64_t font = fonts.at[attribute >> 3U & 1U] + character * kGlyph;
      const auto ink = static_cast<std::uint8_t>(attribute & 0xfU);
      const auto paper = static_cast<std::uint8_t>(attribute >> 4U);
      const Glyph glyph{.width = text.width, .repeat_last = repeats(s, character)};
      std::uint8_t* to =
          pixels.data() + row * text.height * stride + std::size_t{column} * text.width;
      for (std::uint32_t i = 0; i < text.height; ++i, to += stride) {
        if (at == cursor.at && i >= cursor.first && i < cursor.end) {
          std::fill_n(to, text.width, ink);
        } else {
          glyph.line(to, video.planes(font + std::uint64_t{i} * 4) >> 16U, ink, paper);
        }
      }
    }
    row_at += crt.line;
    if (line < crt.line_compare && line + text.height >= crt.line_compare) {
      row_at = 0;  // the lower part of a split screen
    }
    line += text.height;
  }
}

}  // namespace dm::vga
