// SPDX-License-Identifier: MIT
#pragma once

#include "platform/pv/driver.h"

namespace dm::pv {

/// A PV keyboard on which nobody ever types. libxl gives each HVM guest one (vkb_device=1 is its
/// default), and at boot Linux waits up to 30 s for a device that does not connect. It has no
/// pointer. But the keyboard must be there: without it Linux would complain (-ENXIO from its probe)
/// and not connect. The ring is not even mapped, because only we would write to it. Source: Xen
/// public header io/kbdif.h; Linux 6.1 drivers/input/misc/xen-kbdfront.c.
class Keyboard final : public Driver {
 public:
  [[nodiscard]] Result<std::optional<Nodes>> prepare(const Values& values) override;
  [[nodiscard]] Result<Nodes> connect(const Values& values) override;
  void disconnect() noexcept override {}
};

/// A device that does not exist (a PV framebuffer): it closes as soon as its frontend looks, so
/// that the guest does not wait for it.
class Unserved final : public Driver {
 public:
  [[nodiscard]] Result<std::optional<Nodes>> prepare(const Values& values) override;
  [[nodiscard]] Result<Nodes> connect(const Values& values) override;
  void disconnect() noexcept override {}
  [[nodiscard]] bool starts_closed() const noexcept override { return true; }
};

}  // namespace dm::pv
