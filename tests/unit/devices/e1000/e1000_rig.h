// SPDX-License-Identifier: MIT
#pragma once

#include "devices/e1000/e1000.h"
#include "tests/drivers/e1000_driver.h"
#include "tests/rig/same_bytes.h"
#include "tests/rig/scripted_net.h"
#include "tests/rig/sim_guest.h"
#include "tests/unit/devices/nic/frames.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dm::test {

using drivers::E1000Driver;
using rig::same;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 87us reads better

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

}  // namespace dm::test
