// SPDX-License-Identifier: MIT
#pragma once

#include "core/bounds.h"
#include "platform/linux/file_ring.h"

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>

namespace dm::host {

/// Several frames in one system call, by an io_uring of one descriptor: tap or packet socket. The
/// frames go in order. The first that the kernel does not take ends the row, so none overtakes
/// another. Nothing waits in the kernel: each frame is tried once, at once.
///
/// The ring takes writes to this one descriptor and nothing else, so that a filter of system calls
/// still means something. Thread rule: the thread that made it; Linux 6.1 or later.
class FrameRing {
 public:
  static constexpr std::size_t kFrames = bounds::kFramesPerSend;

  /// Null where the kernel does not have what it takes. `fd` stays the caller's, and must outlive
  /// the ring.
  [[nodiscard]] static std::unique_ptr<FrameRing> make(int fd);
  FrameRing(const FrameRing&) = delete;
  FrameRing& operator=(const FrameRing&) = delete;
  ~FrameRing() = default;

  struct Written {
    std::size_t frames = 0;  ///< from the first on
    std::size_t bytes = 0;   ///< of these
    int error = 0;           ///< errno of the next frame; those behind it were not tried
  };
  /// At most kFrames. EOPNOTSUPP: the descriptor cannot be written without waiting; writev() can.
  [[nodiscard]] Written write(std::span<const std::span<iovec>> frames) noexcept;

 private:
  FrameRing() = default;
  [[nodiscard]] std::size_t hand_in(std::span<const std::span<iovec>> frames) noexcept;

  FileRing ring_;
};

}  // namespace dm::host
