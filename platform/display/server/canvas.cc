// SPDX-License-Identifier: MIT
#include "platform/display/server/canvas.h"

#include "core/backend/pixels.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dm::display {

namespace {

constexpr std::uint32_t kStripWidth = 64;
constexpr std::uint32_t kStripHeight = 16;
constexpr std::size_t kPage = 4096;
/// Of a screen that is off.
constexpr std::uint32_t kBlankWidth = 640;
constexpr std::uint32_t kBlankHeight = 480;
constexpr std::uint32_t kMostSide = 16000;  // Bochs VBE

/// Only what a line's pixels depend on.
[[nodiscard]] Surface surface_of(const Picture& picture) noexcept {
  Surface surface;
  surface.format = static_cast<PixelFormat>(picture.format);
  surface.high_byte_first = picture.high_byte_first != 0;
  surface.palette = picture.palette;
  return surface;
}

}  // namespace

Canvas::Canvas(const Area& area, std::span<const std::byte> video)
    : area_{area}, video_{video}, dirty_(area.dirty.size()) {
  static_cast<void>(resize(kBlankWidth, kBlankHeight));
}

/// The picture, if it makes sense and its pixels are inside what is mapped.
std::optional<Picture> Canvas::take() const noexcept {
  Picture picture;
  std::memcpy(&picture, &area_.picture, sizeof picture);
  const auto format = static_cast<PixelFormat>(picture.format);
  if (picture.format > static_cast<std::uint8_t>(PixelFormat::xrgb8888) || picture.width == 0 ||
      picture.height == 0 || picture.width > kMostSide || picture.height > kMostSide ||
      std::uint64_t{picture.width} * picture.height > kMostShownPixels) {
    return std::nullopt;
  }
  const std::uint64_t line = std::uint64_t{picture.width} * bytes_of(format);
  switch (static_cast<Surface::Source>(picture.source)) {
    case Surface::Source::nothing:
      return std::nullopt;
    case Surface::Source::drawn:
      picture.stride = picture.width;
      picture.offset = 0;
      picture.format = static_cast<std::uint8_t>(PixelFormat::indexed8);
      return picture.half <= 1 && line * picture.height <= Screen::kMostDrawnPixels &&
                     format == PixelFormat::indexed8
                 ? std::optional{picture}
                 : std::nullopt;
    case Surface::Source::video_memory: {
      const std::uint64_t last =
          std::uint64_t{picture.stride} * (picture.height - 1) + line;  // below 2^47
      return picture.stride >= line && last <= video_.size() &&
                     picture.offset <= video_.size() - last
                 ? std::optional{picture}
                 : std::nullopt;
    }
  }
  return std::nullopt;
}

bool Canvas::resize(std::uint32_t width, std::uint32_t height) {
  if (width == width_ && height == height_) {
    return false;
  }
  width_ = width;
  height_ = height;
  pixels_.assign(std::size_t{width} * height, 0);
  pixels_.shrink_to_fit();
  line_.assign(width, 0);
  strips_.assign((width + kStripWidth - 1) / kStripWidth, 0);
  return true;
}

bool Canvas::update() {
  changed_.clear();
  const auto picture = take();
  if (!picture) {
    blank();
    return false;
  }
  const bool resized = resize(picture->width, picture->height);
  std::memcpy(dirty_.data(), area_.dirty.data(), sizeof area_.dirty);
  copy(*picture);
  return resized;
}

/// Of the size that it has: viewers keep their windows while the guest sets another mode.
void Canvas::blank() {
  std::ranges::fill(line_, 0U);
  for (std::uint32_t y = 0; y < height_; ++y) {
    put_line(y, line_);
    end_line(y);
  }
}

bool Canvas::line_changed(const Picture& picture, std::uint64_t at, std::size_t size) const {
  if (picture.all != 0 || static_cast<Surface::Source>(picture.source) == Surface::Source::drawn) {
    return true;
  }
  for (std::uint64_t page = at / kPage; page <= (at + size - 1) / kPage; ++page) {
    if ((dirty_[page / 64] >> (page % 64) & 1U) != 0) {
      return true;
    }
  }
  return false;
}

void Canvas::copy(const Picture& picture) {
  const bool drawn = static_cast<Surface::Source>(picture.source) == Surface::Source::drawn;
  const std::span<const std::byte> from =
      drawn ? std::as_bytes(std::span{area_.drawn.at(picture.half)}) : video_;
  const std::size_t size =
      std::size_t{picture.width} * bytes_of(static_cast<PixelFormat>(picture.format));
  const Surface surface = surface_of(picture);
  for (std::uint32_t y = 0; y < height_; ++y) {
    const std::uint64_t at = picture.offset + std::uint64_t{picture.stride} * y;
    if (line_changed(picture, at, size)) {
      convert_line(surface, from.subspan(at, size), line_);
      put_line(y, line_);
    }
    end_line(y);
  }
}

/// Behind the last line of a row of strips: neighbours that have changed become one rectangle.
void Canvas::end_line(std::uint32_t y) {
  if (y % kStripHeight != kStripHeight - 1 && y != height_ - 1) {
    return;
  }
  const std::uint32_t top = y - y % kStripHeight;
  for (std::size_t i = 0; i < strips_.size(); ++i) {
    if (std::exchange(strips_[i], std::uint8_t{0}) == 0) {
      continue;
    }
    const auto left = static_cast<std::uint32_t>(i) * kStripWidth;
    const std::uint32_t right = std::min(left + kStripWidth, width_);
    if (!changed_.empty() && changed_.back().top == top && changed_.back().right == left) {
      changed_.back().right = right;
    } else {
      changed_.push_back({.left = left, .top = top, .right = right, .bottom = y + 1});
    }
  }
}

/// Keeps the line, and which strips of it have changed.
void Canvas::put_line(std::uint32_t y, std::span<const std::uint32_t> line) noexcept {
  std::uint32_t* const shown = pixels_.data() + std::size_t{y} * width_;
  for (std::uint32_t left = 0; left < width_; left += kStripWidth) {
    const std::size_t bytes =
        std::size_t{std::min(kStripWidth, width_ - left)} * sizeof(std::uint32_t);
    if (std::memcmp(shown + left, line.data() + left, bytes) != 0) {
      std::memcpy(shown + left, line.data() + left, bytes);
      strips_[left / kStripWidth] = 1;
    }
  }
}

}  // namespace dm::display
