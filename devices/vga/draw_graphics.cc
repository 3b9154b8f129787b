// SPDX-License-Identifier: MIT
// Planes, CGA modes, and 256 colours without VBE: every dword of video memory is eight pixels.
#include "devices/vga/picture_memory.h"

#include <algorithm>
#include <cstddef>

namespace dm::vga {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): registers, all of it

constexpr std::size_t kPixels = 8;  // of a dword

/// How a dword becomes pixels.
enum class Shift : std::uint8_t { planes, cga, bytes };

struct Shifter {
  Shift shift;
  bool twice;             ///< as wide
  std::uint32_t enabled;  ///< planes, a byte each

  /// Pixel `i` of eight.
  [[nodiscard]] std::uint8_t pixel(std::uint32_t data, unsigned i) const noexcept {
    switch (shift) {
      case Shift::planes: {
        const std::uint32_t bits = data >> (7 - i);
        return static_cast<std::uint8_t>((bits & 1U) | (bits >> 7U & 2U) | (bits >> 14U & 4U) |
                                         (bits >> 21U & 8U));
      }
      case Shift::cga: {
        // Two bits from plane 0 and two from plane 2, then the same of planes 1 and 3.
        const std::uint32_t bits = data >> (i < 4 ? 0 : 8) >> (6 - 2 * (i % 4));
        return static_cast<std::uint8_t>((bits & 3U) | (bits >> 14U & 0xcU));
      }
      case Shift::bytes:
        return static_cast<std::uint8_t>(data >> (i / 2 * 8));
    }
    return 0;
  }

  /// Fills whole groups of eight, or of sixteen; the rest of the line, if any, is black.
  void line(ReadMemory video, std::uint64_t at, std::span<std::uint8_t> to) const noexcept {
    const std::size_t step = twice ? 2 * kPixels : kPixels;
    std::size_t x = 0;
    for (; x + step <= to.size(); x += step, at += 4) {
      const std::uint32_t data = video.planes(at) & enabled;
      for (unsigned i = 0; i < kPixels; ++i) {
        const std::uint8_t value = pixel(data, i);
        if (twice) {
          to[x + 2 * i] = value;
          to[x + 2 * i + 1] = value;
        } else {
          to[x + i] = value;
        }
      }
    }
    std::ranges::fill(to.subspan(x), std::uint8_t{0});
  }
};

/// What happens from one displayed line to the next.
struct Scan {
  CrtGeometry crt;
  std::uint32_t repeats = 0;  ///< of each row, beside the first
  bool cga = false;           ///< bit 0 of the row goes into the address
  bool hercules = false;      ///< bit 1 does
  unsigned cga_bit = 0;
};

[[nodiscard]] Shift shift_of(const State& s) noexcept {
  switch (GR5::SR::get(s.gr<GR5>())) {
    case 0:
      return Shift::planes;
    case 1:
      return Shift::cga;
    default:
      return Shift::bytes;
  }
}

[[nodiscard]] Scan scan_of(const State& s) noexcept {
  const std::uint32_t scan = s.cr<CR09>();
  const std::uint32_t twice = CR09::DSC::get(scan);
  const std::uint32_t mode = s.cr<CR17>();
  // The row counter of a CGA mode selects one of two rows by its lowest bit: it repeats none.
  const bool cga = !CR17::CMS0::test(mode);
  return {.crt = crt_geometry(s),
          .repeats = cga ? twice : ((CR09::MSL::get(scan) + 1U) << twice) - 1U,
          .cga = cga,
          .hercules = !CR17::SRS::test(mode),
          .cga_bit = 14U + CR17::WB::get(mode)};
}

/// A VBE mode by planes: rows of its own, whatever the CRT controller says.
[[nodiscard]] Scan scan_of(const DispiState& s) noexcept {
  constexpr std::uint32_t kNoSplit = 0xffff;
  const DispiGeometry geo = geometry(s);
  return {.crt = {.start = geo.start, .line = geo.line, .line_compare = kNoSplit}};
}

[[nodiscard]] std::uint64_t row_address(const Scan& scan,
                                        std::uint64_t at,
                                        std::uint32_t row) noexcept {
  constexpr std::uint64_t kHerculesBit = 0x8000;
  if (scan.cga) {
    const std::uint64_t bit = std::uint64_t{1} << scan.cga_bit;
    at = (at & ~bit) | ((row & 1U) != 0 ? bit : 0);
  }
  if (scan.hercules) {
    at = (at & ~kHerculesBit) | ((row & 2U) != 0 ? kHerculesBit : 0);
  }
  return at;
}

}  // namespace

void draw_graphics(const State& s,
                   ReadMemory video,
                   std::uint32_t width,
                   std::span<std::uint8_t> pixels) noexcept {
  const bool vbe = s.dispi.enabled();
  const Shift shift = vbe ? Shift::planes : shift_of(s);
  const Shifter shifter{
      .shift = shift,
      .twice = !vbe && shift != Shift::bytes && SR1::DC::test(s.sr<SR1>()),
      .enabled = shift == Shift::bytes ? ~0U : spread_planes(AR12::ECP::get(s.ar<AR12>()))};
  const Scan scan = vbe ? scan_of(s.dispi) : scan_of(s);
  const std::uint32_t rows_of_a_step = (scan.cga ? 1U : 0U) | (scan.hercules ? 2U : 0U);
  std::uint64_t at = scan.crt.start;
  std::uint32_t row = 0;
  std::uint32_t repeat = 0;
  for (std::uint32_t y = 0; !pixels.empty(); ++y, pixels = pixels.subspan(width)) {
    shifter.line(video, row_address(scan, at, row), pixels.first(width));
    if (repeat++ == scan.repeats) {
      repeat = 0;
      at += (row & rows_of_a_step) == rows_of_a_step ? scan.crt.line : 0;
      ++row;
    }
    if (y == scan.crt.line_compare) {
      at = 0;  // the lower part of a split screen
    }
  }
}

}  // namespace dm::vga
