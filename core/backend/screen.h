// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/surface.h"

#include <cstdint>
#include <span>

namespace dm {

/// What a graphics card shows, for whoever displays it. Nothing is done for the picture until
/// somebody asks. Thread rule: the loop's thread only. No call allocates.
class Screen {
 public:
  /// Most pixels of a surface that is `drawn`, and so the cost of draw().
  static constexpr std::uint32_t kMostDrawnPixels = 1U << 20U;

  Screen() = default;
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  virtual ~Screen() = default;

  [[nodiscard]] virtual Surface surface() const noexcept = 0;
  /// Draws a surface that is `drawn` and was just asked for. `pixels` has room for all of it.
  virtual void draw(const Surface& surface, std::span<std::uint8_t> pixels) noexcept = 0;
  /// May video memory have been written since the last call without a word of
  /// VideoMemory::take_dirty(), which knows of the guest's own writes alone? The card itself writes
  /// to it; and while a migration tracks all memory, it hears of writes before us.
  [[nodiscard]] virtual bool take_written() noexcept = 0;
};

}  // namespace dm
