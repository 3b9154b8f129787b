// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/disk/block_engine.h"
#include "platform/linux/disk/disk_file.h"
#include "platform/linux/disk/worker_pool.h"
#include "platform/linux/loop/loop.h"

namespace dm::host {

/// An engine whose requests wait in threads: it works on every kernel and file system.
class PoolEngine final : public BlockEngine, private WorkerPool::Client {
 public:
  PoolEngine(Loop& loop, DiskFile& file, Finished finished)
      : pool_{loop.part<WorkerPool>()}, file_{file}, finished_{finished} {}

  [[nodiscard]] bool ok() const noexcept { return pool_.ok(); }
  void start(BlockRequest& request) noexcept override { pool_.start(*this, request); }
  void wait() noexcept override { pool_.wait(*this); }

 private:
  void carry_out(BlockRequest& request) noexcept override { file_.carry_out(request); }
  void finished(BlockRequest& request) noexcept override {
    finished_.call(finished_.disk, request);
  }

  WorkerPool& pool_;
  DiskFile& file_;
  Finished finished_;
};

}  // namespace dm::host
