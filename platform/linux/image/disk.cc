// SPDX-License-Identifier: MIT
#include "platform/linux/image/disk.h"

#include "platform/linux/disk/direct_disk.h"
#include "platform/linux/disk/file_disk.h"
#include "platform/linux/disk/ragged_disk.h"
#include "platform/linux/error_text.h"
#include "platform/linux/loop/signals.h"
#include "platform/linux/nap.h"
#include "platform/linux/nbd/nbd_open.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>

namespace dm::host {

namespace {

/// For an NBD server while the guest runs, which stands still meanwhile.
constexpr std::chrono::seconds kInsertPatience{1};
/// For the lock of a process that has just been killed: 20 to 30 ms on an idle host.
constexpr unsigned kLocksTried = 21;
constexpr std::chrono::milliseconds kLockRetry{5};

struct Image {
  UniqueFd fd;
  bool block_device = false;
  dev_t device = 0;  ///< of a block device
  bool direct = false;
  std::uint32_t sector = kDiskSector;
  BlockInfo info;  ///< `size` is the image's own here
};

[[nodiscard]] Error disk_error(const std::string& path, std::string_view what, int error) {
  return fail("disk ", path, ": ", what, ": ", error_text(error));
}

[[nodiscard]] Result<void> find_size(const std::string& path, Image& image) {
  struct stat status {};
  if (::fstat(image.fd.get(), &status) != 0) {
    return disk_error(path, "cannot look at it", errno);
  }
  image.block_device = S_ISBLK(status.st_mode);
  if (!image.block_device && !S_ISREG(status.st_mode)) {
    return fail("disk ", path, ": neither a regular file nor a block device");
  }
  auto size = static_cast<std::uint64_t>(status.st_size);
  if (image.block_device) {
    image.device = status.st_rdev;
    unsigned physical = 0;
    if (::ioctl(image.fd.get(), BLKGETSIZE64, &size) != 0) {
      return disk_error(path, "cannot find its size", errno);
    }
    if (::ioctl(image.fd.get(), BLKPBSZGET, &physical) == 0 && physical >= 512) {
      image.info.physical_block = physical;
    }
  }
  image.info.size = size;
  if (image.info.size == 0) {
    return fail("disk ", path, ": it is empty");
  }
  return {};
}

/// dm_restrict=1 limits regular files to 256 KiB: better said now than by the guest's first write
/// beyond.
[[nodiscard]] Result<void> check_file_limit(const std::string& path, const Image& image) {
  rlimit limit{};
  if (image.block_device || image.info.read_only || ::getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
      limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= image.info.size) {
    return {};
  }
  return fail("disk ", path, ": this process may write only the first ",
              std::to_string(limit.rlim_cur),
              " bytes of a file (RLIMIT_FSIZE, which dm_restrict=1 sets); use a block device, for "
              "example a loop device or LVM volume, or dm_restrict=0");
}

[[nodiscard]] bool can_discard(const Image& image) {
  if (image.info.read_only) {
    return false;
  }
  if (!image.block_device) {
    // Behind the end there is nothing to lose, and the answer is the same.
    static constexpr std::uint64_t kPage = 4096;
    const std::uint64_t behind = (image.info.size + 2 * kPage) & ~(kPage - 1);
    return ::fallocate(image.fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                       static_cast<off_t>(behind), kPage) == 0;
  }
  // A partition has its queue in its disk's directory.
  const std::string device = "/sys/dev/block/" + std::to_string(major(image.device)) + ":" +
                             std::to_string(minor(image.device));
  for (const char* const queue : {"/queue/", "/../queue/"}) {
    const UniqueFd limit{
        ::open((device + queue + "discard_max_bytes").c_str(), O_RDONLY | O_CLOEXEC)};
    std::array<char, 24> text{};
    if (limit && ::read(limit.get(), text.data(), text.size() - 1) > 0) {
      return std::strtoull(text.data(), nullptr, 10) != 0;
    }
  }
  return false;
}

/// One byte far behind any image, locked for as long as we have it open. Only stubdm looks at it.
/// Looks again before it says no: of a process that was killed the kernel lets the image go a
/// moment later, when it takes the rings apart.
[[nodiscard]] bool lock_for_writing(int fd) noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0x7374'7562'646d'0000;  // "stubdm"
  lock.l_len = 1;
  for (unsigned looks = kLocksTried;;) {
    if (::fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES)) {
      return true;
    }
    if (--looks == 0) {
      return false;
    }
    nap(kLockRetry);
  }
}

