// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "platform/linux/loop/loop.h"

#include <memory>
#include <string>

namespace dm::host {

/// Carries a request that may have to wait for the medium to the kernel and back. FileDisk decides
/// what is right (bounds, order, what a failed flush means); an engine only carries it out, with
/// io_uring (uring_engine.h) or threads (pool_engine.h). Thread rule: the loop's thread only.
class BlockEngine {
 public:
  /// Tells FileDisk that `request.status` and `request.done_bytes` are final. Called from the loop
  /// or from wait(), never from start().
  struct Finished {
    void* disk;
    void (*call)(void* disk, BlockRequest& request) noexcept;
  };

  BlockEngine() = default;
  BlockEngine(const BlockEngine&) = delete;
  BlockEngine& operator=(const BlockEngine&) = delete;
  /// Nothing may be in flight when it is destroyed.
  virtual ~BlockEngine() = default;

  /// Takes a checked request, of which `done_bytes` are done already.
  virtual void start(BlockRequest& request) noexcept = 0;
  /// Blocks until at least one request has finished, and reports it. Call it only while some are in
  /// flight.
  virtual void wait() noexcept = 0;
};

class DiskFile;

struct ChosenEngine {
  std::unique_ptr<BlockEngine> engine;  ///< nullptr: the host has no descriptor left for any
  std::string text;                     ///< for the log: which one, and why not the better one
};
/// The best engine that this kernel has and allows for `file`, which outlives it.
[[nodiscard]] ChosenEngine choose_engine(Loop& loop,
                                         DiskFile& file,
                                         BlockEngine::Finished finished);

/// Requests in a row, through themselves: nothing is allocated.
class RequestList {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void push(BlockRequest& request) noexcept {
    request.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &request;
    last_ = &request;
  }
  /// nullptr when empty.
  [[nodiscard]] BlockRequest* pop() noexcept {
    BlockRequest* const request = first_;
    if (request != nullptr) {
      first_ = request->next;
      request->next = nullptr;
    }
    return request;
  }

 private:
  BlockRequest* first_ = nullptr;
  BlockRequest* last_ = nullptr;
};

}  // namespace dm::host
