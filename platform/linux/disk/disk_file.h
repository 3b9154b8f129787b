// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "platform/linux/unique_fd.h"

#include <sys/uio.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>

namespace dm::host {

/// The same number as core's DmaBuffer has; a longer list needs several calls. IOV_MAX is 1024.
using Vectors = std::array<iovec, 256>;

/// Bytes [from, until) of `data`, or as many of them as the vector holds. Returns how many entries
/// are used.
[[nodiscard]] int fill(std::span<const std::span<std::byte>> data,
                       std::uint64_t from,
                       std::uint64_t until,
                       Vectors& vectors) noexcept;

/// An open image and the system calls on it. Thread rule: every member from any thread.
class DiskFile {
 public:
  enum class Wait : std::uint8_t {
    never,  ///< RWF_NOWAIT: only what the page cache can do at once
    allowed,
  };

  DiskFile(UniqueFd fd, bool block_device) noexcept
      : fd_{std::move(fd)}, block_device_{block_device} {}

  /// Moves at most `limit` bytes of the data, from request.done_bytes on, and advances it. Returns
  /// 0 when that much (or everything) is moved, else errno: EAGAIN (with Wait::never: the rest
  /// would block), EOPNOTSUPP (with Wait::never: this file system cannot say), or the error of the
  /// call.
  [[nodiscard]] int transfer(BlockRequest& request, std::uint64_t limit, Wait wait) noexcept;

  /// Carries a whole request out, however long it takes, and sets its status.
  void carry_out(BlockRequest& request) noexcept;

  /// fdatasync. Once it has failed, it fails for good: the kernel reports an error of write-back
  /// once and may then drop the pages, so a later success would mean nothing
  /// (tests/unit/SECURITY.md, B33).
  [[nodiscard]] int sync() noexcept;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] bool block_device() const noexcept { return block_device_; }
  [[nodiscard]] bool sync_failed() const noexcept { return sync_failed_.load(); }
  /// errno of the newest failure, for the log.
  [[nodiscard]] int last_error() const noexcept { return last_error_.load(); }

  /// For an engine that makes the calls itself: what a failure of the same call means here.
  void sync_has_failed(int error) noexcept {
    last_error_ = error;
    sync_failed_ = true;
  }
  void call_has_failed(int error) noexcept { last_error_ = error; }

 private:
  [[nodiscard]] int write_durably(BlockRequest& request) noexcept;
  [[nodiscard]] int discard(const BlockRequest& request) noexcept;
  [[nodiscard]] int move(BlockRequest& request, std::uint64_t until, int flags) noexcept;

  UniqueFd fd_;
  bool block_device_;
  /// Held during a sync. A sync consumes the errors of all writes before it, so syncs run one at a
  /// time, and a failure is known before the next one.
  std::mutex sync_mutex_;
  std::atomic<bool> sync_failed_ = false;
  std::atomic<int> last_error_ = 0;
};

[[nodiscard]] BlockStatus status_of(int error) noexcept;
/// True for an error of the write itself, not of the sync that came with it.
[[nodiscard]] bool fails_without_sync(int error) noexcept;
/// True for an error that means that the host cannot discard: a discard is a hint, so this is no
/// error.
[[nodiscard]] bool discard_is_ignored(int error) noexcept;

}  // namespace dm::host
