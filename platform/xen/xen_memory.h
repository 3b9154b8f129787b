// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/memory_mapper.h"
#include "platform/xen/dm_ops.h"
#include "platform/xen/handles.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::xen {

/// Maps the guest's memory by foreign mappings, a writable window of 512 frames (2 MiB) at a time.
/// A window with holes is kept, with a bit for each page that is there. A window without any page
/// is given back at once.
///
/// As DirtySink it collects the pages that we wrote while a migration tracks them. Neighbouring
/// pages become one extent, and 256 extents one hypercall. Whoever answers `stop` calls flush()
/// first, because Xen must hear of a page before it reads memory for the last time. Thread rule:
/// the loop's thread only. No allocation after construction. Source: xenforeignmemory.h; Xen public
/// header hvm/dm_op.h.
class XenMemory final : public MemoryMapper, public DirtySink {
 public:
  /// `memory` and `ops` outlive it.
  XenMemory(xenforeignmemory_handle& memory, DmOps& ops, DomId domid) noexcept
      : memory_{memory}, ops_{ops}, domid_{domid} {}

  std::byte* map(std::uint64_t number, WindowPages& present) noexcept override;
  void unmap(std::byte* window) noexcept override;

  void written(std::uint64_t first_gfn, std::uint64_t pages) noexcept override;
  /// Tells Xen of all pages that were collected.
  void flush() noexcept override;

 private:
  void add(std::uint64_t first_gfn, std::uint32_t pages) noexcept;

  xenforeignmemory_handle& memory_;
  DmOps& ops_;
  DomId domid_;
  std::size_t extents_used_ = 0;
  std::array<xen_pfn_t, kWindowPages> frames_{};  ///< members: 6 KiB is much for a stack
  std::array<int, kWindowPages> errors_{};
  std::array<DmOps::Extent, DmOps::kMaxExtents> extents_{};
};

}  // namespace dm::xen
