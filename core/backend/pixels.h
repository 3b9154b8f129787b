// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/surface.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm {

/// One line of a surface as pixels 00RRGGBBh. `from` has all of its to.size() pixels, in the
/// surface's format; each of its bytes is read once, since the guest may change them at any moment.
/// No allocation. Thread rule: any thread.
void convert_line(const Surface& surface,
                  std::span<const std::byte> from,
                  std::span<std::uint32_t> to) noexcept;

}  // namespace dm
