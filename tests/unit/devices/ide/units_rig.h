// SPDX-License-Identifier: MIT
// Long commands of a disk, gone through unit by unit.
#pragma once

#include "tests/unit/devices/ide/ide_rig.h"

#include <cstdint>
#include <span>

namespace dm::test {

/// DATA SET MANAGEMENT of 8 blocks: 512 ranges of 65535 sectors from LBA 0 on, and back again.
inline void put_trim_ranges(rig::SimGuest& guest) {
  for (std::uint64_t i = 0; i < 512; ++i) {
    guest.poke(kBuffer + i * 8, i % 2 | std::uint64_t{65535} << 48U);
  }
}

/// Deferred work runs unit by unit, when the test says so.
struct ByUnits : OneDisk {
  ByUnits() { guest.set_auto_work(false); }
  [[nodiscard]] std::uint64_t worst_request() {
    return guest.work().meter().worst_request().image_requests;
  }
  void start(unsigned opcode, std::span<const Prd> prds) {
    ide.prepare_dma(prds);
    ide.command(opcode);
    ide.bm_command(opcode == 0x25 ? 9 : 1);
  }
  void run(unsigned units) {
    for (unsigned i = 0; i < units && guest.work().run_one(); ++i) {
    }
  }
};

}  // namespace dm::test