/// Warns, no more. A lock that others respect would keep out the guest's PV backend, the receiving
/// side of a migration on the same host, and a replacement of this very process; and blkback and
/// loop devices respect none.
void warn_if_shared(const std::string& path, const Image& image) {
  if (image.info.read_only) {
    return;
  }
  if (image.block_device) {
    // The kernel's own claim: held by mounts, RAID, device mapper and swap, not by blkback or
    // another device model.
    const UniqueFd claim{::open(path.c_str(), O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC)};
    if (!claim && errno == EBUSY) {
      log::warning(
          "disk ", path,
          ": the host itself uses it (mounted, or part of a volume): data will be damaged");
    }
    return;
  }
  if (!lock_for_writing(image.fd.get())) {
    log::warning("disk ", path,
                 ": another stubdm has it open for writing; that is right only during a migration "
                 "or a replacement");
  }
}

/// In what units may it be read and written past the page cache? A block device says so; of a file
/// 512 is tried, and else the unit of all devices that have larger ones.
[[nodiscard]] Result<std::uint32_t> direct_block(const std::string& path, const Image& image) {
  int block = 512;
  alignas(DirectDisk::kMaxBlock) std::array<std::byte, 512> sector;
  if (image.block_device) {
    if (::ioctl(image.fd.get(), BLKSSZGET, &block) != 0) {
      return disk_error(path, "cannot find its block size", errno);
    }
  } else if (::pread(image.fd.get(), sector.data(), sector.size(), 0) < 0) {
    block = static_cast<int>(DirectDisk::kMaxBlock);
  }
  const auto found = static_cast<std::uint32_t>(block);
  if (found < 512 || found > DirectDisk::kMaxBlock) {
    return fail("disk ", path, ": it has blocks of ", std::to_string(found),
                " bytes, which cache=none cannot use; use cache=writeback");
  }
  return found;
}

