// SPDX-License-Identifier: MIT
#include "platform/linux/nbd/nbd_disk.h"

#include "core/obs/probe.h"
#include "platform/linux/disk/disk_file.h"
#include "platform/linux/disk/request_check.h"
#include "platform/linux/error_text.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/nbd/nbd_wait.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace dm::host {

namespace {

/// Replies taken in one of the loop's turns.
constexpr unsigned kRepliesPerTurn = 16;
/// Requests and commands of which the end is told in one.
constexpr unsigned kReportsPerTurn = 80;
constexpr std::chrono::milliseconds kFarewell{1000};

}  // namespace

NbdDisk::NbdDisk(Loop& loop,
                 const NbdLibrary& library,
                 NbdHandle handle,
                 std::unique_ptr<NbdServer> server,
                 const Export& what,
                 std::string name)
    : library_{library},
      handle_{std::move(handle)},
      server_{std::move(server)},
      export_{what},
      name_{std::move(name)},
      later_{Work::bind<&NbdDisk::run_later>(loop.turn_queue(), *this)} {
  UniqueFd socket = duplicate(library_.aio_get_fd(handle_.get()));
  if (socket) {
    socket_ = Watch{loop, std::move(socket), Callback::bind<&NbdDisk::on_readable>(*this),
                    Callback::bind<&NbdDisk::on_writable>(*this)};
  }
  for (Command& command : commands_) {
    command.disk = this;
  }
  watch();
}

NbdDisk::~NbdDisk() {
  drain();
  part();
}

/// Says goodbye, so that the server ends in order.
void NbdDisk::part() noexcept {
  if (lost_) {
    return;
  }
  static_cast<void>(library_.aio_disconnect(handle_.get(), 0));
  const auto until = wait_->now() + kFarewell;
  while (!has_ended(library_, handle_.get()) &&
         wait_for_server(library_, handle_.get(), until, *wait_)) {
  }
  socket_ = Watch{};
  handle_.reset();
}

void NbdDisk::submit(BlockRequest& request) noexcept {
  request.done_bytes = 0;
  ++under_way_;
  DM_PROBE4(disk_submit, &request, static_cast<int>(request.op), request.offset, request.length);
  request.status = check_request(export_.info, request);
  const bool nothing_to_flush =
      export_.info.read_only || !export_.can_flush || writes_ == writes_flushed_;
  const bool flush = request.op == BlockOp::flush;
  if (request.status == BlockStatus::ok && (lost_ || (flush && sync_failed_))) {
    request.status = BlockStatus::io_error;
  }
  const bool done = request.status != BlockStatus::ok ||
                    (flush ? nothing_to_flush : request.length == 0) ||
                    (request.op == BlockOp::discard && !export_.info.can_discard);
  if (done) {
    refused_.push(request);
    later_.schedule();
    return;
  }
  waiting_.push(request);
  pump();
}

