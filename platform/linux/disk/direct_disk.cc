// SPDX-License-Identifier: MIT
#include "platform/linux/disk/direct_disk.h"

#include "core/obs/probe.h"
#include "platform/linux/disk/request_check.h"
#include "platform/linux/loop/loop.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace dm::host {

namespace {

enum class Copy : std::uint8_t { to_buffer, from_buffer };

/// Between the request's data, from byte `from` of it on, and a buffer.
void copy(std::span<const std::span<std::byte>> data,
          std::uint64_t from,
          std::span<std::byte> buffer,
          Copy direction) noexcept {
  for (const std::span<std::byte> piece : data) {
    if (from >= piece.size()) {
      from -= piece.size();
      continue;
    }
    const auto there = piece.subspan(from, std::min(piece.size() - from, buffer.size()));
    if (direction == Copy::to_buffer) {
      std::memcpy(buffer.data(), there.data(), there.size());
    } else {
      std::memcpy(there.data(), buffer.data(), there.size());
    }
    buffer = buffer.subspan(there.size());
    from = 0;
    if (buffer.empty()) {
      return;
    }
  }
}

}  // namespace

void DirectDisk::FreePages::operator()(std::byte* memory) const noexcept {
  std::free(memory);
}

DirectDisk::DirectDisk(Loop& loop, std::unique_ptr<FileDisk> file, std::uint32_t block)
    : file_{std::move(file)},
      block_{block},
      later_{Work::bind<&DirectDisk::run_later>(loop.turn_queue(), *this)},
      memory_{static_cast<std::byte*>(std::aligned_alloc(kMaxBlock, kBuffers * kBufferBytes))} {
  if (memory_ == nullptr) {
    throw std::bad_alloc{};
  }
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    pieces_.at(i).disk = this;
    pieces_.at(i).buffer = memory_.get() + i * kBufferBytes;
  }
}

DirectDisk::~DirectDisk() {
  drain();
}

void DirectDisk::submit(BlockRequest& request) noexcept {
  request.done_bytes = 0;
  ++under_way_;
  DM_PROBE4(disk_submit, &request, static_cast<int>(request.op), request.offset, request.length);
  request.status = check_request(file_->info(), request);
  const bool nothing = request.op != BlockOp::flush && request.length == 0;
  if (request.status != BlockStatus::ok || nothing) {
    refused_.push(request);
    later_.schedule();
    return;
  }
  waiting_.push(request);
  pump();
}

DirectDisk::Piece* DirectDisk::free_piece() noexcept {
  const auto found = std::find_if(pieces_.begin(), pieces_.end(),
                                  [](const Piece& piece) { return piece.task == nullptr; });
  return found == pieces_.end() ? nullptr : &*found;
}

/// What is asked for may be answered at once, and more asked for from there: so everything is
/// looked at anew after each piece.
void DirectDisk::pump() noexcept {
  for (std::size_t idle = 0; idle < kTasks;) {
    Task& task = tasks_.at(turn_);
    if (task.request == nullptr && !waiting_.empty()) {
      BlockRequest& request = *waiting_.pop();
      task = {.request = &request, .good = request.length};
    }
    Piece* const piece = free_piece();
    if (piece == nullptr || exclusive_) {
      return;
    }
    if (task.request == nullptr || task.asked) {
      turn_ = (turn_ + 1) % kTasks;
      ++idle;
      continue;
    }
    idle = 0;
    const std::size_t turn = std::exchange(turn_, (turn_ + 1) % kTasks);
    if (task.request->op == BlockOp::discard) {
      ask_for_discard(task, *piece);
    } else if (!ask(task, *piece)) {
      turn_ = turn;  // and nobody else before it
      return;
    }
  }
}

