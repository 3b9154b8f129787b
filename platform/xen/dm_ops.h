// SPDX-License-Identifier: MIT
#pragma once

#include "core/addr.h"
#include "core/range.h"
#include "core/result.h"

#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/xen.h>

#include <cstdint>
#include <memory>
#include <span>

namespace dm::xen {

using DomId = domid_t;

/// Device-model operations on one guest. Every call is one hypercall through one system call and
/// returns 0 or an errno value (positive); nothing allocates or throws.
///
/// Errors worth knowing: ESRCH no such domain, EPERM no device-model privilege over it, EINVAL not
/// an HVM guest or a bad argument, EEXIST/ENOENT/ENOMEM for ranges (overlap within the server, not
/// mapped, more than 256 of a kind), ENOSPC no room for another server (8 at most). Thread rule:
/// the loop's thread only. Source: Xen public header hvm/dm_op.h.
class DmOps {
 public:
  using Extent = xen_dm_op_modified_memory_extent;
  /// As many extents as Linux's privcmd carries in one operation: a buffer is at most 4096 bytes
  /// (dm_op_buf_max_size).
  static constexpr std::size_t kMaxExtents = 4096 / sizeof(Extent);

  DmOps() = default;
  DmOps(const DmOps&) = delete;
  DmOps& operator=(const DmOps&) = delete;
  virtual ~DmOps() = default;

  /// A server without a buffered ring (HVM_IOREQSRV_BUFIOREQ_OFF): nothing but a VGA needs one.
  [[nodiscard]] virtual int create_server(ioservid_t& id) noexcept = 0;
  [[nodiscard]] virtual int destroy_server(ioservid_t id) noexcept = 0;
  [[nodiscard]] virtual int set_server_state(ioservid_t id, bool enabled) noexcept = 0;

  [[nodiscard]] virtual int map_ports(ioservid_t id, PortRange range) noexcept = 0;
  [[nodiscard]] virtual int unmap_ports(ioservid_t id, PortRange range) noexcept = 0;
  [[nodiscard]] virtual int map_mmio(ioservid_t id, MmioRange range) noexcept = 0;
  [[nodiscard]] virtual int unmap_mmio(ioservid_t id, MmioRange range) noexcept = 0;
  [[nodiscard]] virtual int map_pci(ioservid_t id, PciBdf function) noexcept = 0;
  [[nodiscard]] virtual int unmap_pci(ioservid_t id, PciBdf function) noexcept = 0;

  [[nodiscard]] virtual int set_isa_level(std::uint8_t irq, bool level) noexcept = 0;
  [[nodiscard]] virtual int set_intx_level(std::uint8_t device,
                                           std::uint8_t pin,
                                           bool level) noexcept = 0;
  [[nodiscard]] virtual int set_link_route(std::uint8_t link, std::uint8_t irq) noexcept = 0;

  [[nodiscard]] virtual int modified_memory(std::uint64_t first_gfn,
                                            std::uint32_t pages) noexcept = 0;
  /// At most kMaxExtents. After an error it is not defined which pages were marked. Xen writes into
  /// nothing but `extents`.
  [[nodiscard]] virtual int modified_memory(std::span<Extent> extents) noexcept = 0;
  [[nodiscard]] virtual int set_mem_type(hvmmem_type_t type,
                                         std::uint64_t first_gfn,
                                         std::uint32_t pages) noexcept = 0;
  /// `reason`: SHUTDOWN_* of Xen public header sched.h.
  [[nodiscard]] virtual int shutdown(unsigned reason) noexcept = 0;
  /// Since Xen 4.16; older ones answer EOPNOTSUPP.
  [[nodiscard]] virtual int nr_vcpus(unsigned& vcpus) noexcept = 0;
  /// From now on this handle works on this domain only, whatever becomes of the process.
  [[nodiscard]] virtual int restrict_to_domain() noexcept = 0;
};

/// Opens a handle for one guest: libxendevicemodel where its way works, else IOCTL_PRIVCMD_DM_OP of
/// our own. The library's probe names DOMID_INVALID; a domU kernel that binds /dev/xen/privcmd to
/// the domain's target (XSA-482) refuses that, and the library then falls back to plain hypercalls,
/// which such a kernel refuses as well. Which one it is gets logged.
[[nodiscard]] Result<std::unique_ptr<DmOps>> open_dm_ops(DomId domid);

}  // namespace dm::xen
