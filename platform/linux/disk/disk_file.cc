// SPDX-License-Identifier: MIT
#include "platform/linux/disk/disk_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace dm::host {

int fill(std::span<const std::span<std::byte>> data,
         std::uint64_t from,
         std::uint64_t until,
         Vectors& vectors) noexcept {
  std::size_t count = 0;
  std::uint64_t skip = from;
  std::uint64_t left = until - from;
  for (const std::span<std::byte> piece : data) {
    if (skip >= piece.size()) {
      skip -= piece.size();
      continue;
    }
    if (count == vectors.size() || left == 0) {
      break;
    }
    const auto rest = piece.subspan(skip);
    const std::size_t length = std::min<std::uint64_t>(rest.size(), left);
    vectors[count++] = {rest.data(), length};
    left -= length;
    skip = 0;
  }
  return static_cast<int>(count);
}

BlockStatus status_of(int error) noexcept {
  switch (error) {
    case 0:
      return BlockStatus::ok;
    case ENOSPC:
    case EDQUOT:
      return BlockStatus::no_space;
    default:  // EFBIG too: a limit of the process does not go away by waiting
      return BlockStatus::io_error;
  }
}

bool fails_without_sync(int error) noexcept {
  return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

bool discard_is_ignored(int error) noexcept {
  return error == EOPNOTSUPP || error == EINVAL || error == ENOSYS;
}

int DiskFile::move(BlockRequest& request, std::uint64_t until, int flags) noexcept {
  Vectors vectors;
  while (request.done_bytes < until) {
    const int count = fill(request.data, request.done_bytes, until, vectors);
    const auto at = static_cast<off_t>(request.offset + request.done_bytes);
    const ssize_t moved = request.op == BlockOp::read
                              ? ::preadv2(fd_.get(), vectors.data(), count, at, flags)
                              : ::pwritev2(fd_.get(), vectors.data(), count, at, flags);
    if (moved < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    if (moved == 0) {
      return EIO;  // somebody has made the image shorter than it was
    }
    request.done_bytes += static_cast<std::uint64_t>(moved);
  }
  return 0;
}

int DiskFile::transfer(BlockRequest& request, std::uint64_t limit, Wait wait) noexcept {
  const std::uint64_t left = request.length - request.done_bytes;
  const int error = move(request, request.done_bytes + std::min(left, limit),
                         wait == Wait::never ? RWF_NOWAIT : 0);
  if (wait == Wait::never && error == EINVAL) {
    return EOPNOTSUPP;  // what buffered writes get where only direct ones can be tried
  }
  if (error != 0 && wait == Wait::allowed) {
    last_error_ = error;
  }
  return error;
}

int DiskFile::write_durably(BlockRequest& request) noexcept {
  const std::lock_guard lock{sync_mutex_};
  int error = move(request, request.length, RWF_DSYNC);
  if (error == 0) {
    return 0;
  }
  // Did the write fail, or the sync of it, which is a failed flush? The kernel gives one number for
  // both. Only the first kind fails again without the sync.
  if (fails_without_sync(error)) {
    error = move(request, request.length, 0);
    if (error != 0) {
      return error;
    }
  }
  sync_failed_ = true;
  return EIO;
}

int DiskFile::sync() noexcept {
  const std::lock_guard lock{sync_mutex_};
  if (sync_failed_) {
    return EIO;
  }
  while (::fdatasync(fd_.get()) != 0) {
    if (errno != EINTR) {
      last_error_ = errno;
      sync_failed_ = true;
      return EIO;
    }
  }
  return 0;
}

int DiskFile::discard(const BlockRequest& request) noexcept {
  int result = 0;
  if (block_device_) {
    std::array<std::uint64_t, 2> range{request.offset, request.length};
    result = ::ioctl(fd_.get(), BLKDISCARD, range.data());
  } else {
    result = ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         static_cast<off_t>(request.offset), static_cast<off_t>(request.length));
  }
  return result == 0 || discard_is_ignored(errno) ? 0 : errno;
}

void DiskFile::carry_out(BlockRequest& request) noexcept {
  int error = 0;
  switch (request.op) {
    case BlockOp::read:
      error = move(request, request.length, 0);
      break;
    case BlockOp::write:
      error = request.durable ? write_durably(request) : move(request, request.length, 0);
      break;
    case BlockOp::flush:
      error = sync();
      break;
    case BlockOp::discard:
      error = request.length == 0 ? 0 : discard(request);
      break;
  }
  if (error != 0) {
    last_error_ = error;
  }
  request.status = status_of(error);
}

}  // namespace dm::host
