// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/xen/dm_ops.h"
#include "platform/xen/handles.h"
#include "platform/xen/ioreq_server.h"
#include "platform/xen/xen_domain.h"
#include "platform/xen/xen_irq_sink.h"
#include "platform/xen/xen_memory.h"

#include <memory>
#include <optional>

namespace dm {

/// Everything of Xen that one guest's machine stands on, in the order of its making; it goes in the
/// reverse order.
class XenHost {
 public:
  /// `vcpus`: all that the domain can have.
  [[nodiscard]] static Result<std::unique_ptr<XenHost>> open(xen::DomId domid, unsigned vcpus);

  [[nodiscard]] xen::IoreqServer& server() noexcept { return *server_; }
  [[nodiscard]] xen::XenMemory& memory() noexcept { return memory_; }
  [[nodiscard]] xen::XenIrqSink& irqs() noexcept { return irqs_; }
  [[nodiscard]] xen::XenDomain& domain() noexcept { return domain_; }

 private:
  XenHost(xen::DomId domid,
          std::unique_ptr<xen::DmOps> ops,
          xen::ForeignMemoryHandle foreign_memory,
          std::unique_ptr<xen::IoreqServer> server,
          std::optional<xen::SleepState> sleep) noexcept;

  std::unique_ptr<xen::DmOps> ops_;
  xen::ForeignMemoryHandle foreign_memory_;
  std::unique_ptr<xen::IoreqServer> server_;
  std::optional<xen::SleepState>
      sleep_;  ///< absent where the hypercall is not to be had: no S3 then
  xen::XenMemory memory_;
  xen::XenIrqSink irqs_;
  xen::XenDomain domain_;
};

}  // namespace dm