/// Past the page cache only whole blocks can be written, which would make a longer image of one
/// that ends within a block. So its last page, which no block before it shares, goes through the
/// page cache. Nullptr: there is no such end.
[[nodiscard]] Result<std::unique_ptr<FileDisk>> open_tail(Loop& loop,
                                                          const std::string& path,
                                                          const Image& image,
                                                          std::uint32_t block) {
  if (image.info.size % block == 0) {
    return std::unique_ptr<FileDisk>{};
  }
  const std::string same = "/proc/self/fd/" + std::to_string(image.fd.get());
  UniqueFd fd{::open(same.c_str(), (image.info.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC)};
  if (!fd) {
    return disk_error(path, "cannot open it once more, for its end", errno);
  }
  auto tail = std::make_unique<FileDisk>(loop, std::move(fd), image.block_device, image.info, path);
  if (!tail->engine_ok()) {
    return fail("disk ", path, ": no descriptor left for its requests (raise RLIMIT_NOFILE)");
  }
  return tail;
}

[[nodiscard]] Result<std::unique_ptr<BlockBackend>> serve_direct(Loop& loop,
                                                                 const std::string& path,
                                                                 Image image) {
  const auto block = direct_block(path, image);
  if (!block) {
    return block.error();
  }
  auto tail = open_tail(loop, path, image, *block);
  if (!tail) {
    return tail.error();
  }
  const std::uint64_t size = image.info.size;
  if (*tail != nullptr) {
    image.info.size &= ~std::uint64_t{DirectDisk::kMaxBlock - 1};
  }
  auto file = std::make_unique<FileDisk>(loop, std::move(image.fd), image.block_device, image.info,
                                         path, FileDisk::Inline::no);
  if (!file->engine_ok()) {
    return fail("disk ", path, ": no descriptor left for its requests (raise RLIMIT_NOFILE)");
  }
  log::info("disk ", path, ": ", size, " bytes, ", image.block_device ? "block device" : "file",
            image.info.read_only ? ", read-only" : "", "; O_DIRECT in blocks of ", *block,
            " through ", DirectDisk::kBuffers, " buffers of ", DirectDisk::kBufferBytes,
            " bytes, by ", file->engine());
  auto body = std::make_unique<DirectDisk>(loop, std::move(file), *block);
  return in_whole_sectors(loop, {std::move(body), std::move(*tail)}, size, image.sector);
}

/// What an open image needs to become a backend.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> serve(Loop& loop,
                                                          const std::string& path,
                                                          Image image) {
  if (const auto sized = find_size(path, image); !sized) {
    return sized.error();
  }
  if (const auto allowed = check_file_limit(path, image); !allowed) {
    return allowed.error();
  }
  image.info.can_discard = can_discard(image);
  warn_if_shared(path, image);
  if (image.direct) {
    return serve_direct(loop, path, std::move(image));
  }
  auto disk =
      std::make_unique<FileDisk>(loop, std::move(image.fd), image.block_device, image.info, path);
  if (!disk->engine_ok()) {
    return fail("disk ", path, ": no descriptor left for its requests (raise RLIMIT_NOFILE)");
  }
  log::info("disk ", path, ": ", image.info.size, " bytes, ",
            image.block_device ? "block device" : "file", image.info.read_only ? ", read-only" : "",
            "; page cache, what would block goes to ", disk->engine());
  return in_whole_sectors(loop, {std::move(disk), nullptr}, image.info.size, image.sector);
}

}  // namespace

Result<std::unique_ptr<BlockBackend>> open_disc(Loop& loop,
                                                const std::string& name,
                                                UniqueFd fd,
                                                ImageFormat format) {
  if (!fd || !is_raw(format)) {
    DiskConfig config;
    config.path = name;
    config.cdrom = config.read_only = true;
    config.format = format;
    if (!fd && is_nbd(name)) {
      return open_nbd(loop, config, {}, kInsertPatience);
    }
    return fd ? open_nbd(loop, config, std::move(fd)) : open_disk(loop, config);
  }
  ignore_write_signals();
  Image image;
  image.info.read_only = true;
  image.sector = kDiscSector;
  image.fd = std::move(fd);
  std::array<char, 512> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(image.fd.get());
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  const bool is_path = length > 0 && target[0] == '/';
  return serve(loop, is_path ? std::string{target.data(), static_cast<std::size_t>(length)} : name,
               std::move(image));
}

Result<std::unique_ptr<BlockBackend>> open_disk(Loop& loop, const DiskConfig& config) {
  if (!is_raw(config.format) || is_nbd(config.path)) {
    return open_nbd(loop, config);
  }
  ignore_write_signals();
  const std::string& path = config.path;
  Image image;
  image.info.read_only = config.read_only || config.cdrom;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return disk_error(path, "cannot find it", errno);
  }
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {  // opening a FIFO would wait
    return fail("disk ", path, ": neither a regular file nor a block device");
  }
  image.direct = config.direct;
  image.sector = config.cdrom ? kDiscSector : kDiskSector;
  image.fd = UniqueFd{::open(path.c_str(), (image.info.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC |
                                               O_NOCTTY | (image.direct ? O_DIRECT : 0))};
  if (!image.fd && image.direct && errno == EINVAL) {
    return fail("disk ", path,
                ": this file system cannot leave its page cache out; use "
                "cache=writeback");
  }
  if (!image.fd) {
    return disk_error(path, image.info.read_only ? "cannot open it" : "cannot open it for writing",
                      errno);
  }
  return serve(loop, path, std::move(image));
}

}  // namespace dm::host
