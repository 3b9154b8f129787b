// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/pv/backends.h"
#include "platform/toolstack/store/store_client.h"
#include "platform/xen/xen_frontend.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace dm {

/// The PV backends of one domain on Xen, this host's disks and ttys, and the program's loop.
class PvHost {
 public:
  /// `loop` and `store` outlive it.
  [[nodiscard]] static Result<std::unique_ptr<PvHost>> open(host::Loop& loop,
                                                            toolstack::StoreClient& store,
                                                            std::uint32_t domid,
                                                            std::vector<pv::Backends::Kind> kinds,
                                                            const host::CharLimits& limits = {});

  /// Binds to the domain what can be bound: memory and event channels, not grants.
  [[nodiscard]] Result<> restrict_to_guest() noexcept { return frontend_->restrict_to_guest(); }
  [[nodiscard]] pv::Backends& backends() noexcept { return backends_; }
  [[nodiscard]] const pv::Backends& backends() const noexcept { return backends_; }

 private:
  PvHost(host::Loop& loop,
         toolstack::StoreClient& store,
         std::uint32_t domid,
         std::vector<pv::Backends::Kind> kinds,
         const host::CharLimits& limits,
         std::unique_ptr<xen::XenFrontend> frontend,
         host::UniqueFd events);
  void on_events() noexcept;

  std::unique_ptr<xen::XenFrontend> frontend_;
  host::Watch events_;
  pv::Backends backends_;
};

}  // namespace dm
