// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/irq_sink.h"
#include "platform/xen/dm_ops.h"

#include <cstdint>

namespace dm::xen {

/// Sends interrupt levels to Xen's PIC and I/O APIC, one hypercall for each change. A failure is
/// only counted: there is nobody to tell. Thread rule: the loop's thread only. Source: Xen public
/// header hvm/dm_op.h.
class XenIrqSink final : public IrqSink {
 public:
  explicit XenIrqSink(DmOps& ops) noexcept : ops_{ops} {}

  void set_isa_level(std::uint8_t irq, bool level) noexcept override {
    count(ops_.set_isa_level(irq, level));
  }
  void set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept override {
    count(ops_.set_intx_level(device, pin, level));
  }
  void set_link_route(std::uint8_t link, std::uint8_t irq) noexcept override {
    count(ops_.set_link_route(link, irq));
  }

  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }
  [[nodiscard]] int last_error() const noexcept { return last_error_; }  ///< errno value, 0 = none

 private:
  void count(int error) noexcept {
    if (error != 0) [[unlikely]] {
      ++failures_;
      last_error_ = error;
    }
  }

  DmOps& ops_;
  std::uint64_t failures_ = 0;
  int last_error_ = 0;
};

}  // namespace dm::xen
