// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

enum class ShutdownReason : std::uint8_t { poweroff = 0, reboot = 1, suspend = 2, crash = 3 };

/// Port to what a device may ask of the whole machine.
/// Thread rule: the loop's thread only. Source: Xen public headers hvm/dm_op.h and sched.h.
class DomainControl {
 public:
  DomainControl() = default;
  DomainControl(const DomainControl&) = delete;
  DomainControl& operator=(const DomainControl&) = delete;
  virtual ~DomainControl() = default;

  /// Power-off or reset. The request that caused it is answered only after this returns, so that
  /// the vCPU does not run on. Data is made durable first by whoever implements it. A second call
  /// is ignored: one domain, one end.
  virtual void shutdown(ShutdownReason reason) noexcept = 0;
  /// S3: the guest sleeps until woken.
  virtual void suspend_to_ram() noexcept = 0;
  /// xen-platform's ROM lock: frames [first, first+count) become read-only or writable to the
  /// guest.
  virtual void protect_rom(std::uint64_t first_gfn,
                           std::uint32_t count,
                           bool read_only) noexcept = 0;
};

}  // namespace dm
