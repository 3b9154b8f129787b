// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/result.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace dm::host {

/// An image with a lock or with metadata in memory, as a qemu-nbd of our own has them. hand_over()
/// closes it, and take_back() opens it anew. Size, name and counters stay what they were.
///
/// take_back() tries for some seconds, and the caller waits: the other device model may have been
/// killed a moment ago, and its lock goes only when its own server has ended. If the image cannot
/// be had, or has another size, the disk has ended: every request fails from then on, flushes too.
///
/// done() must not destroy the disk. Thread rule: the loop's thread only.
class ReopenableDisk final : public BlockBackend {
 public:
  /// libxl gives the `cont` in which take_back() runs 10 s (libxl_internal.h,
  /// LIBXL_QMP_CMD_TIMEOUT).
  static constexpr std::chrono::milliseconds kPatience{5000};

  struct Ways {
    /// Could open() work? It is asked before the image is closed.
    std::function<Result<>()> check;
    std::function<Result<std::unique_ptr<BlockBackend>>()> open;
  };
  ReopenableDisk(std::unique_ptr<BlockBackend> disk,
                 Ways ways,
                 std::chrono::milliseconds patience = kPatience);
  ~ReopenableDisk() override = default;

  [[nodiscard]] BlockInfo info() const noexcept override { return info_; }
  void submit(BlockRequest& request) noexcept override;
  void drain() noexcept override;
  /// Ok while the image is handed over: everything was durable then.
  [[nodiscard]] BlockStatus flush_now() noexcept override;
  [[nodiscard]] BlockStatus hand_over() noexcept override;
  [[nodiscard]] bool take_back() noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] std::string_view engine() const noexcept override { return engine_; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override;
  [[nodiscard]] BlockStats stats() const noexcept override;

 private:
  [[nodiscard]] Result<> open_again();

  std::unique_ptr<BlockBackend> disk_;  ///< null: handed over, or lost
  Ways ways_;
  std::chrono::milliseconds patience_;
  BlockInfo info_;
  std::string name_;
  std::string engine_;
  BlockStats before_;  ///< of the disks that were closed
  bool lost_ = false;
};

}  // namespace dm::host
