// SPDX-License-Identifier: MIT
#pragma once

#include "tests/unit/devices/e1000/e1000_rig.h"

namespace dm::test {

/// A card with both rings open, and a test at the end whether it still does its work.
struct Hostile : OneCard {
  Hostile() {
    driver.open_tx(64);
    driver.open_rx(64, E1000Driver::RCTL_BAM | E1000Driver::RCTL_SECRC);
  }
  /// The card still does its work.
  void alive() {
    driver.set(E1000Driver::CTRL, E1000Driver::CTRL_RST);
    driver.open_tx(64);
    driver.open_rx(64, E1000Driver::RCTL_BAM | E1000Driver::RCTL_SECRC);
    net.sent.clear();
    net.make_room(1000);
    driver.send(frame_to(kOther, 200));
    BOOST_TEST(net.sent.size() == 1U);
    while (net.waiting() != 0) {
      (void)driver.take();
    }
    while (!driver.take().bytes.empty()) {
    }
    arrive(frame_to_us(300));
    BOOST_TEST(same(driver.take().bytes, frame_to_us(300)));
  }
  /// A segmentation request over `size` bytes.
  void segment(const E1000Driver::Context& c, std::uint32_t size) {
    driver.put_context(c);
    driver.put_data(E1000Driver::kTxBuffers, size,
                    E1000Driver::TSE | E1000Driver::EOP | E1000Driver::RS,
                    E1000Driver::TXSM | E1000Driver::IXSM);
    driver.ring_doorbell();
  }
};

}  // namespace dm::test
