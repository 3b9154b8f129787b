// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"

#include <memory>
#include <string_view>
#include <vector>

namespace dm::qtest {

/// A disk image whose flushes can be made to wait: what QEMU's blkdebug driver does for the tests
/// of FLUSH CACHE ("break flush_to_os", "resume"). Everything else passes.
class HeldFlushes final : public BlockBackend {
 public:
  explicit HeldFlushes(std::unique_ptr<BlockBackend> image) noexcept : image_{std::move(image)} {}

  /// From now on flushes wait.
  void hold() noexcept { holding_ = true; }
  /// They wait no longer, and those that did go to the image.
  void resume() noexcept;

  [[nodiscard]] BlockInfo info() const noexcept override { return image_->info(); }
  void submit(BlockRequest& request) noexcept override;
  void drain() noexcept override;
  [[nodiscard]] BlockStatus flush_now() noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return image_->name(); }
  [[nodiscard]] std::string_view engine() const noexcept override { return image_->engine(); }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override {
    return held_.size() + passed_.size();
  }

 private:
  /// A request that the image has; it comes back to us, to be counted.
  struct Passed {
    BlockRequest* request;
    void (*done)(BlockRequest&, BlockStatus) noexcept;
    void* owner;
  };
  void pass(BlockRequest& request) noexcept;
  void finish(BlockRequest& request, BlockStatus status) noexcept;

  std::unique_ptr<BlockBackend> image_;
  std::vector<BlockRequest*> held_;
  std::vector<Passed> passed_;
  bool holding_ = false;
};

}  // namespace dm::qtest
