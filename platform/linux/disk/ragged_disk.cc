// SPDX-License-Identifier: MIT
#include "platform/linux/disk/ragged_disk.h"

#include "core/obs/log.h"
#include "core/obs/probe.h"
#include "platform/linux/disk/request_check.h"
#include "platform/linux/loop/loop.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

namespace dm::host {

RaggedDisk::RaggedDisk(Loop& loop, Parts parts, std::uint64_t image_bytes, std::uint32_t sector)
    : body_{std::move(parts.body)},
      tail_{std::move(parts.tail)},
      body_bytes_{body_->info().size},
      image_bytes_{image_bytes},
      info_{body_->info()},
      later_{Work::bind<&RaggedDisk::run_later>(loop.turn_queue(), *this)} {
  const std::uint64_t mask = std::uint64_t{sector} - 1;
  info_.size = (image_bytes + mask) & ~mask;
}

RaggedDisk::~RaggedDisk() {
  drain();
}

void RaggedDisk::submit(BlockRequest& request) noexcept {
  const bool flush = request.op == BlockOp::flush;
  if (flush || (request.offset <= body_bytes_ && request.length <= body_bytes_ - request.offset))
      [[likely]] {
    body_->submit(request);
    return;
  }
  request.done_bytes = 0;
  ++own_;
  DM_PROBE4(disk_submit, &request, static_cast<int>(request.op), request.offset, request.length);
  waiting_.push(request);
  later_.schedule();
}

bool RaggedDisk::run_later() noexcept {
  start_next();
  return request_ == nullptr && !waiting_.empty();
}

/// One, or while somebody waits as many as end at once and then one.
void RaggedDisk::start_next() noexcept {
  const bool outer = std::exchange(starting_, true);
  bool more = true;
  while (more && request_ == nullptr && !waiting_.empty()) {
    request_ = waiting_.pop();
    done_ = 0;
    span_ = in_span_ = 0;
    const BlockStatus status = check_request(info_, *request_);
    if (status != BlockStatus::ok) {
      finish(status);
    } else {
      go_on();
    }
    more = draining_ != 0;
  }
  starting_ = outer;
}

/// The next piece, or the end: a piece lies in one part, and is whole spans of the request or
/// within one.
void RaggedDisk::go_on() noexcept {
  const BlockRequest& request = *request_;
  const std::uint64_t at = request.offset + done_;
  const std::uint64_t left = request.length - done_;
  if (left == 0) {
    finish(BlockStatus::ok);
  } else if (at < body_bytes_) {
    ask(*body_, std::min(left, body_bytes_ - at));
  } else if (at < image_bytes_) {
    ask(tail_ != nullptr ? *tail_ : *body_, std::min(left, image_bytes_ - at));
  } else if (request.op == BlockOp::write) {
    finish(BlockStatus::io_error);
  } else {
    fill_with_zeros();
    finish(BlockStatus::ok);
  }
}

void RaggedDisk::ask(BlockBackend& part, std::uint64_t most) noexcept {
  const BlockRequest& request = *request_;
  piece_ = BlockRequest{};
  piece_.op = request.op;
  piece_.offset = request.offset + done_;
  // Nothing is left in the tail for a flush to do, which asks the body alone.
  piece_.durable = request.op == BlockOp::write && (request.durable || &part == tail_.get());
  piece_.done = &RaggedDisk::on_piece;
  piece_.owner = this;
  if (request.op == BlockOp::discard) {
    piece_.length = most;
  } else {
    take_spans(most);
  }
  piece_under_way_ = true;
  part.submit(piece_);
}

/// As many spans as are whole, or else a piece of the next.
void RaggedDisk::take_spans(std::uint64_t most) noexcept {
  const auto& data = request_->data;
  while (in_span_ == data[span_].size()) {
    ++span_;
    in_span_ = 0;
  }
  const std::size_t first = span_;
  while (in_span_ == 0 && span_ < data.size() && data[span_].size() <= most - piece_.length) {
    piece_.length += data[span_++].size();
  }
  if (piece_.length != 0) {
    piece_.data = data.subspan(first, span_ - first);
    return;
  }
  const auto rest = data[span_].subspan(in_span_);
  cut_ = rest.first(std::min<std::uint64_t>(rest.size(), most));
  in_span_ += cut_.size();
  piece_.length = cut_.size();
  piece_.data = {&cut_, 1};
}

void RaggedDisk::fill_with_zeros() noexcept {
  if (request_->op != BlockOp::read) {
    return;
  }
  for (; span_ < request_->data.size(); ++span_) {
    const auto rest = request_->data[span_].subspan(std::exchange(in_span_, 0));
    if (!rest.empty()) {
      std::memset(rest.data(), 0, rest.size());
    }
  }
  done_ = request_->length;
}

void RaggedDisk::on_piece(BlockRequest& piece, BlockStatus status) noexcept {
  static_cast<RaggedDisk*>(piece.owner)->piece_done(status);
}

void RaggedDisk::piece_done(BlockStatus status) noexcept {
  piece_under_way_ = false;
  pieces_.count(piece_, status);
  done_ += status == BlockStatus::ok ? piece_.length : std::min(piece_.done_bytes, piece_.length);
  if (status != BlockStatus::ok) {
    finish(status);
  } else {
    go_on();
  }
}

/// While somebody waits for all of them the next follows at once: his deadline is for all.
void RaggedDisk::finish(BlockStatus status) noexcept {
  BlockRequest& request = *std::exchange(request_, nullptr);
  if (request.op == BlockOp::read || request.op == BlockOp::write) {
    request.done_bytes = done_;
  }
  DM_PROBE3(disk_done, &request, static_cast<int>(status), request.done_bytes);
  request.status = status;
  --own_;
  count(request, status);
  request.done(request, status);
  if (starting_) {
    return;  // it looks again
  }
  if (draining_ != 0) {
    start_next();
  } else if (!waiting_.empty()) {
    later_.schedule();
  }
}

void RaggedDisk::drain() noexcept {
  ++draining_;
  do {
    start_next();
    body_->drain();
    if (tail_ != nullptr) {
      tail_->drain();
    }
  } while (in_flight() != 0);
  --draining_;
}

BlockStatus RaggedDisk::flush_now() noexcept {
  drain();
  return body_->flush_now();
}

std::uint64_t RaggedDisk::in_flight() const noexcept {
  const std::uint64_t parts = body_->in_flight() + (tail_ != nullptr ? tail_->in_flight() : 0);
  return own_ + parts - (piece_under_way_ ? 1U : 0U);
}

BlockStats RaggedDisk::stats() const noexcept {
  BlockStats all = BlockBackend::stats();
  const auto add = [&all](const BlockStats& some, auto plus) {
    for (std::size_t op = 0; op < BlockStats::kOps; ++op) {
      all.operations[op] = plus(all.operations[op], some.operations[op]);
      all.bytes[op] = plus(all.bytes[op], some.bytes[op]);
      all.failed[op] = plus(all.failed[op], some.failed[op]);
    }
  };
  add(body_->stats(), std::plus<>{});
  if (tail_ != nullptr) {
    add(tail_->stats(), std::plus<>{});
  }
  add(pieces_, std::minus<>{});
  return all;
}

std::unique_ptr<BlockBackend> in_whole_sectors(Loop& loop,
                                               RaggedDisk::Parts parts,
                                               std::uint64_t image_bytes,
                                               std::uint32_t sector) {
  const std::uint64_t left = image_bytes % sector;
  if (left == 0 && parts.tail == nullptr) {
    return std::move(parts.body);
  }
  if (left != 0) {
    log::info("disk ", parts.body->name(), ": its ", image_bytes,
              " bytes are no multiple of a sector of ", sector, ": the last sector reads as zeros ",
              "from byte ", left, " on",
              parts.body->info().read_only ? "" : ", and what is written there is refused");
  }
  return std::make_unique<RaggedDisk>(loop, std::move(parts), image_bytes, sector);
}

}  // namespace dm::host
