// SPDX-License-Identifier: MIT
#include "platform/linux/disk/block_engine.h"

#include "platform/linux/disk/pool_engine.h"
#include "platform/linux/disk/uring_engine.h"
#include "platform/linux/error_text.h"

#include <utility>

namespace dm::host {

ChosenEngine choose_engine(Loop& loop, DiskFile& file, BlockEngine::Finished finished) {
  auto ring = UringEngine::make(loop, file, finished);
  if (ring.engine != nullptr) {
    return {std::move(ring.engine), "io_uring"};
  }
  auto pool = std::make_unique<PoolEngine>(loop, file, finished);
  if (!pool->ok()) {
    return {};
  }
  return {std::move(pool), std::string{"threads (io_uring: "} + error_text(ring.error) + ")"};
}

}  // namespace dm::host
