// SPDX-License-Identifier: MIT
#pragma once

#include "core/addr.h"
#include "core/range.h"

namespace dm {

/// Port to the hypervisor: which guest accesses come to us. Only the buses call it, when a region
/// is claimed or released. Ends of ranges are inclusive. False when the host refuses: its table of
/// 256 ranges is full, or the guest is gone. Thread rule: the loop's thread only. Source: Xen
/// public header hvm/dm_op.h, XEN_DMOP_map_io_range_to_ioreq_server.
class IoClaims {
 public:
  IoClaims() = default;
  IoClaims(const IoClaims&) = delete;
  IoClaims& operator=(const IoClaims&) = delete;
  virtual ~IoClaims() = default;

  [[nodiscard]] virtual bool claim_ports(PortRange range) noexcept = 0;
  virtual void release_ports(PortRange range) noexcept = 0;
  [[nodiscard]] virtual bool claim_mmio(MmioRange range) noexcept = 0;
  virtual void release_mmio(MmioRange range) noexcept = 0;
  [[nodiscard]] virtual bool claim_pci(PciBdf function) noexcept = 0;
  virtual void release_pci(PciBdf function) noexcept = 0;
};

}  // namespace dm
