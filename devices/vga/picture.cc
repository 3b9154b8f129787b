// SPDX-License-Identifier: MIT
#include "devices/vga/picture.h"

#include "devices/vga/picture_memory.h"

#include <optional>

namespace dm::vga {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): registers, all of it

/// Six bits to eight: the lowest one fills the new ones, so that black and white stay what they
/// are.
[[nodiscard]] constexpr std::uint32_t widen(std::uint32_t value) noexcept {
  const std::uint32_t six = value & 0x3fU;
  return six << 2U | (six & 1U) * 3U;
}

[[nodiscard]] std::uint32_t colour(const DacState& dac, std::size_t index, bool eight) noexcept {
  const auto part = [&](std::size_t i) {
    const std::uint32_t value = dac.palette[index * 3 + i];
    return eight ? value : widen(value);
  };
  return part(0) << 16U | part(1) << 8U | part(2);
}

/// 256 colours: the DAC's own.
void take_dac(const State& s, Surface& surface) noexcept {
  const bool eight = dispi::ENABLE::DAC8::test(s.dispi.reg[dispi::kEnable]);
  for (std::size_t i = 0; i < surface.palette.size(); ++i) {
    surface.palette[i] = colour(s.dac, i, eight);
  }
}

/// 16 colours: through the attribute controller's palette.
void take_attributes(const State& s, Surface& surface) noexcept {
  constexpr std::size_t kColours = 16;
  const std::uint32_t select = s.ar<AR14>();
  for (std::size_t i = 0; i < kColours; ++i) {
    const std::uint32_t palette = s.attribute[i];
    const std::uint32_t index = AR10::PS::test(s.ar<AR10>())
                                    ? (select & 0xfU) << 4U | (palette & 0xfU)
                                    : (select & 0xcU) << 4U | (palette & 0x3fU);
    surface.palette[i] = colour(s.dac, index, false);
  }
}

[[nodiscard]] bool is_256_colours(const State& s) noexcept {
  return GR5::SR::get(s.gr<GR5>()) >= 2;
}

[[nodiscard]] std::optional<PixelFormat> format_of(std::uint16_t bpp) noexcept {
  switch (bpp) {
    case 8:
      return PixelFormat::indexed8;
    case 15:
      return PixelFormat::rgb555;
    case 16:
      return PixelFormat::rgb565;
    case 24:
      return PixelFormat::rgb888;
    case 32:
      return PixelFormat::xrgb8888;
    default:
      return std::nullopt;
  }
}

void be_drawn(Surface& surface, std::uint32_t width, std::uint32_t height) noexcept {
  if (std::uint64_t{width} * height > kMostPixels) {
    return;
  }
  surface.source = Surface::Source::drawn;
  surface.width = width;
  surface.height = height;
  surface.stride = width;
}

void show_dispi(const State& s, Surface& surface) noexcept {
  const auto& r = s.dispi.reg;
  const auto format = format_of(r[dispi::kBpp]);
  if (!format) {
    be_drawn(surface, r[dispi::kXres], r[dispi::kYres]);
    take_attributes(s, surface);
    return;
  }
  const DispiGeometry geo = geometry(s.dispi);
  surface.source = Surface::Source::video_memory;
  surface.format = *format;
  surface.high_byte_first = s.big_endian && bytes_of(*format) > 1;
  surface.width = r[dispi::kXres];
  surface.height = r[dispi::kYres];
  surface.stride = static_cast<std::uint32_t>(geo.line);
  surface.offset = geo.start;
  if (*format == PixelFormat::indexed8) {
    take_dac(s, surface);
  }
}

void show_text(const State& s, Surface& surface) noexcept {
  const TextGeometry text = text_geometry(s);
  const std::uint32_t cells = text.columns * text.rows;
  if (cells > 1 && cells <= kMostCells) {
    be_drawn(surface, text.columns * text.width, text.rows * text.height);
    take_attributes(s, surface);
  }
}

void show_graphics(const State& s, Surface& surface) noexcept {
  const std::uint32_t width = (s.cr<CR01>() + 1U) * 8;
  const bool twice = SR1::DC::test(s.sr<SR1>()) && !is_256_colours(s);
  be_drawn(surface, twice ? width * 2 : width, crt_geometry(s).lines);
  is_256_colours(s) ? take_dac(s, surface) : take_attributes(s, surface);
}

}  // namespace

Surface surface_of(const State& s) noexcept {
  Surface surface;
  if (!AttributeIndex::PAS::test(s.attribute_index)) {
    return surface;
  }
  if (s.dispi.enabled()) {
    show_dispi(s, surface);
  } else if (GR6::GM::test(s.gr<GR6>())) {
    show_graphics(s, surface);
  } else {
    show_text(s, surface);
  }
  return surface;
}

void draw(const State& s,
          std::span<const std::byte> video,
          const Surface& surface,
          std::span<std::uint8_t> pixels) noexcept {
  const std::uint64_t size = std::uint64_t{surface.width} * surface.height;
  if (surface.source != Surface::Source::drawn || pixels.size() < size || size == 0) {
    return;
  }
  if (!s.dispi.enabled() && !GR6::GM::test(s.gr<GR6>())) {
    draw_text(s, ReadMemory{video}, pixels.first(size));
  } else {
    draw_graphics(s, ReadMemory{video}, surface.width, pixels.first(size));
  }
}

}  // namespace dm::vga
