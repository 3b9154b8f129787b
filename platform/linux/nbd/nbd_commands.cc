// SPDX-License-Identifier: MIT
// From requests to libnbd's commands and back.
#include "platform/linux/disk/disk_file.h"
#include "platform/linux/disk/request_check.h"
#include "platform/linux/error_text.h"
#include "platform/linux/nbd/nbd_disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace dm::host {

namespace {

/// Requests and commands of which the end is told in one of the loop's turns.
constexpr unsigned kReportsPerTurn = 80;

}  // namespace

void NbdDisk::start(Task& task, BlockRequest& request) noexcept {
  task = {.request = &request, .good = request.length, .covers = writes_};
}

/// The rest of the span, and the ones after it while they go on where it ends.
std::span<std::byte> NbdDisk::next_piece(Task& task) const noexcept {
  const auto& data = task.request->data;
  while (task.in_span == data[task.span].size()) {
    ++task.span;
    task.in_span = 0;
  }
  std::byte* const begin = data[task.span].data() + task.in_span;
  std::uint64_t size = 0;
  for (;;) {
    const std::size_t take =
        std::min<std::uint64_t>(data[task.span].size() - task.in_span, kPiece - size);
    size += take;
    task.in_span += take;
    const bool adjoins = task.in_span == data[task.span].size() && task.span + 1 < data.size() &&
                         data[task.span + 1].data() == begin + size;
    if (size == kPiece || !adjoins) {
      return {begin, size};
    }
    ++task.span;
    task.in_span = 0;
  }
}

std::int64_t NbdDisk::send(Task& task, Command& command) noexcept {
  const BlockRequest& request = *task.request;
  nbd_handle* const handle = handle_.get();
  const nbd_completion_callback call{
      .callback = &NbdDisk::on_answer, .user_data = &command, .free = nullptr};
  const std::uint64_t at = request.offset + task.next;
  if (request.op == BlockOp::flush || task.flushing) {
    task.asked = true;
    return library_.aio_flush(handle, call, 0);
  }
  if (request.op == BlockOp::discard) {
    const std::uint64_t size = std::min(request.length - task.next, kDiscardPiece);
    task.next += size;
    task.asked = task.next == request.length;
    return library_.aio_trim(handle, size, at, call, 0);
  }
  const std::span<std::byte> piece = next_piece(task);
  task.next += piece.size();
  task.asked = task.next == request.length;
  if (request.op == BlockOp::read) {
    return library_.aio_pread(handle, piece.data(), piece.size(), at, call, 0);
  }
  const bool fua = request.durable && export_.can_fua;
  return library_.aio_pwrite(handle, piece.data(), piece.size(), at, call,
                             fua ? LIBNBD_CMD_FLAG_FUA : 0);
}

void NbdDisk::ask(Task& task) noexcept {
  Command& command = *std::find_if(commands_.begin(), commands_.end(),
                                   [](const Command& c) { return c.task == nullptr; });
  command.task = &task;
  command.at = task.next;
  command.error = 0;
  ++task.under_way;
  if (send(task, command) < 0) {  // not taken: on_answer will not be called
    command.error = library_.get_errno() != 0 ? library_.get_errno() : EIO;
    command.next = std::exchange(answers_, &command);
  }
}

/// From inside libnbd, which must not be called from here.
int NbdDisk::on_answer(void* command, int* error) noexcept {
  auto& answered = *static_cast<Command*>(command);
  answered.error = *error;
  answered.next = std::exchange(answered.disk->answers_, &answered);
  return 1;  // libnbd forgets it
}

/// What has been answered, and what becomes of it. Bounded: who is told may ask again at once.
void NbdDisk::report() noexcept {
  for (unsigned budget = kReportsPerTurn; budget != 0; --budget) {
    if (Command* const command = answers_; command != nullptr) {
      answers_ = command->next;
      answered(*command);
    } else if (BlockRequest* const request = refused_.pop(); request != nullptr) {
      complete(*request, request->status);
    } else {
      return;
    }
  }
}

void NbdDisk::fail_task(Task& task, std::uint64_t at, int error) noexcept {
  task.good = std::min(task.good, at);
  task.error = task.error == 0 ? error : task.error;
  task.asked = true;
}

void NbdDisk::answered(Command& command) noexcept {
  Task& task = *std::exchange(command.task, nullptr);
  --task.under_way;
  if (command.error != 0) {
    fail_task(task, task.flushing ? 0 : command.at, command.error);
  }
  if (task.under_way == 0 && task.asked) {
    end(task);
  }
}

void NbdDisk::end(Task& task) noexcept {
  BlockRequest& request = *task.request;
  const bool durable = request.op == BlockOp::write && request.durable;
  if (durable && task.error == 0 && !export_.can_fua && export_.can_flush && !task.flushing) {
    task.flushing = true;
    task.asked = false;
    return;  // asked for by pump()
  }
  // With FUA one number tells of the write and of its sync; only lack of space is surely the
  // former.
  const bool sync = request.op == BlockOp::flush || (durable && !fails_without_sync(task.error));
  sync_failed_ = sync_failed_ || (sync && task.error != 0);
  BlockStatus status = status_of(task.error);
  if (request.op == BlockOp::flush && task.error != 0) {
    status = BlockStatus::io_error;
  }
  if (request.op == BlockOp::flush && task.error == 0) {
    writes_flushed_ = std::max(writes_flushed_, task.covers);
  }
  if (request.op == BlockOp::read || request.op == BlockOp::write) {
    request.done_bytes = task.good;
  }
  if (task.error != 0 && !lost_) {
    log_.warning("disk ", name_, ": ", name_of(request.op), " of ", request.length, " bytes at ",
                 request.offset, " failed: ", error_text(task.error));
  }
  task = {};
  complete(request, status);
}

}  // namespace dm::host