/// Requests become tasks, tasks become commands, as many as there is room for. Without a connection
/// no task goes on, whatever has opened it again: this is the one place that asks.
void NbdDisk::pump() noexcept {
  if (lost_) {
    refuse_rest();
    return;
  }
  for (Task& task : tasks_) {
    if (task.request == nullptr && !waiting_.empty()) {
      start(task, *waiting_.pop());
    }
  }
  for (std::size_t idle = 0; idle < kTasks && !lost_;) {
    Task& task = tasks_.at(turn_);
    const bool has_more = task.request != nullptr && !task.asked;
    if (has_more && std::none_of(commands_.begin(), commands_.end(),
                                 [](const Command& c) { return c.task == nullptr; })) {
      break;
    }
    if (has_more) {
      ask(task);
    }
    turn_ = (turn_ + 1) % kTasks;
    idle = has_more ? 0 : idle + 1;
  }
  check_connection();
  if (answers_ != nullptr || !refused_.empty()) {
    later_.schedule();
  }
  watch();
}

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
void NbdDisk::settle() noexcept {
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

void NbdDisk::complete(BlockRequest& request, BlockStatus status) noexcept {
  --under_way_;
  DM_PROBE3(disk_done, &request, static_cast<int>(status), request.done_bytes);
  if (changes(request) && !(request.durable && status == BlockStatus::ok)) {
    ++writes_;
  }
  request.status = status;
  count(request, status);
  request.done(request, status);
}

void NbdDisk::check_connection() noexcept {
  if (!lost_ && has_ended(library_, handle_.get())) {
    const char* const why = library_.get_error();
    lose(why != nullptr ? why : "the server closed the connection");
  }
}

/// The end. Closing the handle gives up libnbd's commands without a word, so the words are ours;
/// after it nothing reaches the guest's pages any more.
void NbdDisk::lose(const char* why) noexcept {
  lost_ = true;
  sync_failed_ = sync_failed_ || !export_.info.read_only;
  log::error("disk ", name_, ": connection lost, every request fails from here on: ", why);
  socket_ = Watch{};
  handle_.reset();
  for (Command& command : commands_) {
    const auto given = [&command](const Command* answer) {
      while (answer != nullptr && answer != &command) {
        answer = answer->next;
      }
      return answer != nullptr;
    };
    if (command.task != nullptr && !given(answers_)) {
      command.error = ENOTCONN;
      command.next = std::exchange(answers_, &command);
    }
  }
  refuse_rest();
}

/// After the end: what has a command under way ends with its answer, all else here. A durable write
/// that still needed its flush is not durable.
void NbdDisk::refuse_rest() noexcept {
  const auto refuse = [this](BlockRequest& request) {
    request.status = BlockStatus::io_error;
    refused_.push(request);
  };
  for (Task& task : tasks_) {
    if (task.request != nullptr && task.under_way == 0) {
      refuse(*task.request);
      task = {};
    } else if (task.request != nullptr && !task.asked) {
      fail_task(task, task.next, ENOTCONN);
    }
  }
  while (BlockRequest* const request = waiting_.pop()) {
    refuse(*request);
  }
  if (answers_ != nullptr || !refused_.empty()) {
    later_.schedule();
  }
}

void NbdDisk::watch() noexcept {
  if (lost_ || !socket_.ok()) {
    return;
  }
  const unsigned direction = library_.aio_get_direction(handle_.get());
  if ((direction & LIBNBD_AIO_DIRECTION_READ) != 0) {
    socket_.await_readable();
  }
  if ((direction & LIBNBD_AIO_DIRECTION_WRITE) != 0) {
    socket_.await_writable();
  }
}

void NbdDisk::on_readable() noexcept {
  for (unsigned budget = kRepliesPerTurn; budget != 0 && !lost_; --budget) {
    const unsigned direction = library_.aio_get_direction(handle_.get());
    pollfd ready{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
    if ((direction & LIBNBD_AIO_DIRECTION_READ) == 0 || ::poll(&ready, 1, 0) <= 0) {
      break;
    }
    static_cast<void>(library_.aio_notify_read(handle_.get()));
    check_connection();
  }
  settle();
  pump();
}

void NbdDisk::on_writable() noexcept {
  if (!lost_ && (library_.aio_get_direction(handle_.get()) & LIBNBD_AIO_DIRECTION_WRITE) != 0) {
    static_cast<void>(library_.aio_notify_write(handle_.get()));
    check_connection();
  }
  settle();
  pump();
}

bool NbdDisk::run_later() noexcept {
  deadline_.reset();
  settle();
  pump();
  return false;
}

/// Until the loop goes on there is one: whoever waits twice, or for what was asked for only during
/// the waiting, holds the guest up no longer.
std::chrono::steady_clock::time_point NbdDisk::deadline() noexcept {
  if (!deadline_) {
    deadline_ = wait_->now() + patience_;
    later_.schedule();
  }
  return *deadline_;
}

void NbdDisk::drain() noexcept {
  settle();
  pump();
  while (under_way_ != 0) {
    if (answers_ == nullptr && refused_.empty() && !lost_) {
      if (!wait_for_server(library_, handle_.get(), deadline(), *wait_)) {
        lose("no answer for too long");
      }
      check_connection();
    }
    settle();
    pump();
  }
}

BlockStatus NbdDisk::flush_now() noexcept {
  drain();
  BlockRequest flush;
  flush.op = BlockOp::flush;
  flush.done = [](BlockRequest&, BlockStatus) noexcept {};
  submit(flush);
  drain();
  return flush.status;
}

}  // namespace dm::host
