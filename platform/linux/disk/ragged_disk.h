// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/time/work.h"
#include "platform/linux/disk/block_engine.h"
#include "platform/linux/loop/loop.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dm::host {

/// A disk has whole sectors; an image may have any number of bytes. This is the disk of an image
/// that ends within a sector. That sector exists and reads as zeros behind the image's end. There
/// is no place for data behind the end: a write that reaches it puts into the image what fits, and
/// then fails. A discard stops at the image's end. The image's size never changes.
///
/// All this concerns only the few requests that touch the end; every other request passes through
/// unchanged. Of the few, one at a time is carried out, in pieces, so nothing is allocated.
///
/// done() must not destroy the disk. Thread rule: the loop's thread only.
class RaggedDisk final : public BlockBackend {
 public:
  struct Parts {
    std::unique_ptr<BlockBackend> body;  ///< of as many bytes as its info() says
    /// The bytes behind the body, up to the image's end: the same image, opened in another way.
    /// Null when there are none.
    std::unique_ptr<BlockBackend> tail;
  };
  /// An image of so many bytes, seen in sectors of this size, a power of two.
  RaggedDisk(Loop& loop, Parts parts, std::uint64_t image_bytes, std::uint32_t sector);
  ~RaggedDisk() override;

  [[nodiscard]] BlockInfo info() const noexcept override { return info_; }
  void submit(BlockRequest& request) noexcept override;
  void drain() noexcept override;
  [[nodiscard]] BlockStatus flush_now() noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return body_->name(); }
  [[nodiscard]] std::string_view engine() const noexcept override { return body_->engine(); }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override;
  [[nodiscard]] BlockStats stats() const noexcept override;

 private:
  bool run_later() noexcept;
  void start_next() noexcept;
  void go_on() noexcept;
  void ask(BlockBackend& part, std::uint64_t most) noexcept;
  void take_spans(std::uint64_t most) noexcept;
  void fill_with_zeros() noexcept;
  static void on_piece(BlockRequest& piece, BlockStatus status) noexcept;
  void piece_done(BlockStatus status) noexcept;
  void finish(BlockStatus status) noexcept;

  std::unique_ptr<BlockBackend> body_;
  std::unique_ptr<BlockBackend> tail_;
  std::uint64_t body_bytes_;
  std::uint64_t image_bytes_;
  BlockInfo info_;
  Work later_;
  RequestList waiting_;
  std::uint64_t own_ = 0;  ///< requests that touch the end, and are not done
  unsigned draining_ = 0;
  bool starting_ = false;
  // The one that is being carried out.
  BlockRequest* request_ = nullptr;
  std::uint64_t done_ = 0;  ///< bytes of it
  std::size_t span_ = 0;    ///< the same place in its data
  std::size_t in_span_ = 0;
  std::span<std::byte> cut_;
  BlockRequest piece_;
  bool piece_under_way_ = false;
  BlockStats pieces_;  ///< the parts have counted them, nobody else is to see them
};

/// The disk of an image. If it has whole sectors and one part, that is the disk, else a RaggedDisk.
/// The log tells what was found.
[[nodiscard]] std::unique_ptr<BlockBackend> in_whole_sectors(Loop& loop,
                                                             RaggedDisk::Parts parts,
                                                             std::uint64_t image_bytes,
                                                             std::uint32_t sector);

/// What disks are read in, and discs.
inline constexpr std::uint32_t kDiskSector = 512;
inline constexpr std::uint32_t kDiscSector = 2048;

}  // namespace dm::host
