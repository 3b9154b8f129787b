// SPDX-License-Identifier: MIT
#include "devices/chipset/host_bridge.h"

#include "devices/chipset/host_bridge_regs.h"

namespace dm::chipset {

using pmc::SMRAM;

HostBridge::HostBridge(PciBus& bus)
    : PciFunction{bus, {0, 0}, "host bridge", Config{pmc::Map{}}}, smram_{SMRAM::kReset} {}

void HostBridge::reset() noexcept {
  reset_config();
  smram_ = SMRAM::kReset;
}

void HostBridge::restore(const HostBridgeState& s) noexcept {
  restore_config(s.config);
  smram_ = config().get<SMRAM>();
}

/// SMRAM: a locked space stays locked and closed until power-on.
void HostBridge::config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  const bool locked = SMRAM::DLCK::test(smram_);
  std::uint8_t now = config().get<SMRAM>();
  if (locked) {
    now = SMRAM::DLCK::with(now, 1);
  }
  if (SMRAM::DLCK::test(now)) {
    now = SMRAM::DOPEN::with(now, 0);
  }
  config().set<SMRAM>(now);
  smram_ = now;
}

}  // namespace dm::chipset
