// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/obs/log.h"
#include "core/time/work.h"
#include "platform/linux/disk/block_engine.h"
#include "platform/linux/disk/disk_file.h"
#include "platform/linux/disk/inline_gate.h"
#include "platform/linux/loop/loop.h"

#include <cstdint>
#include <memory>
#include <string>

namespace dm::host {

/// A raw image: a regular file or a block device, read and written through the host's page cache
/// straight from and to the guest's pages.
///
/// What the page cache can do at once runs on the loop, 128 KiB in each of its turns. Reads use
/// RWF_NOWAIT. Writes do the same, or, if the file system cannot do that, run on the loop while
/// they do not wait (inline_gate.h). What would wait, and every flush, goes to the engine.
///
/// done() must not destroy the disk. Thread rule: the loop's thread only. Source: preadv2(2),
/// fdatasync(2).
class FileDisk final : public BlockBackend {
 public:
  static constexpr std::uint64_t kInlineBytes = 128 * 1024;
  /// Most nested calls. A request that completes inside submit() may submit the next one from
  /// done(), and so on. Beyond this depth, the next turn of the loop takes over.
  static constexpr unsigned kMaxNesting = 4;

  struct Counters {
    std::uint64_t inline_reads = 0;   ///< pieces
    std::uint64_t inline_writes = 0;  ///< pieces
    std::uint64_t engine = 0;
    std::uint64_t flushes_saved = 0;  ///< nothing had been written since the last one
    std::uint64_t refused = 0;        ///< out of range, read-only or malformed
    std::uint64_t errors = 0;
  };

  /// False when nothing runs on the loop, because without the page cache (O_DIRECT) every call
  /// waits.
  enum class Inline : bool { no, yes };

  FileDisk(Loop& loop,
           UniqueFd fd,
           bool block_device,
           BlockInfo info,
           std::string name,
           Inline inline_requests = Inline::yes);
  ~FileDisk() override;

  [[nodiscard]] BlockInfo info() const noexcept override { return info_; }
  void submit(BlockRequest& request) noexcept override;
  void drain() noexcept override;
  [[nodiscard]] BlockStatus flush_now() noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] std::string_view engine() const noexcept override { return engine_.text; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override { return under_way_; }

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] bool engine_ok() const noexcept { return engine_.engine != nullptr; }

 private:
  void begin(BlockRequest& request) noexcept;
  void go_on(BlockRequest& request) noexcept;
  [[nodiscard]] int move_inline(BlockRequest& request) noexcept;
  [[nodiscard]] int write_inline(BlockRequest& request) noexcept;
  void defer(BlockRequest& request) noexcept;
  void to_engine(BlockRequest& request) noexcept;
  void complete(BlockRequest& request, BlockStatus status) noexcept;
  void engine_finished(BlockRequest& request) noexcept;
  bool run_deferred() noexcept;

  BlockInfo info_;
  std::string name_;
  DiskFile file_;
  ChosenEngine engine_;
  Work deferred_work_;
  RequestList deferred_;  ///< for the next turn: not begun, or begun and not at the end
  unsigned nesting_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint64_t syncs_under_way_ = 0;  ///< flushes and durable writes in the engine
  /// Writes and discards finished, and how many of them the last good flush covered. They start
  /// unequal: an earlier process may have left dirty pages.
  std::uint64_t writes_ = 1;
  std::uint64_t writes_flushed_ = 0;
  bool inline_;
  bool nowait_reads_ = true;
  bool nowait_writes_ = true;
  InlineGate gate_;
  Counters counters_;
  log::Limit log_{3};
};

}  // namespace dm::host
