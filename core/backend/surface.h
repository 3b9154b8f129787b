// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

namespace dm {

/// How a pixel lies in memory. Names say colours from the highest bit to the lowest of a pixel that
/// is read with its lowest byte first.
enum class PixelFormat : std::uint8_t {
  indexed8,  ///< a byte, an index of the palette
  rgb555,    ///< two bytes; the highest bit means nothing
  rgb565,
  rgb888,    ///< three bytes
  xrgb8888,  ///< four bytes; the highest means nothing
};

[[nodiscard]] constexpr std::uint32_t bytes_of(PixelFormat format) noexcept {
  switch (format) {
    case PixelFormat::indexed8:
      return 1;
    case PixelFormat::rgb555:
    case PixelFormat::rgb565:
      return 2;
    case PixelFormat::rgb888:
      return 3;
    case PixelFormat::xrgb8888:
      return 4;
  }
  return 4;
}

/// What a screen shows, and where its pixels are: plain data, for whoever displays it.
struct Surface {
  enum class Source : std::uint8_t {
    nothing,       ///< the screen is off, or shows what cannot be drawn: black, of any size
    video_memory,  ///< the pixels are in video memory, from `offset` on, and all of them inside it
    drawn,         ///< the card draws them when it is asked, indexed8, one line behind the other
  };
  Source source = Source::nothing;
  PixelFormat format = PixelFormat::indexed8;
  bool high_byte_first = false;  ///< of pixels of two bytes and more
  std::uint32_t width = 0;       ///< pixels
  std::uint32_t height = 0;
  std::uint32_t stride = 0;                  ///< bytes from a line to the next
  std::uint64_t offset = 0;                  ///< bytes
  std::array<std::uint32_t, 256> palette{};  ///< 00RRGGBBh

  friend bool operator==(const Surface&, const Surface&) noexcept = default;
};

}  // namespace dm
