// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dm::vga {

/// What the monitor says that it likes best, in pixels.
struct Monitor {
  static constexpr std::uint16_t kLeast = 320;
  static constexpr std::uint16_t kMost = 4095;  ///< a timing of EDID has twelve bits
  std::uint16_t width = 1280;
  std::uint16_t height = 800;
};

/// One block. Source: VESA Enhanced EDID Standard 1.4 (release A, revision 2), section 3.
using Edid = std::array<std::uint8_t, 128>;

/// A monitor without a serial number that shows what the card can; drivers take its first timing
/// for the screen's size. `monitor` is within its limits.
[[nodiscard]] Edid make_edid(const Monitor& monitor) noexcept;

}  // namespace dm::vga
