// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

/// Port to the hypervisor's interrupt controllers. Each call is a hypercall, so callers forward
/// only changes (IrqRouter does). The implementation counts failures: there is nobody to tell.
/// Thread rule: the loop's thread only. Source: Xen public header hvm/dm_op.h,
/// XEN_DMOP_set_{isa_irq,pci_intx}_level.
class IrqSink {
 public:
  IrqSink() = default;
  IrqSink(const IrqSink&) = delete;
  IrqSink& operator=(const IrqSink&) = delete;
  virtual ~IrqSink() = default;

  virtual void set_isa_level(std::uint8_t irq, bool level) noexcept = 0;  ///< irq 0-15
  virtual void set_intx_level(std::uint8_t device,
                              std::uint8_t pin,
                              bool level) noexcept = 0;  ///< pin 0 = INTA
  virtual void set_link_route(std::uint8_t link,
                              std::uint8_t irq) noexcept = 0;  ///< link 0-3; irq 0 = none
};

}  // namespace dm
