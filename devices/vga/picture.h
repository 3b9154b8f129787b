// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/screen.h"
#include "core/backend/surface.h"
#include "devices/vga/state.h"

#include <cstddef>
#include <cstdint>
#include <span>

/// What the card shows, as pure functions of its state and of video memory: they remember nothing
/// and change nothing. Any thread may call them with a state of its own. They neither allocate nor
/// throw. The pixels are those that QEMU 7.2 shows (hw/display/vga.c).
namespace dm::vga {

/// Most characters of a text mode.
inline constexpr std::uint32_t kMostCells = 16000;
/// Most pixels of a picture that is drawn, and so the cost of draw(): a few bytes of work each.
inline constexpr std::uint32_t kMostPixels = Screen::kMostDrawnPixels;

/// `s` is valid. VBE modes of 8 and more bits are pixels in video memory. Text, planes, CGA modes
/// and 256 colours without VBE are drawn, if they are no larger than the two limits. Costs the
/// palette.
[[nodiscard]] Surface surface_of(const State& s) noexcept;

/// Draws the picture of a surface that is `drawn` and was made of the same state. `pixels` has room
/// for all of it, `video` is a power of two long. What the guest writes meanwhile may show in part.
void draw(const State& s,
          std::span<const std::byte> video,
          const Surface& surface,
          std::span<std::uint8_t> pixels) noexcept;

}  // namespace dm::vga
