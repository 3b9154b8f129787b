// SPDX-License-Identifier: MIT
#pragma once

#include "devices/vga/vga.h"
#include "platform/sim/sim_video.h"
#include "tests/drivers/vga_driver.h"
#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace dm::test {

using drivers::VgaDriver;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 17ms reads better

inline constexpr PciBdf kVga{.device = 3};
inline constexpr std::uint64_t kWindow = 0xa0000;
inline constexpr std::uint64_t kText = 0xb8000;

/// A guest with a card whose BARs firmware has set.
struct OneScreen {
  static constexpr std::size_t kMemory = std::size_t{16} << 20;

  explicit OneScreen(std::size_t memory = kMemory) : video{memory} { driver.map(); }

  [[nodiscard]] std::uint8_t video_byte(std::size_t at) {
    return std::to_integer<std::uint8_t>(video.bytes()[at]);
  }
  /// A byte of each plane.
  [[nodiscard]] std::array<std::uint8_t, 4> planes(std::size_t at) {
    return {video_byte(at * 4), video_byte(at * 4 + 1), video_byte(at * 4 + 2),
            video_byte(at * 4 + 3)};
  }
  [[nodiscard]] const vga::State state() const { return card->state(); }

  rig::SimGuest guest;
  sim::SimVideoMemory video;
  std::vector<std::byte> rom = std::vector<std::byte>(39936, std::byte{0x5a});
  std::unique_ptr<vga::Vga> card = vga::Vga::create({.where = kVga, .monitor = {}, .rom = rom},
                                                    {.pci = guest.pci(),
                                                     .pio = guest.pio(),
                                                     .mmio = guest.mmio(),
                                                     .memory = guest.memory(),
                                                     .timers = guest.timers(),
                                                     .video = video})
                                       .value();
  VgaDriver driver{guest, kVga};
};

}  // namespace dm::test
