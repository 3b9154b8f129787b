// SPDX-License-Identifier: MIT
#include "platform/supervisor/link.h"

#include "platform/linux/error_text.h"
#include "platform/linux/passed_descriptor.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

namespace dm::supervisor {

namespace {
/// The supervisor has nothing to wait for, so it answers in microseconds.
constexpr int kAnswerMilliseconds = 2000;
}  // namespace

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

int Link::ask(const Message& question, host::UniqueFd& to) noexcept {
  if (unanswered_ || !line_) {
    return EPIPE;
  }
  if (const int error = say(question); error != 0) {
    return error;
  }
  // Until it answers, nothing else may be asked.
  unanswered_ = true;
  pollfd look{.fd = line_.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&look, 1, kAnswerMilliseconds);
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0 || (look.revents & POLLIN) == 0) {
    return EPIPE;
  }
  std::array<std::byte, kMessageBytes + 1> bytes{};
  const ssize_t got = host::receive_with_descriptor(line_.get(), bytes, to);
  const auto answer = got < 0
                          ? std::nullopt
                          : parse_supervisor(std::span{bytes}.first(static_cast<std::size_t>(got)));
  unanswered_ = !answer;
  return answer.value_or(EPROTO);
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
