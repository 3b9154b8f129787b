// SPDX-License-Identifier: MIT
#include "platform/linux/error_text.h"
#include "platform/toolstack/saved_guest/saved_guest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dm::toolstack {

Result<SavedFile> SavedFile::open(const std::string& path) {
  // A pipe without a writer must not hold us up.
  host::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0) {
    return fail(path, ": ", host::error_text(errno));
  }
  if (!S_ISREG(about.st_mode)) {
    return fail(path, " is no regular file: write what it gives into one first");
  }
  return SavedFile{std::move(fd), static_cast<std::uint64_t>(about.st_size)};
}

SavedFile::SavedFile(host::UniqueFd fd, std::uint64_t size) noexcept
    : fd_{std::move(fd)}, size_{size} {}

bool SavedFile::read(std::uint64_t offset, std::span<std::byte> to) const noexcept {
  if (offset > size_ || to.size() > size_ - offset) {
    return false;
  }
  while (!to.empty()) {
    const ssize_t got = ::pread(fd_.get(), to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    to = to.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace dm::toolstack
