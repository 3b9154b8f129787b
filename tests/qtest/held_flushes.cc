// SPDX-License-Identifier: MIT
#include "tests/qtest/held_flushes.h"

#include <algorithm>
#include <utility>

namespace dm::qtest {

void HeldFlushes::submit(BlockRequest& request) noexcept {
  if (holding_ && request.op == BlockOp::flush) {
    held_.push_back(&request);
  } else {
    pass(request);
  }
}

void HeldFlushes::pass(BlockRequest& request) noexcept {
  passed_.push_back({&request, request.done, request.owner});
  request.owner = this;
  request.done = [](BlockRequest& ended, BlockStatus status) noexcept {
    static_cast<HeldFlushes*>(ended.owner)->finish(ended, status);
  };
  image_->submit(request);
}

void HeldFlushes::finish(BlockRequest& request, BlockStatus status) noexcept {
  const auto mine = std::ranges::find(passed_, &request, &Passed::request);
  request.done = mine->done;
  request.owner = mine->owner;
  passed_.erase(mine);
  count(request, status);
  request.done(request, status);
}

void HeldFlushes::resume() noexcept {
  holding_ = false;
  for (BlockRequest* const request : std::exchange(held_, {})) {
    pass(*request);
  }
}

/// Nothing may be under way when this returns, so nothing can be held beyond it.
void HeldFlushes::drain() noexcept {
  for (BlockRequest* const request : std::exchange(held_, {})) {
    pass(*request);
  }
  image_->drain();
}

BlockStatus HeldFlushes::flush_now() noexcept {
  drain();
  return image_->flush_now();
}

}  // namespace dm::qtest
