// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/irq_sink.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace dm::qtest {

/// The inputs of the interrupt controller that Xen would have: 16 for the ISA bus, 32 that the PCI
/// bus's INTx wires share, and an INTx wire also reaches the ISA input that its link is routed to.
/// Source: Xen 4.17, xen/include/xen/hvm/irq.h (hvm_pci_intx_gsi, hvm_pci_intx_link).
class Pins final : public IrqSink {
 public:
  static constexpr std::size_t kPins = 48;
  static constexpr std::size_t kIsaPins = 16;

  /// Called for each change of a pin.
  std::function<void(std::size_t pin, bool level)> changed = [](std::size_t, bool) {};

  void set_isa_level(std::uint8_t irq, bool level) noexcept override;
  void set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept override;
  void set_link_route(std::uint8_t link, std::uint8_t irq) noexcept override;

  [[nodiscard]] bool level(std::size_t pin) const { return levels_.at(pin); }

 private:
  static constexpr std::size_t kLinks = 4;

  void look() noexcept;

  std::array<bool, kIsaPins> isa_{};
  std::array<unsigned, kPins - kIsaPins> gsi_{};  ///< how many wires hold it
  std::array<unsigned, kLinks> links_{};          ///< likewise
  std::array<std::uint8_t, kLinks> routes_{};     ///< 0: none
  std::array<bool, kPins> levels_{};
};

}  // namespace dm::qtest
