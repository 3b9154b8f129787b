// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "core/ports/video_memory.h"
#include "core/result.h"
#include "platform/xen/c_api.h"
#include "platform/xen/dm_ops.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace dm::xen {

/// Where hvmloader will put the BAR of so much video memory, so that the first move is none: from
/// F0000000h on, the largest BAR first, equal ones in the order of their slots. The xen-platform
/// device has 16 MiB in slot 2. Source: Xen tools/firmware/hvmloader/pci.c.
[[nodiscard]] Gpa video_memory_place(std::size_t bytes, bool xen_platform) noexcept;

/// Puts new memory of the guest at `at`: in pages of 2 MiB as far as they are to be had. Needs a
/// plain hypercall, so before the process gives up its privileges; a stub domain's kernel with the
/// fix for XSA-482 refuses it. Fails with words about the guest's memory. Source: Xen public header
/// memory.h, XENMEM_populate_physmap.
[[nodiscard]] Result<> populate_video_memory(DomId domid, Gpa at, std::size_t bytes);

/// Video memory of one guest: mapped once, moved by XENMEM_add_to_physmap through a device-model
/// operation, cached as write-back. The mapping follows the machine frames, so it stays when the
/// memory moves or the guest gives pages away. Thread rule: the loop's thread only. No allocation
/// after construction. Sources: Xen public header hvm/dm_op.h; xen/common/memory.c.
class XenVideoMemory final : public VideoMemory {
 public:
  struct Ports {
    xenforeignmemory_handle& memory;
    DmOps& ops;
    DomId domid;
  };
  /// Maps what lies at `at`: populated there now, or in a guest that was saved. Both ports outlive
  /// it. Fails when a page is missing.
  [[nodiscard]] static Result<std::unique_ptr<XenVideoMemory>> open(const Ports& ports,
                                                                    Gpa at,
                                                                    std::size_t bytes);
  ~XenVideoMemory() override;

  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return bytes_; }
  [[nodiscard]] Gpa at() const noexcept override { return at_; }
  [[nodiscard]] Gpa home() const noexcept override { return home_; }
  /// Moves only to where no page of the guest is: Xen would free what it finds there.
  [[nodiscard]] bool move(Gpa to) noexcept override;
  /// At most 128 MiB can be tracked: an operation's buffer has 4096 bytes.
  [[nodiscard]] bool take_dirty(std::size_t first,
                                std::size_t pages,
                                std::span<std::uint64_t> bitmap) noexcept override;
  void stop_tracking() noexcept override;

 private:
  XenVideoMemory(const Ports& ports, Gpa at, std::size_t bytes);
  [[nodiscard]] std::byte* map(Gpa at, int protection) noexcept;
  [[nodiscard]] bool anything_at(Gpa at) noexcept;
  [[nodiscard]] std::size_t first_missing(Gpa at, std::size_t from) noexcept;
  void relocate(Gpa to) noexcept;
  [[nodiscard]] std::size_t pages() const noexcept { return frames_.size(); }

  Ports ports_;
  Gpa at_;
  Gpa home_;
  std::span<std::byte> bytes_;
  std::vector<xen_pfn_t> frames_;  ///< of the mapping that is made; sized once
  std::vector<int> errors_;
  bool tracked_ = false;
  log::Limit complaints_;
};

}  // namespace dm::xen
