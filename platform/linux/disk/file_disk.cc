// SPDX-License-Identifier: MIT
#include "platform/linux/disk/file_disk.h"

#include "core/obs/probe.h"
#include "platform/linux/disk/request_check.h"
#include "platform/linux/error_text.h"
#include "platform/linux/loop/loop.h"

#include <sys/resource.h>

#include <cerrno>
#include <utility>

namespace dm::host {

namespace {

/// How often this thread has given the CPU up by itself, that is, has waited for something.
[[nodiscard]] long voluntary_switches() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

/// Does it end in a sync of the file?
[[nodiscard]] bool syncs(const BlockRequest& request) noexcept {
  return request.op == BlockOp::flush || (request.op == BlockOp::write && request.durable);
}

}  // namespace

FileDisk::FileDisk(Loop& loop,
                   UniqueFd fd,
                   bool block_device,
                   BlockInfo info,
                   std::string name,
                   Inline inline_requests)
    : info_{info},
      name_{std::move(name)},
      file_{std::move(fd), block_device},
      engine_{choose_engine(loop,
                            file_,
                            {this,
                             [](void* disk, BlockRequest& request) noexcept {
                               static_cast<FileDisk*>(disk)->engine_finished(request);
                             }})},
      deferred_work_{Work::bind<&FileDisk::run_deferred>(loop.turn_queue(), *this)},
      inline_{inline_requests == Inline::yes} {}

FileDisk::~FileDisk() {
  drain();
}

void FileDisk::submit(BlockRequest& request) noexcept {
  request.status = BlockStatus::ok;
  request.done_bytes = 0;
  ++under_way_;
  DM_PROBE4(disk_submit, &request, static_cast<int>(request.op), request.offset, request.length);
  if (nesting_ < kMaxNesting) {
    begin(request);
  } else {
    defer(request);
  }
}

void FileDisk::defer(BlockRequest& request) noexcept {
  deferred_.push(request);
  deferred_work_.schedule();
}

bool FileDisk::run_deferred() noexcept {
  BlockRequest* const request = deferred_.pop();
  if (request == nullptr) {
    return false;
  }
  begin(*request);
  return !deferred_.empty();
}

void FileDisk::begin(BlockRequest& request) noexcept {
  if (const BlockStatus status = check_request(info_, request); status != BlockStatus::ok) {
    ++counters_.refused;
    complete(request, status);
    return;
  }
  if (request.op != BlockOp::flush) {
    go_on(request);
  } else if (info_.read_only || (writes_ == writes_flushed_ && !file_.sync_failed())) {
    ++counters_.flushes_saved;
    complete(request, BlockStatus::ok);
  } else {
    request.done_bytes = writes_;  // kept here until it is back: what this flush covers
    to_engine(request);
  }
}

void FileDisk::go_on(BlockRequest& request) noexcept {
  const int error = move_inline(request);
  if (error == EAGAIN) {
    to_engine(request);
  } else if (error != 0 || request.done_bytes == request.length) {
    complete(request, status_of(error));
  } else {
    defer(request);
  }
}

/// One piece. 0, an error that is final, or EAGAIN: to the engine with it.
int FileDisk::move_inline(BlockRequest& request) noexcept {
  if (!inline_) {
    return EAGAIN;
  }
  if (request.op == BlockOp::read && nowait_reads_) {
    const int error = file_.transfer(request, kInlineBytes, DiskFile::Wait::never);
    nowait_reads_ = error != EOPNOTSUPP;
    counters_.inline_reads += error == 0 ? 1U : 0U;
    return error == 0 ? 0 : EAGAIN;  // whatever it was, the engine tries in earnest
  }
  // A write does not get past a sync of the same file in the kernel: it would wait for it here.
  if (request.op == BlockOp::write && !request.durable && syncs_under_way_ == 0) {
    const int error = write_inline(request);
    counters_.inline_writes += error == 0 ? 1U : 0U;
    return error;
  }
  return EAGAIN;
}

int FileDisk::write_inline(BlockRequest& request) noexcept {
  if (nowait_writes_) {
    const int error = file_.transfer(request, kInlineBytes, DiskFile::Wait::never);
    if (error == 0) {
      return 0;
    }
    nowait_writes_ = error != EOPNOTSUPP;
    if (nowait_writes_) {
      return EAGAIN;
    }
  }
  const auto start = InlineGate::Clock::now();
  if (!gate_.open(start)) {
    return EAGAIN;
  }
  const bool suspicious = gate_.suspicious();
  const long before = suspicious ? voluntary_switches() : 0;
  const int error = file_.transfer(request, kInlineBytes, DiskFile::Wait::allowed);
  const auto end = InlineGate::Clock::now();
  auto waited = InlineGate::Waited::unknown;
  if (suspicious) {
    waited = voluntary_switches() != before ? InlineGate::Waited::yes : InlineGate::Waited::no;
  }
  gate_.took(start, end, waited);
  return error;
}

void FileDisk::to_engine(BlockRequest& request) noexcept {
  ++counters_.engine;
  syncs_under_way_ += syncs(request) ? 1U : 0U;
  engine_.engine->start(request);
}

void FileDisk::engine_finished(BlockRequest& request) noexcept {
  syncs_under_way_ -= syncs(request) ? 1U : 0U;
  if (request.op == BlockOp::flush) {
    const std::uint64_t covered = std::exchange(request.done_bytes, 0);
    if (request.status == BlockStatus::ok && covered > writes_flushed_) {
      writes_flushed_ = covered;
    }
  }
  complete(request, request.status);
}

void FileDisk::complete(BlockRequest& request, BlockStatus status) noexcept {
  --under_way_;
  DM_PROBE3(disk_done, &request, static_cast<int>(status), request.done_bytes);
  if (changes(request) && !(request.durable && status == BlockStatus::ok)) {
    ++writes_;
  }
  if (status == BlockStatus::io_error || status == BlockStatus::no_space) {
    ++counters_.errors;
    log_.warning("disk ", name_, ": ", name_of(request.op), " of ", request.length, " bytes at ",
                 request.offset, " failed: ", error_text(file_.last_error()));
  }
  request.status = status;
  count(request, status);
  ++nesting_;
  request.done(request, status);
  --nesting_;
}

void FileDisk::drain() noexcept {
  while (under_way_ != 0) {
    if (!deferred_.empty()) {
      static_cast<void>(run_deferred());
    } else {
      engine_.engine->wait();
    }
  }
}

BlockStatus FileDisk::flush_now() noexcept {
  drain();
  if (info_.read_only) {
    return BlockStatus::ok;
  }
  const std::uint64_t covered = writes_;
  const int error = file_.sync();
  if (error != 0) {
    ++counters_.errors;
    log_.warning("disk ", name_, ": flush failed: ", error_text(file_.last_error()));
    return BlockStatus::io_error;
  }
  writes_flushed_ = covered;
  return BlockStatus::ok;
}

}  // namespace dm::host
