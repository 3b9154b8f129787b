// SPDX-License-Identifier: MIT
#include "platform/supervisor/link.h"

#include "platform/linux/error_text.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace dm::supervisor {

Result<> Link::serve(std::uint16_t server) noexcept {
  if (const int error = say({.kind = Kind::serving, .value = server}); error != 0) {
    return fail("the supervisor cannot be told of the ioreq server: ", host::error_text(error));
  }
  return {};
}

void Link::leave() noexcept {
  if (line_ && !std::exchange(left_, true)) {
    // A supervisor that is gone needs no word.
    static_cast<void>(say({.kind = Kind::leaving}));
  }
}

int Link::say(const Message& message) noexcept {
  const MessageBytes bytes = encode(message);
  ssize_t sent = 0;
  do {
    sent = ::send(line_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

Link::Heard Link::hear() noexcept {
  // Asked of poll(2), since an empty message reads like an end.
  pollfd look{.fd = line_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&look, 1, 0) <= 0) {
    return Heard::nothing;
  }
  if ((look.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
    return Heard::gone;
  }
  // One is dropped whole, however long it is, and with it the descriptors that it may carry.
  std::byte first{};
  static_cast<void>(::recv(line_.get(), &first, sizeof first, MSG_DONTWAIT));
  return Heard::nonsense;
}

}  // namespace dm::supervisor
