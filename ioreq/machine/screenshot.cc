// SPDX-License-Identifier: MIT
#include "ioreq/machine/screenshot.h"

#include "core/backend/pixels.h"

#include <boost/json/string.hpp>

#include <algorithm>
#include <vector>

namespace dm {

namespace {

constexpr std::size_t kBytesPerPixel = 3;

void append_hex(boost::json::string& to, std::uint32_t pixel) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (unsigned shift = 24; shift > 0;) {
    shift -= 4;
    to.push_back(kDigits[pixel >> shift & 0xfU]);
  }
}

}  // namespace

boost::json::object screenshot(Screen& screen,
                               std::span<const std::byte> video,
                               std::uint32_t first) {
  const Surface surface = screen.surface();
  boost::json::object answer{
      {"width", 0}, {"height", 0}, {"first", first}, {"lines", 0}, {"rgb", ""}};
  if (surface.source == Surface::Source::nothing || surface.width == 0) {
    return answer;
  }
  std::vector<std::uint8_t> drawn;
  std::span<const std::byte> from = video;
  std::size_t stride = surface.stride;
  if (surface.source == Surface::Source::drawn) {
    drawn.resize(std::size_t{surface.width} * surface.height);
    screen.draw(surface, drawn);
    from = std::as_bytes(std::span{drawn});
    stride = surface.width;
  }
  const std::uint32_t start = std::min(first, surface.height);
  const std::size_t most =
      std::max<std::size_t>(kMostScreenshotBytes / (surface.width * kBytesPerPixel), 1);
  const auto lines =
      static_cast<std::uint32_t>(std::min<std::size_t>(most, surface.height - start));
  boost::json::string rgb;
  rgb.reserve(std::size_t{lines} * surface.width * kBytesPerPixel * 2);
  std::vector<std::uint32_t> line(surface.width);
  const std::size_t size = std::size_t{surface.width} * bytes_of(surface.format);
  for (std::uint32_t y = start; y < start + lines; ++y) {
    convert_line(surface, from.subspan(surface.offset + stride * y, size), line);
    for (const std::uint32_t pixel : line) {
      append_hex(rgb, pixel);
    }
  }
  answer["width"] = surface.width;
  answer["height"] = surface.height;
  answer["first"] = start;
  answer["lines"] = lines;
  answer["rgb"] = std::move(rgb);
  return answer;
}

}  // namespace dm
