// SPDX-License-Identifier: MIT
#pragma once

#include "tests/unit/devices/e1000/e1000_rig.h"
#include "tests/unit/devices/nic/packets.h"

#include <cstdint>
#include <span>

namespace dm::test {

/// A UDP datagram over IPv4 that the card is to cut into pieces of 1000 bytes: in memory, behind a
/// context and a data descriptor. The doorbell is the caller's.
inline void put_long_datagram(E1000Driver& driver, std::span<const std::byte> payload) {
  using D = E1000Driver;
  const Flow f{.udp = true};
  const auto headers = static_cast<std::uint8_t>(f.header());
  driver.put_memory(D::kTxBuffers, for_segmentation(f, payload));
  driver.put_context({.ipcss = 14,
                      .ipcso = 24,
                      .ipcse = 33,
                      .tucss = 34,
                      .tucso = 40,
                      .tucse = 0,
                      .paylen = static_cast<std::uint32_t>(payload.size()),
                      .tucmd = D::TU_IP | D::TU_TSE,
                      .hdrlen = headers,
                      .mss = 1000});
  driver.put_data(D::kTxBuffers, static_cast<std::uint32_t>(headers + payload.size()),
                  D::TSE | D::EOP | D::RS, D::IXSM | D::TXSM);
}

}  // namespace dm::test
