// SPDX-License-Identifier: MIT
#include "devices/vga/chip.h"

namespace dm::vga {

Chip::Chip(const Ports& ports, const Monitor& monitor) noexcept
    : ports_{ports}, video_{ports.video.bytes()}, edid_{make_edid(monitor)} {
  reset();
}

void Chip::reset() noexcept {
  const std::uint32_t size = static_cast<std::uint32_t>(video_.size() >> 20U);
  state_ = State{};
  state_.memory_mib = size;
}

}  // namespace dm::vga
