// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/time/work.h"
#include "platform/linux/disk/block_engine.h"
#include "platform/linux/disk/file_disk.h"
#include "platform/linux/loop/loop.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dm::host {

/// A raw image past the page cache (O_DIRECT), for `cache=none` and for stub domains. A stub domain
/// has no memory for a page cache, and what is in one is lost when the domain ends. The guest's
/// pages are mapped frames of another domain, which the kernel cannot pin, so data is copied once,
/// through buffers of our own.
///
/// Each such disk has 256 KiB, in two buffers that work side by side; other requests wait. A
/// FileDisk underneath does the rest: bounds, order, flushes and what a failed one means. A request
/// that does not end on whole blocks of the medium is rounded outward. Such a write reads the
/// blocks first, with nothing else of this disk in flight.
///
/// done() must not destroy the disk. Thread rule: the loop's thread only. Source: open(2).
class DirectDisk final : public BlockBackend {
 public:
  static constexpr std::size_t kBuffers = 2;
  static constexpr std::size_t kBufferBytes = std::size_t{128} * 1024;
  static constexpr std::size_t kTasks = 8;  ///< requests that are being cut into pieces
  static constexpr std::size_t kMaxBlock = 4096;

  /// `block` is the medium's block size in bytes: a power of two from 512 to kMaxBlock that divides
  /// the size of `file`. `file` is opened with O_DIRECT and does nothing inline.
  DirectDisk(Loop& loop, std::unique_ptr<FileDisk> file, std::uint32_t block);
  ~DirectDisk() override;

  [[nodiscard]] BlockInfo info() const noexcept override { return file_->info(); }
  void submit(BlockRequest& request) noexcept override;
  void drain() noexcept override;
  [[nodiscard]] BlockStatus flush_now() noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return file_->name(); }
  [[nodiscard]] std::string_view engine() const noexcept override { return file_->engine(); }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override { return under_way_; }

 private:
  /// A request on its way through.
  struct Task {
    BlockRequest* request = nullptr;
    std::uint64_t next = 0;  ///< bytes of it that are asked for
    unsigned under_way = 0;  ///< pieces
    bool asked = false;      ///< nothing is left to ask for
    BlockStatus status = BlockStatus::ok;
    std::uint64_t good = 0;  ///< bytes before the first piece that failed
  };
  /// The part of the request that fits into a buffer, rounded outward to whole blocks.
  struct Piece {
    DirectDisk* disk = nullptr;
    Task* task = nullptr;     ///< nullptr: free
    std::uint64_t from = 0;   ///< in the request
    std::uint64_t bytes = 0;  ///< of the request
    std::size_t skip = 0;     ///< bytes of the buffer before its first
    bool reads_first = false;
    std::byte* buffer = nullptr;
    std::span<std::byte> span;
    BlockRequest inner;
  };
  struct FreePages {
    void operator()(std::byte* memory) const noexcept;
  };

  void pump() noexcept;
  [[nodiscard]] Piece* free_piece() noexcept;
  [[nodiscard]] bool ask(Task& task, Piece& piece) noexcept;
  void ask_for_discard(Task& task, Piece& piece) noexcept;
  static void on_done(BlockRequest& inner, BlockStatus status) noexcept;
  void piece_done(Piece& piece, BlockStatus status) noexcept;
  void end(Task& task) noexcept;
  void complete(BlockRequest& request, BlockStatus status) noexcept;
  bool run_later() noexcept;

  std::unique_ptr<FileDisk> file_;
  std::uint64_t block_;
  Work later_;
  std::unique_ptr<std::byte[], FreePages> memory_;
  std::array<Piece, kBuffers> pieces_;
  std::array<Task, kTasks> tasks_;
  std::size_t turn_ = 0;    ///< whose turn it is to ask
  bool exclusive_ = false;  ///< a piece that reads first is under way
  RequestList waiting_;
  RequestList refused_;  ///< status is final
  std::uint64_t under_way_ = 0;
};

}  // namespace dm::host