/// The next piece. False when it has to be alone and is not.
bool DirectDisk::ask(Task& task, Piece& piece) noexcept {
  BlockRequest& request = *task.request;
  const bool flush = request.op == BlockOp::flush;
  const std::uint64_t at = flush ? 0 : request.offset + task.next;
  const std::uint64_t begin = at & ~(block_ - 1);
  const std::uint64_t end =
      flush ? 0 : std::min(request.offset + request.length, begin + kBufferBytes);
  const std::uint64_t rounded = (end + block_ - 1) & ~(block_ - 1);
  const bool reads_first = request.op == BlockOp::write && (begin != at || rounded != end);
  const bool alone = std::all_of(pieces_.begin(), pieces_.end(),
                                 [](const Piece& other) { return other.task == nullptr; });
  if (reads_first && !alone) {
    return false;
  }
  piece.task = &task;
  piece.from = task.next;
  piece.bytes = end - at;
  piece.skip = at - begin;
  piece.reads_first = exclusive_ = reads_first;
  piece.span = {piece.buffer, rounded - begin};
  piece.inner = BlockRequest{};
  piece.inner.op = reads_first ? BlockOp::read : request.op;
  piece.inner.durable = request.durable && !reads_first;
  piece.inner.done = &DirectDisk::on_done;
  piece.inner.owner = &piece;
  if (!flush) {
    piece.inner.offset = begin;
    piece.inner.length = piece.span.size();
    piece.inner.data = {&piece.span, 1};
  }
  if (request.op == BlockOp::write && !reads_first) {
    copy(request.data, piece.from, piece.span, Copy::to_buffer);
  }
  task.next += piece.bytes;
  task.asked = flush || task.next == request.length;
  ++task.under_way;
  file_->submit(piece.inner);
  return true;
}

/// Whole blocks only: a hint.
void DirectDisk::ask_for_discard(Task& task, Piece& piece) noexcept {
  const BlockRequest& request = *task.request;
  const std::uint64_t begin = (request.offset + block_ - 1) & ~(block_ - 1);
  const std::uint64_t end = (request.offset + request.length) & ~(block_ - 1);
  piece.task = &task;
  piece.from = 0;
  piece.bytes = request.length;
  piece.reads_first = false;
  piece.inner = BlockRequest{};
  piece.inner.op = BlockOp::discard;
  piece.inner.offset = begin < end ? begin : 0;
  piece.inner.length = begin < end ? end - begin : 0;
  piece.inner.done = &DirectDisk::on_done;
  piece.inner.owner = &piece;
  task.asked = true;
  ++task.under_way;
  file_->submit(piece.inner);
}

void DirectDisk::on_done(BlockRequest& inner, BlockStatus status) noexcept {
  Piece& piece = *static_cast<Piece*>(inner.owner);
  piece.disk->piece_done(piece, status);
}

void DirectDisk::piece_done(Piece& piece, BlockStatus status) noexcept {
  Task& task = *piece.task;
  const BlockRequest& request = *task.request;
  const auto payload = piece.span.subspan(piece.skip);
  const auto wanted = [&] { return payload.first(piece.bytes); };
  if (piece.reads_first && status == BlockStatus::ok) {
    piece.reads_first = false;
    copy(request.data, piece.from, wanted(), Copy::to_buffer);
    piece.inner.op = BlockOp::write;
    piece.inner.durable = request.durable;
    file_->submit(piece.inner);
    return;
  }
  if (request.op == BlockOp::read) {
    // Of a piece that failed half way the first half is good.
    const std::uint64_t got =
        piece.inner.done_bytes - std::min<std::uint64_t>(piece.inner.done_bytes, piece.skip);
    copy(request.data, piece.from, wanted().first(std::min(got, piece.bytes)), Copy::from_buffer);
  }
  if (status != BlockStatus::ok) {
    const std::uint64_t moved = piece.reads_first ? 0 : piece.inner.done_bytes;
    const std::uint64_t got =
        std::min(piece.bytes, moved - std::min<std::uint64_t>(moved, piece.skip));
    task.good = std::min(task.good, piece.from + got);
    task.status = task.status == BlockStatus::ok ? status : task.status;
    task.asked = true;
  }
  piece.task = nullptr;
  exclusive_ = false;
  if (--task.under_way == 0 && task.asked) {
    end(task);
  }
  pump();
}

void DirectDisk::end(Task& task) noexcept {
  BlockRequest& request = *task.request;
  if (request.op == BlockOp::read || request.op == BlockOp::write) {
    request.done_bytes = task.good;
  }
  complete(request, std::exchange(task, {}).status);
}

void DirectDisk::complete(BlockRequest& request, BlockStatus status) noexcept {
  --under_way_;
  DM_PROBE3(disk_done, &request, static_cast<int>(status), request.done_bytes);
  request.status = status;
  count(request, status);
  request.done(request, status);
}

bool DirectDisk::run_later() noexcept {
  if (BlockRequest* const request = refused_.pop(); request != nullptr) {
    complete(*request, request->status);
  }
  return !refused_.empty();
}

void DirectDisk::drain() noexcept {
  while (under_way_ != 0) {
    static_cast<void>(run_later());
    file_->drain();  // what is asked for from inside it is waited for too
  }
}

BlockStatus DirectDisk::flush_now() noexcept {
  drain();
  return file_->flush_now();
}

}  // namespace dm::host
