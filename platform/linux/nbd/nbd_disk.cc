// SPDX-License-Identifier: MIT
// Requests that are given, the connection, waiting, and the end.
#include "platform/linux/nbd/nbd_disk.h"

#include "core/obs/probe.h"
#include "platform/linux/disk/request_check.h"
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
  report();
  pump();
}

void NbdDisk::on_writable() noexcept {
  if (!lost_ && (library_.aio_get_direction(handle_.get()) & LIBNBD_AIO_DIRECTION_WRITE) != 0) {
    static_cast<void>(library_.aio_notify_write(handle_.get()));
    check_connection();
  }
  report();
  pump();
}

bool NbdDisk::run_later() noexcept {
  deadline_.reset();
  report();
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
  report();
  pump();
  while (under_way_ != 0) {
    if (answers_ == nullptr && refused_.empty() && !lost_) {
      if (!wait_for_server(library_, handle_.get(), deadline(), *wait_)) {
        lose("no answer for too long");
      }
      check_connection();
    }
    report();
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
