// SPDX-License-Identifier: MIT
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::host {

/// An io_uring that works on one descriptor and does nothing else, so that a filter of system calls
/// still means something. Make it with open(), register what else there is, and end with
/// restrict_to(). Errors are errno, 0 is none. Thread rule: the thread that made it.
class FileRing {
 public:
  static constexpr int kFile = 0;  ///< the descriptor's index in the ring

  FileRing() noexcept = default;
  FileRing(const FileRing&) = delete;
  FileRing& operator=(const FileRing&) = delete;
  /// What the ring's memory holds is let go by the kernel some time after the ring has gone, 20 ms
  /// and more: another process would find the descriptor's file open still. So the descriptor is
  /// taken out first.
  ~FileRing();

  /// Makes the ring, disabled, around `fd`, which stays the caller's. `flags`: IORING_SETUP_ ones.
  /// ENOSYS where the kernel may lose a completion, or reads vectors after the submission.
  [[nodiscard]] int open(unsigned entries, unsigned flags, int fd) noexcept;
  /// From here on the ring takes these operations on its one descriptor, with at most these flags
  /// of entries (IOSQE_), and nothing can be registered any more; the descriptor can be taken out.
  /// At most four operations.
  [[nodiscard]] int restrict_to(std::span<const std::uint8_t> operations, unsigned flags) noexcept;
  /// Takes what the kernel did not take out of the queue again; how many entries. The kernel looks
  /// there inside a submission alone.
  std::size_t take_back() noexcept;

  [[nodiscard]] io_uring* get() noexcept { return &ring_; }

 private:
  static constexpr std::size_t kMostOperations = 4;

  io_uring ring_{};
  bool has_ring_ = false;
  bool has_file_ = false;
};

}  // namespace dm::host
