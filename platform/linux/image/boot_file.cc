// SPDX-License-Identifier: MIT
#include "platform/linux/image/boot_file.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>
#include <utility>

namespace dm::host {

Result<std::unique_ptr<HostBootFile>> HostBootFile::open(std::string_view what,
                                                         const std::string& path) {
  constexpr std::int64_t kMost = 0xffffffff;
  // Without O_NONBLOCK a named pipe would wait for its writer.
  UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  struct stat is {};
  if (!file || ::fstat(file.get(), &is) != 0) {
    return fail(what, " ", path, ": cannot open it: ", error_text(errno));
  }
  if (!S_ISREG(is.st_mode)) {
    return fail(what, " ", path, ": it is no regular file");
  }
  if (is.st_size > kMost) {
    return fail(what, " ", path, ": it has 4 GiB or more");
  }
  static_cast<void>(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_WILLNEED));
  return std::unique_ptr<HostBootFile>{
      new HostBootFile{std::move(file), static_cast<std::uint64_t>(is.st_size), path}};
}

bool HostBootFile::read(std::uint64_t offset, std::span<std::byte> to) noexcept {
  while (!to.empty()) {
    const iovec piece{.iov_base = to.data(), .iov_len = to.size()};
    // The call that a confined process has for files.
    const ssize_t got = ::preadv2(file_.get(), &piece, 1, static_cast<off_t>(offset), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      if (!std::exchange(told_, true)) {
        log::error("the guest cannot read all of ", std::string_view{path_}, ": ",
                   got == 0 ? std::string_view{"it has become shorter"} : error_text(errno));
      }
      return false;
    }
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace dm::host
