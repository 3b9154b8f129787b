// SPDX-License-Identifier: MIT
#pragma once

#include "core/pci/pci_bus.h"

#include <array>
#include <cstdint>

namespace dm::chipset {

struct HostBridgeState {
  std::array<std::uint8_t, 256> config{};
};

template <class Visitor>
void describe(Visitor& v, HostBridgeState& s) {
  v.field(1, "config", s.config);
}
/// Every value is possible: the register list decides which bits a loaded byte may set.
[[nodiscard]] inline bool validate(const HostBridgeState& /*s*/) noexcept {
  return true;
}

/// 82441FX at 0:0.0. Firmware and old systems read it to learn what machine this is. Xen handles
/// memory itself, so the attribute map, row boundaries and SMRAM are storage without effect. Thread
/// rule: the loop's thread only. Source: Intel 290549-001.
class HostBridge final : public PciFunction {
 public:
  /// Throws std::runtime_error when slot 0:0.0 is not to be had.
  explicit HostBridge(PciBus& bus);

  void reset() noexcept;
  [[nodiscard]] HostBridgeState state() const noexcept { return {config().bytes()}; }
  void restore(const HostBridgeState& s) noexcept;

 private:
  void config_written(std::uint8_t offset, std::uint8_t size) noexcept override;

  std::uint8_t smram_;  ///< SMRAM before the present write
};

}  // namespace dm::chipset
