// SPDX-License-Identifier: MIT
#include "core/backend/pixels.h"

namespace dm {

namespace {

/// 5 or 6 bits as 8, so that the brightest is the brightest.
[[nodiscard]] constexpr std::uint32_t widen(std::uint32_t value, unsigned bits) noexcept {
  return value << (8 - bits) | value >> (2 * bits - 8);
}

[[nodiscard]] constexpr std::uint32_t colour(std::uint32_t red,
                                             std::uint32_t green,
                                             std::uint32_t blue) noexcept {
  return red << 16 | green << 8 | blue;
}

[[nodiscard]] std::uint32_t byte_at(const std::byte* at) noexcept {
  return std::to_integer<std::uint32_t>(*at);
}

[[nodiscard]] std::uint32_t from_555(std::uint32_t pixel) noexcept {
  return colour(widen(pixel >> 10 & 0x1f, 5), widen(pixel >> 5 & 0x1f, 5), widen(pixel & 0x1f, 5));
}
[[nodiscard]] std::uint32_t from_565(std::uint32_t pixel) noexcept {
  return colour(widen(pixel >> 11 & 0x1f, 5), widen(pixel >> 5 & 0x3f, 6), widen(pixel & 0x1f, 5));
}

}  // namespace

void convert_line(const Surface& surface,
                  std::span<const std::byte> from,
                  std::span<std::uint32_t> to) noexcept {
  const bool swapped = surface.high_byte_first;
  const std::byte* at = from.data();
  switch (surface.format) {
    case PixelFormat::indexed8:
      for (std::uint32_t& pixel : to) {
        pixel = surface.palette.at(byte_at(at)) & 0xff'ffff;
        at += 1;
      }
      return;
    case PixelFormat::rgb555:
    case PixelFormat::rgb565:
      for (std::uint32_t& pixel : to) {
        const std::uint32_t low = byte_at(at + (swapped ? 1 : 0));
        const std::uint32_t both = low | byte_at(at + (swapped ? 0 : 1)) << 8;
        pixel = surface.format == PixelFormat::rgb555 ? from_555(both) : from_565(both);
        at += 2;
      }
      return;
    case PixelFormat::rgb888:
      for (std::uint32_t& pixel : to) {
        pixel = swapped ? colour(byte_at(at), byte_at(at + 1), byte_at(at + 2))
                        : colour(byte_at(at + 2), byte_at(at + 1), byte_at(at));
        at += 3;
      }
      return;
    case PixelFormat::xrgb8888:
      for (std::uint32_t& pixel : to) {
        pixel = swapped ? colour(byte_at(at + 1), byte_at(at + 2), byte_at(at + 3))
                        : colour(byte_at(at + 2), byte_at(at + 1), byte_at(at));
        at += 4;
      }
      return;
  }
}

}  // namespace dm
