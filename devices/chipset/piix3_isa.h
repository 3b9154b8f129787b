// SPDX-License-Identifier: MIT
#pragma once

#include "core/irq/irq_line.h"
#include "core/pci/pci_bus.h"

#include <array>
#include <cstdint>

namespace dm::chipset {

struct Piix3IsaState {
  std::array<std::uint8_t, 256> config{};
};

template <class Visitor>
void describe(Visitor& v, Piix3IsaState& s) {
  v.field(1, "config", s.config);
}
/// Every value is possible: the register list decides which bits a loaded byte may set.
[[nodiscard]] inline bool validate(const Piix3IsaState& /*s*/) noexcept {
  return true;
}

/// 82371SB function 0 at 0:1.0. Only PIRQRC[A:D] have an effect: Xen routes the PCI interrupt links
/// as it is told, so each change of a route is passed on, once. The PICs, the PIT and ELCR are
/// Xen's. Thread rule: the loop's thread only. Source: Intel 290550-002.
class Piix3Isa final : public PciFunction {
 public:
  static constexpr unsigned kLinks = 4;

  /// Throws std::runtime_error when slot 0:1.0 is not to be had.
  Piix3Isa(PciBus& bus, IrqRouter& irqs);

  void reset() noexcept;
  [[nodiscard]] Piix3IsaState state() const noexcept { return {config().bytes()}; }
  void restore(const Piix3IsaState& s) noexcept;

 private:
  void config_written(std::uint8_t offset, std::uint8_t size) noexcept override;
  void update_routes() noexcept;

  IrqRouter& irqs_;
  std::array<std::uint8_t, kLinks> routed_{};  ///< what Xen was told; 0 = not routed, as it starts
};

}  // namespace dm::chipset
