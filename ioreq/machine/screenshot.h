// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/screen.h"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm {

/// Lines of what the screen shows now, from number `first` on, as QMP's x-stubdm-screen answers:
/// width, height, first, lines, and rgb, three bytes a pixel as hexadecimal digits. At most
/// kMostScreenshotBytes of pixels, which fit into an answer by vchan, and one line at least. A
/// screen that is off has no width. The guest goes on meanwhile, so lines of two answers may be of
/// two pictures. Allocates. Thread rule: the loop's thread only.
inline constexpr std::size_t kMostScreenshotBytes = std::size_t{96} << 10;
[[nodiscard]] boost::json::object screenshot(Screen& screen,
                                             std::span<const std::byte> video,
                                             std::uint32_t first);

}  // namespace dm
