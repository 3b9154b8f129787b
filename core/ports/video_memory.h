// SPDX-License-Identifier: MIT
#pragma once

#include "core/addr.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm {

/// Port to the memory of a graphics card. It is memory of the guest, populated once, mapped here
/// once and never unmapped, so that the guest's writes cost nothing. It lies somewhere in the
/// guest's address map and can be moved there; the bytes and the mapping stay the same then.
///
/// The guest may give pages of it back to the hypervisor. The mapping keeps them: touching bytes()
/// is always safe. Bytes belong to the guest, which may change them at any moment. Thread rule: the
/// loop's thread only. No allocation after construction.
class VideoMemory {
 public:
  VideoMemory() = default;
  VideoMemory(const VideoMemory&) = delete;
  VideoMemory& operator=(const VideoMemory&) = delete;
  virtual ~VideoMemory() = default;

  /// A power of two, at least 1 MiB.
  [[nodiscard]] virtual std::span<std::byte> bytes() noexcept = 0;
  /// Where it lies now; a multiple of the page size.
  [[nodiscard]] virtual Gpa at() const noexcept = 0;
  /// Where it lay when the guest was started or continued. It may always go back there, unless
  /// something else is there now.
  [[nodiscard]] virtual Gpa home() const noexcept = 0;
  /// Moves it. False, and it stays where it was, when there is anything of the guest's at `to`
  /// already, or `to` is no place for it. Dear: an operation of the hypervisor for each page. The
  /// caller limits how often it asks.
  [[nodiscard]] virtual bool move(Gpa to) noexcept = 0;

  /// Which of `pages` pages from number `first` on the guest has written since the last call: bit i
  /// of `bitmap` is page first + i. It has room for all of them and is zero before. The first call
  /// for a range begins to track it, and says that all were written. From then on a page that is
  /// written costs the guest a fault, once after each call. False: it is not known, and all may
  /// have been written. Writes through bytes() do not count.
  [[nodiscard]] virtual bool take_dirty(std::size_t /*first*/,
                                        std::size_t /*pages*/,
                                        std::span<std::uint64_t> /*bitmap*/) noexcept {
    return false;
  }
  /// Ends what take_dirty() has begun: the guest's writes cost nothing again. Idempotent.
  virtual void stop_tracking() noexcept {}
};

}  // namespace dm
