// SPDX-License-Identifier: MIT
#include "platform/linux/whole_io.h"

#include "platform/linux/error_text.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace dm::host {

namespace {

using Clock = std::chrono::steady_clock;

/// False when `until` has passed. Errors are left to the call that follows.
bool wait_for(int fd, short events, Clock::time_point until) noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd look{.fd = fd, .events = events, .revents = 0};
    const int ready = ::poll(&look, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) {
      return ready != 0;
    }
  }
}

/// Moves all of `span` by `once`, which moves a piece as read(2) does.
template <class Byte, class Once>
Result<> move_whole(int fd,
                    short events,
                    std::span<Byte> span,
                    std::chrono::milliseconds patience,
                    const char* at_end,
                    const Once& once) {
  const Clock::time_point until = Clock::now() + patience;
  while (!span.empty()) {
    if (!wait_for(fd, events, until)) {
      return fail("the other end has kept us waiting for ", std::to_string(patience.count()),
                  " ms");
    }
    // A pipe that is ready takes so much without waiting (pipe(7)).
    const auto piece = span.first(std::min<std::size_t>(span.size(), PIPE_BUF));
    const ssize_t moved = once(fd, piece.data(), piece.size());
    if (moved < 0 && (errno == EINTR || (errno == EAGAIN && Clock::now() < until))) {
      continue;
    }
    if (moved <= 0) {
      return Error{moved == 0 ? at_end : error_text(errno)};
    }
    span = span.subspan(static_cast<std::size_t>(moved));
  }
  return {};
}

}  // namespace

Result<> read_whole(int fd, std::span<std::byte> to, std::chrono::milliseconds patience) {
  return move_whole(fd, POLLIN, to, patience, "it ends too early", ::read);
}

Result<> write_whole(int fd, std::span<const std::byte> from, std::chrono::milliseconds patience) {
  return move_whole(fd, POLLOUT, from, patience, "nothing can be written", ::write);
}

}  // namespace dm::host
