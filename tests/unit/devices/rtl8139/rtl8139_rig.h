// SPDX-License-Identifier: MIT
#pragma once

#include "devices/rtl8139/rtl8139.h"
#include "tests/drivers/rtl8139_driver.h"
#include "tests/rig/same_bytes.h"
#include "tests/rig/scripted_net.h"
#include "tests/rig/sim_guest.h"
#include "tests/unit/devices/nic/frames.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace dm::test {

using drivers::Rtl8139Driver;
using rig::same;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 30ns reads better

inline constexpr PciBdf kBdf{.device = 4};

/// A guest with one card whose BARs firmware has set.
struct OneRtl {
  rig::SimGuest guest;
  rig::ScriptedNet net;
  std::unique_ptr<rtl8139::Rtl8139> card =
      rtl8139::Rtl8139::create({.where = kBdf, .mac = kMac, .rom = {}},
                               {.pci = guest.pci(),
                                .irqs = guest.irqs(),
                                .memory = guest.memory(),
                                .timers = guest.timers(),
                                .work = guest.work(),
                                .backend = net})
          .value();
  Rtl8139Driver driver{guest, kBdf};
  OneRtl() { driver.map(); }

  /// Frames arrive and the loop runs.
  void arrive(Bytes frame, NetOffload offload = {}) {
    net.arrive(std::move(frame), offload);
    guest.run_work();
  }
};

}  // namespace dm::test
