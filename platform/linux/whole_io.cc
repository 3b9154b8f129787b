// SPDX-License-Identifier: MIT
#include "platform/linux/whole_io.h"

#include "platform/linux/error_text.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace dm::host {

Result<> read_whole(int fd, std::span<std::byte> to, std::chrono::milliseconds patience) {
  while (!to.empty()) {
    ::pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&readable, 1, static_cast<int>(patience.count()));
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    if (ready == 0) {
      return fail("nothing comes for ", std::to_string(patience.count()), " ms");
    }
    const ssize_t got = ::read(fd, to.data(), to.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return Error{got == 0 ? "it ends too early" : error_text(errno)};
    }
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<> write_whole(int fd, std::span<const std::byte> from) {
  while (!from.empty()) {
    const ssize_t put = ::write(fd, from.data(), from.size());
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      return Error{put == 0 ? "nothing can be written" : error_text(errno)};
    }
    from = from.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace dm::host
