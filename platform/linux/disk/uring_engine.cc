// SPDX-License-Identifier: MIT
#include "platform/linux/disk/uring_engine.h"

#include "platform/linux/nap.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace dm::host {

namespace {

/// What is reported in one of the loop's turns.
constexpr unsigned kReportsPerTurn = 16;
/// EINTR and EAGAIN are tried again, but not for ever.
constexpr unsigned kMaxAgain = 1000;

[[nodiscard]] bool syncs(const BlockRequest& request) noexcept {
  return request.op == BlockOp::flush || (request.op == BlockOp::write && request.durable);
}

/// A discard is one operation, however long; reads and writes may go on where one has ended.
[[nodiscard]] bool has_nothing_left(const BlockRequest& request) noexcept {
  return request.op == BlockOp::discard
             ? request.length == 0
             : request.op != BlockOp::flush && request.done_bytes == request.length;
}

/// While a request is here its status says how it is being tried. A durable write whose failure may
/// be the write's or the sync's is tried again without the sync (DiskFile::carry_out).
constexpr BlockStatus kAsAsked = BlockStatus::ok;
constexpr BlockStatus kWithoutSync = BlockStatus::no_space;

}  // namespace

UringEngine::UringEngine(Loop& loop, DiskFile& file, Finished finished)
    : file_{file},
      finished_{finished},
      pool_{loop, file, {this, [](void* engine, BlockRequest& request) noexcept {
                           static_cast<UringEngine*>(engine)->pool_finished(request);
                         }}} {}

UringEngine::Made UringEngine::make(Loop& loop, DiskFile& file, Finished finished) {
  std::unique_ptr<UringEngine> engine{new UringEngine{loop, file, finished}};
  if (const int error = engine->set_up(loop); error != 0) {
    return {nullptr, error};
  }
  return {std::move(engine), 0};
}

int UringEngine::set_up(Loop& loop) {
  if (!pool_.ok()) {
    return EMFILE;
  }
  if (const int error = ring_.open(kInFlight, 0, file_.fd()); error != 0) {
    return error;
  }
  UniqueFd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!event) {
    return errno;
  }
  if (const int result = ::io_uring_register_eventfd(ring_.get(), event.get()); result < 0) {
    return -result;
  }
  // The kernel's threads for what it cannot do otherwise: as many as the pool would have. Before
  // Linux 5.15 there is no limit to set.
  std::array<unsigned, 2> workers{WorkerPool::kThreads, WorkerPool::kThreads};
  static_cast<void>(::io_uring_register_iowq_max_workers(ring_.get(), workers.data()));
  constexpr std::array<std::uint8_t, 4> kOperations{IORING_OP_READV, IORING_OP_WRITEV,
                                                    IORING_OP_FSYNC, IORING_OP_FALLOCATE};
  if (const int error = ring_.restrict_to(kOperations, IOSQE_ASYNC); error != 0) {
    return error;
  }
  event_ = Watch{loop, std::move(event), Callback::bind<&UringEngine::on_event>(*this)};
  event_.await_readable();
  return event_.ok() ? 0 : EMFILE;
}

void UringEngine::start(BlockRequest& request) noexcept {
  if (request.op == BlockOp::discard && file_.block_device()) {
    pool_.start(request);  // the kernel's fallocate would write zeros instead
    return;
  }
  request.status = kAsAsked;
  if (syncs(request) && std::exchange(syncing_, true)) {
    syncs_waiting_.push(request);
    return;
  }
  issue(request);
  tell_later();
}

void UringEngine::issue(BlockRequest& request) noexcept {
  if (request.op == BlockOp::flush && file_.sync_failed()) {
    finish(request, EIO);
  } else if (has_nothing_left(request)) {
    finish(request, 0);
  } else if (in_flight_ == kInFlight) {
    waiting_.push(request);
  } else {
    prepare(request);
    hand_in(request);
  }
}

void UringEngine::prepare(BlockRequest& request) noexcept {
  io_uring_sqe* const entry = ::io_uring_get_sqe(ring_.get());  // there is one: in_flight_
  unsigned flags = IOSQE_FIXED_FILE;
  switch (request.op) {
    case BlockOp::read: {
      const int count = fill(request.data, request.done_bytes, request.length, vectors_);
      ::io_uring_prep_readv(entry, FileRing::kFile, vectors_.data(), static_cast<unsigned>(count),
                            request.offset + request.done_bytes);
      break;
    }
    case BlockOp::write: {
      const int count = fill(request.data, request.done_bytes, request.length, vectors_);
      const bool sync = request.durable && request.status == kAsAsked;
      ::io_uring_prep_writev2(entry, FileRing::kFile, vectors_.data(), static_cast<unsigned>(count),
                              request.offset + request.done_bytes, sync ? RWF_DSYNC : 0);
      flags |= IOSQE_ASYNC;  // it has been tried without waiting, or would sync in submit()
      break;
    }
    case BlockOp::flush:
      ::io_uring_prep_fsync(entry, FileRing::kFile, IORING_FSYNC_DATASYNC);
      flags |= IOSQE_ASYNC;
      break;
    case BlockOp::discard:
      ::io_uring_prep_fallocate(entry, FileRing::kFile, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                static_cast<off_t>(request.offset),
                                static_cast<off_t>(request.length));
      flags |= IOSQE_ASYNC;
      break;
  }
  ::io_uring_sqe_set_flags(entry, flags);
  ::io_uring_sqe_set_data(entry, &request);
  ++in_flight_;
}

