// SPDX-License-Identifier: MIT
#pragma once

#include "platform/display/area.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace dm::display {

/// A rectangle of pixels; right and bottom are behind it.
struct Rectangle {
  std::uint32_t left, top, right, bottom;

  friend bool operator==(const Rectangle&, const Rectangle&) noexcept = default;
};

/// What the viewers see: 00RRGGBBh pixels, four bytes each, one line behind the other. It is made
/// of the guest's pixels, which change at any moment: each is read once. Thread rule: the display's
/// only thread. Allocates only when the size changes.
class Canvas {
 public:
  /// The pictures come from here. `area` and `video` outlive the canvas.
  Canvas(const Area& area, std::span<const std::byte> video);

  /// Takes what the area has, checking it as hostile: whoever wrote it may have been taken over.
  /// True when the size has changed, and with it where pixels() lies; all of it is new then.
  [[nodiscard]] bool update();
  /// Where it has changed in update(), in strips of 64 by 16 pixels.
  [[nodiscard]] std::span<const Rectangle> changed() const noexcept { return changed_; }

  [[nodiscard]] std::uint32_t width() const noexcept { return width_; }
  [[nodiscard]] std::uint32_t height() const noexcept { return height_; }
  [[nodiscard]] std::span<std::uint32_t> pixels() noexcept { return pixels_; }

 private:
  [[nodiscard]] std::optional<Picture> take() const noexcept;
  [[nodiscard]] bool resize(std::uint32_t width, std::uint32_t height);
  void blank();
  void copy(const Picture& picture);
  void put_line(std::uint32_t y, std::span<const std::uint32_t> line) noexcept;
  void end_line(std::uint32_t y);
  [[nodiscard]] bool line_changed(const Picture& picture, std::uint64_t at, std::size_t size) const;

  const Area& area_;
  std::span<const std::byte> video_;
  std::uint32_t width_ = 0;
  std::uint32_t height_ = 0;
  std::vector<std::uint32_t> pixels_;
  std::vector<std::uint32_t> line_;
  std::vector<std::uint8_t> strips_;  ///< of a row of strips: has it changed?
  std::vector<Rectangle> changed_;
  std::vector<std::uint64_t> dirty_;  ///< a copy
};

}  // namespace dm::display
