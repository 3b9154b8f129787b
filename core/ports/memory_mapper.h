// SPDX-License-Identifier: MIT
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>

namespace dm {

/// One window of guest memory: 512 frames, 2 MiB.
inline constexpr unsigned kWindowShift = 21;
inline constexpr std::size_t kWindowPages = std::size_t{1} << (kWindowShift - 12);

/// The pages of a window that exist. Touching another one raises SIGBUS.
using WindowPages = std::bitset<kWindowPages>;

/// Port to the guest's memory. Maps whole aligned windows, writable. Thread rule: the loop's thread
/// only. Source: libxenforeignmemory, xenforeignmemory_map.
class MemoryMapper {
 public:
  MemoryMapper() = default;
  MemoryMapper(const MemoryMapper&) = delete;
  MemoryMapper& operator=(const MemoryMapper&) = delete;
  virtual ~MemoryMapper() = default;

  /// Maps window `number` (frames number*512 and up). Null when no page of it is RAM; else
  /// `present` says which pages are.
  [[nodiscard]] virtual std::byte* map(std::uint64_t number, WindowPages& present) noexcept = 0;
  virtual void unmap(std::byte* window) noexcept = 0;
};

/// Port that is told of guest pages that we write, while a migration tracks them. Thread rule: the
/// loop's thread only. Source: Xen public header hvm/dm_op.h, XEN_DMOP_modified_memory.
class DirtySink {
 public:
  DirtySink() = default;
  DirtySink(const DirtySink&) = delete;
  DirtySink& operator=(const DirtySink&) = delete;
  virtual ~DirtySink() = default;

  virtual void written(std::uint64_t first_gfn, std::uint64_t pages) noexcept = 0;
  /// Tells the hypervisor of all pages collected so far: before `stop` is answered, and before
  /// tracking ends.
  virtual void flush() noexcept {}
};

}  // namespace dm
