// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace dm {

enum class ShutdownReason : std::uint8_t { poweroff = 0, reboot = 1, suspend = 2, crash = 3 };

/// Port to what a device may ask of the whole machine. Thread rule: the loop's thread only. Source:
/// Xen public headers hvm/dm_op.h and sched.h.
class DomainControl {
 public:
  DomainControl() = default;
  DomainControl(const DomainControl&) = delete;
  DomainControl& operator=(const DomainControl&) = delete;
  virtual ~DomainControl() = default;

  /// Power-off or reset. The request that caused it is answered only after this call returns, so
  /// the vCPU does not run on. The machine, which devices call, makes data durable first and then
  /// passes the call on to the hypervisor. A second call is ignored: a domain ends once.
  virtual void shutdown(ShutdownReason reason) noexcept = 0;
  /// S3: the guest sleeps until management wakes it.
  virtual void suspend_to_ram() noexcept = 0;
  /// xen-platform's ROM lock: makes the `count` frames from `first_gfn` (4 KiB each) read-only or
  /// writable for the guest.
  virtual void protect_rom(std::uint64_t first_gfn,
                           std::uint32_t count,
                           bool read_only) noexcept = 0;
};

}  // namespace dm
