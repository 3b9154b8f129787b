// SPDX-License-Identifier: MIT
#pragma once

#include "devices/e1000/e1000.h"
#include "tests/drivers/e1000_driver.h"
#include "tests/rig/same_bytes.h"
#include "tests/rig/scripted_net.h"
#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dm::test {

using drivers::Bytes;
using drivers::E1000Driver;
using rig::same;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 87us reads better

inline constexpr e1000::MacAddress kMac{0x00, 0x16, 0x3e, 0x12, 0x34, 0x56};
inline constexpr PciBdf kBdf{.device = 4};

[[nodiscard]] inline std::unique_ptr<e1000::E1000> make_card(rig::SimGuest& guest,
                                                             NetBackend& net,
                                                             PciBdf where = kBdf) {
  return e1000::E1000::create({.where = where, .mac = kMac, .rom = {}}, {.pci = guest.pci(),
                                                                         .irqs = guest.irqs(),
                                                                         .memory = guest.memory(),
                                                                         .timers = guest.timers(),
                                                                         .work = guest.work(),
                                                                         .backend = net})
      .value();
}

/// A guest with one card whose BARs firmware has set.
struct OneCard {
  rig::SimGuest guest;
  rig::ScriptedNet net;
  std::unique_ptr<e1000::E1000> card = make_card(guest, net);
  E1000Driver driver{guest, kBdf};
  OneCard() { driver.map(); }

  /// Frames arrive and the loop runs.
  void arrive(Bytes frame, NetOffload offload = {}) {
    net.arrive(std::move(frame), offload);
    guest.run_work();
  }
};

[[nodiscard]] inline std::byte byte_of(std::size_t i) {
  return static_cast<std::byte>((i * 7 + i / 251 + 3) & 0xffU);
}
/// A frame of `size` bytes for `to`, its contents different at every place.
[[nodiscard]] inline Bytes frame_to(std::span<const std::uint8_t> to,
                                    std::size_t size,
                                    std::uint16_t type = 0x88b5) {
  Bytes frame(size);
  for (std::size_t i = 0; i < size; ++i) {
    frame[i] = byte_of(i);
  }
  for (std::size_t i = 0; i < 6; ++i) {
    frame.at(i) = std::byte{to[i]};
    frame.at(6 + i) = static_cast<std::byte>(0x50 + i);
  }
  frame.at(12) = static_cast<std::byte>(type >> 8U);
  frame.at(13) = static_cast<std::byte>(type & 0xffU);
  return frame;
}
[[nodiscard]] inline Bytes frame_to_us(std::size_t size) {
  return frame_to(kMac, size);
}
inline constexpr std::array<std::uint8_t, 6> kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
inline constexpr std::array<std::uint8_t, 6> kOther{0x00, 0x16, 0x3e, 0x99, 0x99, 0x99};

}  // namespace dm::test
