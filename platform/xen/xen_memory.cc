// SPDX-License-Identifier: MIT
#include "platform/xen/xen_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace dm::xen {

std::byte* XenMemory::map(std::uint64_t number, WindowPages& present) noexcept {
  for (std::size_t page = 0; page < kWindowPages; ++page) {
    frames_[page] = number * kWindowPages + page;
  }
  // With an error array a mapping comes back even when pages, or all of them, are missing; touching
  // those is SIGBUS.
  void* const window = xenforeignmemory_map(&memory_, domid_, PROT_READ | PROT_WRITE, kWindowPages,
                                            frames_.data(), errors_.data());
  if (window == nullptr) {
    return nullptr;
  }
  present.reset();
  for (std::size_t page = 0; page < kWindowPages; ++page) {
    // The header speaks of errno values, Linux gives negative ones: anything but 0 is a hole.
    present[page] = errors_[page] == 0;
  }
  if (present.none()) {
    static_cast<void>(xenforeignmemory_unmap(&memory_, window, kWindowPages));
    return nullptr;
  }
  return static_cast<std::byte*>(window);
}

void XenMemory::unmap(std::byte* window) noexcept {
  static_cast<void>(xenforeignmemory_unmap(&memory_, window, kWindowPages));
}

void XenMemory::written(std::uint64_t first_gfn, std::uint64_t pages) noexcept {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  while (pages != 0) {
    const auto now = static_cast<std::uint32_t>(std::min<std::uint64_t>(pages, kMost));
    add(first_gfn, now);
    first_gfn += now;
    pages -= now;
  }
}

void XenMemory::add(std::uint64_t first_gfn, std::uint32_t pages) noexcept {
  if (extents_used_ != 0) {
    // Transfers go upwards, and descriptors are written again and again: look at the last extent
    // only.
    DmOps::Extent& last = extents_[extents_used_ - 1];
    const std::uint64_t end = last.first_pfn + last.nr;
    if (first_gfn >= last.first_pfn && first_gfn + pages <= end) {
      return;
    }
    if (first_gfn == end && pages <= std::numeric_limits<std::uint32_t>::max() - last.nr) {
      last.nr += pages;
      return;
    }
  }
  if (extents_used_ == extents_.size()) {
    flush();
  }
  extents_[extents_used_++] = {.nr = pages, .pad = 0, .first_pfn = first_gfn};
}

void XenMemory::flush() noexcept {
  const std::size_t used = std::exchange(extents_used_, 0);
  if (used == 0) {
    return;
  }
  if (ops_.modified_memory(std::span{extents_}.first(used)) == 0) {
    return;
  }
  // Which extents were marked is undefined now: name each by itself. The very last frame of a guest
  // cannot be named (Xen checks first+nr against the highest frame), so an extent that ends there
  // is told without it.
  for (const DmOps::Extent& extent : std::span{extents_}.first(used)) {
    if (ops_.modified_memory(extent.first_pfn, extent.nr) != 0 && extent.nr > 1) {
      static_cast<void>(ops_.modified_memory(extent.first_pfn, extent.nr - 1));
    }
  }
}

}  // namespace dm::xen
