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

/// Device-model operations on one guest. Each call makes one hypercall through one system call. It
/// returns 0 or a positive errno value; it neither allocates nor throws. Frame numbers (gfn) count
/// pages of 4 KiB; ends of ranges are inclusive.
///
/// Errors worth knowing:
/// - ESRCH: there is no such domain.
/// - EPERM: the caller has no device-model privilege over it.
/// - EINVAL: it is not an HVM guest, or an argument is bad.
/// - EEXIST, ENOENT, ENOMEM, for ranges: it overlaps another range of the server; it is not mapped;
///   there are 256 of its kind already.
/// - ENOSPC: the domain has 8 servers already.
///
/// Thread rule: the loop's thread only. Source: Xen public header hvm/dm_op.h.
class DmOps {
 public:
  using Extent = xen_dm_op_modified_memory_extent;
  /// The extents that Linux's privcmd carries in one operation: a buffer has at most 4096 bytes
  /// (dm_op_buf_max_size).
  static constexpr std::size_t kMaxExtents = 4096 / sizeof(Extent);

  DmOps() = default;
  DmOps(const DmOps&) = delete;
  DmOps& operator=(const DmOps&) = delete;
  virtual ~DmOps() = default;

  /// Makes a server without a buffered ring (HVM_IOREQSRV_BUFIOREQ_OFF): only a VGA needs one.
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
  /// At most kMaxExtents extents. After an error it is undefined which pages were marked. Xen
  /// writes only into `extents`.
  [[nodiscard]] virtual int modified_memory(std::span<Extent> extents) noexcept = 0;
  [[nodiscard]] virtual int set_mem_type(hvmmem_type_t type,
                                         std::uint64_t first_gfn,
                                         std::uint32_t pages) noexcept = 0;
  /// Moves pages to other frames, page by page. A page that is there already is freed. Ends with
  /// EINVAL at the first frame without a page, and does not say where that was.
  [[nodiscard]] virtual int relocate_memory(std::uint64_t from_gfn,
                                            std::uint64_t to_gfn,
                                            std::uint32_t pages) noexcept = 0;
  /// `type`: XEN_DMOP_MEM_CACHEATTR_*, or XEN_DMOP_DELETE_MEM_CACHEATTR for exactly what was
  /// pinned. `last_gfn` is inclusive. Xen has 64 such ranges a domain.
  [[nodiscard]] virtual int pin_memory_cacheattr(std::uint64_t first_gfn,
                                                 std::uint64_t last_gfn,
                                                 std::uint32_t type) noexcept = 0;
  /// Which of these pages were written since the last call, a bit for each, the lowest first; all
  /// of them at the first call for a range. Xen tracks one range of a domain. No pages: none from
  /// now on. `bitmap` has room for all of them, rounded up to bytes.
  [[nodiscard]] virtual int track_dirty_vram(std::uint64_t first_gfn,
                                             std::uint32_t pages,
                                             std::span<std::uint64_t> bitmap) noexcept = 0;
  /// `reason`: SHUTDOWN_* of Xen public header sched.h.
  [[nodiscard]] virtual int shutdown(unsigned reason) noexcept = 0;
  /// Needs Xen 4.16; an older Xen answers EOPNOTSUPP.
  [[nodiscard]] virtual int nr_vcpus(unsigned& vcpus) noexcept = 0;
  /// Binds the handle for good: from now on it works on this domain only, whatever the process
  /// does.
  [[nodiscard]] virtual int restrict_to_domain() noexcept = 0;
};

/// Opens a handle for one guest. Usually it goes through libxendevicemodel. A domU kernel with the
/// fix for XSA-482 binds /dev/xen/privcmd to the domain's target. It refuses the library's probe,
/// which names DOMID_INVALID, and also the plain hypercalls to which the library then falls back.
/// There the handle sends IOCTL_PRIVCMD_DM_OP itself, and the log says so. Fails with words about
/// /dev/xen/privcmd.
[[nodiscard]] Result<std::unique_ptr<DmOps>> open_dm_ops(DomId domid);

/// A second handle, whose operations are one ioctl(2) each and nothing else: a signal handler may
/// use it. It is bound to the guest. Null where there is no such device or ioctl.
[[nodiscard]] std::unique_ptr<DmOps> open_signal_safe_ops(DomId domid);

}  // namespace dm::xen