/// What the kernel does not take, since it has no memory for it, goes to the threads, at once: it
/// may never take it, and whoever waits for all requests would wait as long.
void UringEngine::hand_in(BlockRequest& request) noexcept {
  static_cast<void>(::io_uring_submit(ring_.get()));
  if (ring_.take_back() == 0) {  // its one entry
    return;
  }
  --in_flight_;
  if (request.status == kWithoutSync) {
    // The threads would not know that it has failed with the sync.
    durable_write_ended(request, file_.transfer(request, request.length, DiskFile::Wait::allowed));
  } else {
    pool_.start(request);
  }
}

void UringEngine::pool_finished(BlockRequest& request) noexcept {
  syncing_ = syncing_ && !syncs(request);
  go_on();
  tell_later();
  finished_.call(finished_.disk, request);
}

/// What had to wait for a place, or for the sync before it.
void UringEngine::go_on() noexcept {
  while (in_flight_ < kInFlight && !waiting_.empty()) {
    issue(*waiting_.pop());
  }
  while (!syncing_ && !syncs_waiting_.empty()) {
    syncing_ = true;
    issue(*syncs_waiting_.pop());
  }
}

/// `result`: what the system call would have returned, or -errno.
void UringEngine::answered(BlockRequest& request, int result) noexcept {
  --in_flight_;
  if ((result == -EINTR || result == -EAGAIN) && ++again_ < kMaxAgain) {
    issue(request);
    return;
  }
  again_ = 0;
  switch (request.op) {
    case BlockOp::read:
    case BlockOp::write:
      moved(request, result);
      return;
    case BlockOp::flush:
      if (result < 0) {
        file_.sync_has_failed(-result);
      }
      finish(request, result < 0 ? EIO : 0);
      return;
    case BlockOp::discard:
      finish(request, result < 0 && !discard_is_ignored(-result) ? -result : 0);
      return;
  }
}

void UringEngine::moved(BlockRequest& request, int result) noexcept {
  if (result > 0) {
    request.done_bytes += static_cast<unsigned>(result);
    if (request.done_bytes < request.length) {
      issue(request);
      return;
    }
  }
  // Nothing moved: somebody has made the image shorter than it was.
  const int error = result > 0 ? 0 : result == 0 ? EIO : -result;
  if (request.op == BlockOp::write && request.durable) {
    durable_write_ended(request, error);
  } else {
    finish(request, error);
  }
}

/// Did the write fail, or the sync of it, which is a failed flush? The kernel gives one number for
/// both. Only the first kind fails again without the sync.
void UringEngine::durable_write_ended(BlockRequest& request, int error) noexcept {
  if (request.status == kAsAsked && error != 0 && fails_without_sync(error)) {
    request.status = kWithoutSync;
    issue(request);
    return;
  }
  const bool sync_failed = request.status == kWithoutSync ? error == 0 : error != 0;
  if (sync_failed) {
    file_.sync_has_failed(error != 0 ? error : EIO);
    error = EIO;
  }
  finish(request, error);
}

void UringEngine::finish(BlockRequest& request, int error) noexcept {
  if (error != 0) {
    file_.call_has_failed(error);
  }
  request.status = status_of(error);
  done_.push(request);
  syncing_ = syncing_ && !syncs(request);
}

/// For what was finished without the kernel: start() must not report it.
void UringEngine::tell_later() noexcept {
  if (!done_.empty() && !reporting_) {
    announce();
  }
}

void UringEngine::announce() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event_.fd(), &one, sizeof one));
}

/// One at a time, since who is told may ask for more, or wait for all.
bool UringEngine::report_one() noexcept {
  if (BlockRequest* const request = done_.pop(); request != nullptr) {
    finished_.call(finished_.disk, *request);
    return true;
  }
  io_uring_cqe* entry = nullptr;
  if (::io_uring_peek_batch_cqe(ring_.get(), &entry, 1) == 0) {
    return false;
  }
  auto& request = *static_cast<BlockRequest*>(::io_uring_cqe_get_data(entry));
  const int result = entry->res;
  ::io_uring_cq_advance(ring_.get(), 1);
  answered(request, result);
  go_on();
  return true;
}

void UringEngine::on_event() noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(event_.fd(), &count, sizeof count));
  event_.await_readable();
  const bool outer = std::exchange(reporting_, true);
  unsigned budget = kReportsPerTurn;
  while (budget != 0 && report_one()) {
    --budget;
  }
  reporting_ = outer;
  if (budget == 0) {
    announce();  // there may be more
  }
}

void UringEngine::wait() noexcept {
  const bool outer = std::exchange(reporting_, true);
  while (!report_one()) {
    if (in_flight_ == 0) {
      pool_.wait();
      break;
    }
    const int result = ::io_uring_submit_and_wait(ring_.get(), 1);
    if (result < 0 && result != -EINTR) {
      nap(std::chrono::milliseconds{1});
    }
  }
  while (report_one()) {
  }
  reporting_ = outer;
}

}  // namespace dm::host
