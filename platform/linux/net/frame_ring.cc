// SPDX-License-Identifier: MIT
#include "platform/linux/net/frame_ring.h"

#include <array>
#include <cerrno>
#include <cstdint>

namespace dm::host {

namespace {

constexpr int kFixedFile = 0;
/// A signal may end the wait for what the kernel has finished already, but not for ever.
constexpr unsigned kMostWaits = 64;

}  // namespace

std::unique_ptr<FrameRing> FrameRing::make(int fd) {
  std::unique_ptr<FrameRing> ring{new FrameRing};
  if (!ring->set_up(fd)) {
    ring.reset();
  }
  return ring;
}

/// The kernel lets go of a ring's descriptors some time after the ring has gone, and a tap cannot
/// be opened twice. So the descriptor is taken out first.
FrameRing::~FrameRing() {
  if (has_file_) {
    static_cast<void>(::io_uring_unregister_files(&ring_));
  }
  if (has_ring_) {
    ::io_uring_queue_exit(&ring_);
  }
}

bool FrameRing::set_up(int fd) noexcept {
  io_uring_params parameters{};
  // Frames of a row are issued when we wait for them, by this thread (Linux 6.1).
  parameters.flags =
      IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  if (::io_uring_queue_init_params(kFrames, &ring_, &parameters) < 0) {
    return false;
  }
  has_ring_ = true;
  constexpr unsigned kNeeded = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE;
  has_file_ = ::io_uring_register_files(&ring_, &fd, 1) >= 0;
  if ((parameters.features & kNeeded) != kNeeded || !has_file_) {
    return false;
  }
  std::array<io_uring_restriction, 4> rules{};
  rules[0].opcode = IORING_RESTRICTION_SQE_OP;
  rules[0].sqe_op = IORING_OP_WRITEV;
  rules[1].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
  rules[1].sqe_flags = IOSQE_FIXED_FILE;
  rules[2].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  rules[2].sqe_flags = IOSQE_FIXED_FILE | IOSQE_IO_LINK;
  rules[3].opcode = IORING_RESTRICTION_REGISTER_OP;
  rules[3].register_op = IORING_UNREGISTER_FILES;
  return ::io_uring_register_restrictions(&ring_, rules.data(), rules.size()) >= 0 &&
         ::io_uring_enable_rings(&ring_) >= 0;
}

/// Submits, and waits until all that was submitted has ended. How many the kernel took: fewer when
/// it has no memory.
std::size_t FrameRing::hand_in(std::span<const std::span<iovec>> frames) noexcept {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);  // all are free: see below
    ::io_uring_prep_writev2(entry, kFixedFile, frames[i].data(),
                            static_cast<unsigned>(frames[i].size()), 0, RWF_NOWAIT);
    ::io_uring_sqe_set_flags(entry,
                             IOSQE_FIXED_FILE | (i + 1 < frames.size() ? IOSQE_IO_LINK : 0U));
    entry->user_data = i;
  }
  static_cast<void>(::io_uring_submit_and_wait(&ring_, static_cast<unsigned>(frames.size())));
  const std::size_t left = ::io_uring_sq_ready(&ring_);
  if (left != 0) {
    // Out of the queue again. The kernel looks there inside the call alone.
    ring_.sq.sqe_head = ring_.sq.sqe_tail = *ring_.sq.khead;
    *ring_.sq.ktail = ring_.sq.sqe_tail;
  }
  return frames.size() - left;
}

FrameRing::Written FrameRing::write(std::span<const std::span<iovec>> frames) noexcept {
  const std::size_t taken = hand_in(frames);
  std::array<int, kFrames> results{};
  unsigned waits = 0;
  for (std::size_t ended = 0; ended < taken && waits < kMostWaits;) {
    io_uring_cqe* entry = nullptr;
    if (::io_uring_peek_cqe(&ring_, &entry) != 0) {
      ++waits;
      static_cast<void>(::io_uring_wait_cqe(&ring_, &entry));
      continue;
    }
    results[entry->user_data % kFrames] = entry->res;
    ::io_uring_cqe_seen(&ring_, entry);
    ++ended;
  }
  Written done{.error = taken < frames.size() ? EAGAIN : 0};
  for (std::size_t i = 0; i < taken; ++i) {
    if (results[i] <= 0) {
      done.error = results[i] == 0 ? EIO : -results[i];
      break;
    }
    done.bytes += static_cast<std::size_t>(results[i]);
    ++done.frames;
  }
  return done;
}

}  // namespace dm::host
