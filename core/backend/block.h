// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dm {

enum class BlockOp : std::uint8_t { read, write, flush, discard };

enum class BlockStatus : std::uint8_t {
  ok,
  io_error,      ///< the host's medium failed
  no_space,      ///< ENOSPC or EDQUOT: may succeed later
  out_of_range,  ///< past the end of the image: nothing was done
  read_only,     ///< write to a read-only image: nothing was done
};

/// One request. It is a member of the device that makes it, so nothing is allocated. Its offset and
/// length are its own: a device that is reset meanwhile changes its registers, never a request in
/// flight.
struct BlockRequest {
  BlockOp op = BlockOp::read;
  std::uint64_t offset = 0;  ///< bytes
  /// Bytes: the sum of `data` for read and write, the range for discard, 0 for flush.
  std::uint64_t length = 0;
  std::span<const std::span<std::byte>> data;  ///< stays valid until done
  /// Write only: on stable storage before it completes (FUA, or the write cache is off).
  bool durable = false;

  /// Called exactly once, on the loop's thread, possibly from inside submit(). `done_bytes` is the
  /// number of bytes that were transferred before an error.
  void (*done)(BlockRequest&, BlockStatus) noexcept = nullptr;
  void* owner = nullptr;
  std::uint64_t done_bytes = 0;

  // For the backend's own use while it has the request.
  BlockRequest* next = nullptr;
  BlockStatus status = BlockStatus::ok;
};

struct BlockInfo {
  std::uint64_t size = 0;  ///< bytes, whole sectors: the image may end within the last
  std::uint32_t physical_block = 512;
  bool read_only = false;
  bool can_discard = false;
  const char* format = "raw";  ///< QEMU's name for what is stored; for management
};

/// What a back end has done since it was opened; the index is a BlockOp. For management: xentop,
/// query-block.
struct BlockStats {
  static constexpr std::size_t kOps = 4;
  std::array<std::uint64_t, kOps> operations{};  ///< that succeeded
  std::array<std::uint64_t, kOps> bytes{};       ///< of these
  std::array<std::uint64_t, kOps> failed{};      ///< operations

  void count(const BlockRequest& request, BlockStatus status) noexcept {
    const auto op = static_cast<std::size_t>(request.op) % kOps;
    if (status == BlockStatus::ok) [[likely]] {
      ++operations[op];
      bytes[op] += request.length;
    } else {
      ++failed[op];
    }
  }
};

/// A disk image. No request makes it fail fatally. A completed flush means that every write that
/// completed before it is on stable storage. Once a flush has failed, every later flush fails too,
/// since the kernel may have dropped the data. Thread rule: the loop's thread only; completions
/// come there, so a back end that uses threads or the kernel brings them to the loop first.
class BlockBackend {
 public:
  BlockBackend() = default;
  BlockBackend(const BlockBackend&) = delete;
  BlockBackend& operator=(const BlockBackend&) = delete;
  virtual ~BlockBackend() = default;

  [[nodiscard]] virtual BlockInfo info() const noexcept = 0;
  virtual void submit(BlockRequest& request) noexcept = 0;
  /// Waits until no request is in flight and their done() has run. For unplug, power-off and reset,
  /// where data must be safe before the guest goes on.
  virtual void drain() noexcept = 0;
  /// Calls drain(), then makes everything durable. Returns ok, or the reason of the failure.
  [[nodiscard]] virtual BlockStatus flush_now() noexcept = 0;
  /// Another device model is about to open the image, while this process still exists (xl migrate).
  /// Calls drain() and makes everything durable. On return nothing of ours keeps the other one from
  /// opening it: no lock, nothing of its metadata in memory. Until take_back() nothing is written,
  /// and a request may fail. Returns ok, or the reason why the image is still ours. The default is
  /// right for what has no lock and no metadata, as raw images.
  [[nodiscard]] virtual BlockStatus hand_over() noexcept { return flush_now(); }
  /// The other one does not need the image after all. False when it cannot be opened again: every
  /// request fails from here on, and the log says why. Does nothing where hand_over() was not
  /// called.
  [[nodiscard]] virtual bool take_back() noexcept { return true; }
  /// For messages: the path or URL.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// For management: the engine that carries requests out ("io_uring", "NBD"), and the number of
  /// requests that submit() has taken and whose done() has not run.
  [[nodiscard]] virtual std::string_view engine() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t in_flight() const noexcept = 0;
  [[nodiscard]] virtual BlockStats stats() const noexcept { return stats_; }

 protected:
  /// Call it once for every request, before its done(). Costs two additions to memory.
  void count(const BlockRequest& request, BlockStatus status) noexcept {
    stats_.count(request, status);
  }

 private:
  BlockStats stats_;
};

}  // namespace dm
