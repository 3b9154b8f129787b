// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/xen/dm_ops.h"
#include "platform/xen/handles.h"
#include "platform/xen/ioreq_server.h"
#include "platform/xen/xen_domain.h"
#include "platform/xen/xen_irq_sink.h"
#include "platform/xen/xen_memory.h"
#include "platform/xen/xen_video.h"

#include <cstddef>
#include <memory>
#include <optional>

namespace dm {

/// All Xen objects that one guest's machine needs, in the order in which they are made. They go in
/// the reverse order.
class XenHost {
 public:
  /// `vcpus`: all that the domain can have. `sleep` is who puts the guest into S3, or null; it
  /// outlives the result.
  [[nodiscard]] static Result<std::unique_ptr<XenHost>> open(xen::DomId domid,
                                                             unsigned vcpus,
                                                             xen::SleepSwitch* sleep);

  /// For a guest with a graphics card, once, before restrict_to_guest() and the like: gives it
  /// video memory. A guest that was saved has it already, at `found`.
  [[nodiscard]] Result<> open_video(std::size_t bytes, bool xen_platform, std::optional<Gpa> found);

  /// Binds the handles to the guest for good: they reach no other domain and make no plain
  /// hypercall. Kernels of stub domains with the fix for XSA-482 do so by themselves.
  [[nodiscard]] Result<> restrict_to_guest() noexcept;

  [[nodiscard]] xen::IoreqServer& server() noexcept { return *server_; }
  [[nodiscard]] xen::XenMemory& memory() noexcept { return memory_; }
  [[nodiscard]] xen::XenIrqSink& irqs() noexcept { return irqs_; }
  [[nodiscard]] xen::XenDomain& domain() noexcept { return domain_; }
  /// Null: there is no graphics card.
  [[nodiscard]] VideoMemory* video() noexcept { return video_.get(); }

 private:
  XenHost(xen::DomId domid,
          std::unique_ptr<xen::DmOps> ops,
          xen::ForeignMemoryHandle foreign_memory,
          std::unique_ptr<xen::IoreqServer> server,
          xen::SleepSwitch* sleep) noexcept;

  xen::DomId domid_;
  std::unique_ptr<xen::DmOps> ops_;
  xen::ForeignMemoryHandle foreign_memory_;
  std::unique_ptr<xen::IoreqServer> server_;
  xen::XenMemory memory_;
  xen::XenIrqSink irqs_;
  xen::XenDomain domain_;
  std::unique_ptr<xen::XenVideoMemory> video_;
};

}  // namespace dm
