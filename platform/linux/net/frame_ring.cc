// SPDX-License-Identifier: MIT
#include "platform/linux/net/frame_ring.h"

#include <array>
#include <cerrno>
#include <cstdint>

namespace dm::host {

namespace {

/// A signal may end the wait for what the kernel has finished already, but not for ever.
constexpr unsigned kMostWaits = 64;

}  // namespace

std::unique_ptr<FrameRing> FrameRing::make(int fd) {
  // Frames of a row are issued when we wait for them, by this thread (Linux 6.1).
  constexpr unsigned kFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  constexpr std::array<std::uint8_t, 1> kOperations{IORING_OP_WRITEV};
  std::unique_ptr<FrameRing> frames{new FrameRing};
  if (frames->ring_.open(kFrames, kFlags, fd) != 0 ||
      frames->ring_.restrict_to(kOperations, IOSQE_IO_LINK) != 0) {
    frames.reset();
  }
  return frames;
}

/// Submits, and waits until all that was submitted has ended. How many the kernel took: fewer when
/// it has no memory.
std::size_t FrameRing::hand_in(std::span<const std::span<iovec>> frames) noexcept {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(ring_.get());  // all are free: see below
    ::io_uring_prep_writev2(entry, FileRing::kFile, frames[i].data(),
                            static_cast<unsigned>(frames[i].size()), 0, RWF_NOWAIT);
    ::io_uring_sqe_set_flags(entry,
                             IOSQE_FIXED_FILE | (i + 1 < frames.size() ? IOSQE_IO_LINK : 0U));
    entry->user_data = i;
  }
  static_cast<void>(::io_uring_submit_and_wait(ring_.get(), static_cast<unsigned>(frames.size())));
  return frames.size() - ring_.take_back();
}

FrameRing::Written FrameRing::write(std::span<const std::span<iovec>> frames) noexcept {
  const std::size_t taken = hand_in(frames);
  std::array<int, kFrames> results{};
  unsigned waits = 0;
  for (std::size_t ended = 0; ended < taken && waits < kMostWaits;) {
    io_uring_cqe* entry = nullptr;
    if (::io_uring_peek_cqe(ring_.get(), &entry) != 0) {
      ++waits;
      static_cast<void>(::io_uring_wait_cqe(ring_.get(), &entry));
      continue;
    }
    results[entry->user_data % kFrames] = entry->res;
    ::io_uring_cqe_seen(ring_.get(), entry);
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
