// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_client.h"

#include "core/obs/log.h"
#include "platform/linux/loop/loop.h"
#include "platform/toolstack/qmp/qmp_listener.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace dm::toolstack {

namespace {

/// Read at once, and so the bound of one step's work: the loop looks at the guest between any two.
constexpr std::size_t kReadSize = 4096;
/// Descriptors taken from one message; the kernel drops what does not fit.
constexpr std::size_t kFdsPerMessage = 4;

/// Takes every descriptor out of a received message, so that none is left open without an owner.
void collect_descriptors(const msghdr& message, QmpDescriptors& to) noexcept {
  msghdr copy = message;  // the macros want it writable
  for (cmsghdr* part = CMSG_FIRSTHDR(&copy); part != nullptr; part = CMSG_NXTHDR(&copy, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const std::size_t bytes = part->cmsg_len - CMSG_LEN(0);
    for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
      to.put(host::UniqueFd{fd});
    }
  }
}

}  // namespace

QmpClient::QmpClient(host::Loop& loop,
                     QmpServer::Listener& owner,
                     const QmpCommands& commands,
                     const QmpLimits& limits)
    : loop_{loop},
      write_timer_{loop, host::Callback::bind<&QmpClient::on_write_timeout>(*this)},
      answered_{Work::bind<&QmpClient::go_on>(loop.turn_queue(), *this)},
      owner_{&owner},
      limits_{limits},
      session_{commands, [this] { answered_.schedule(); }} {}

/// What comes from the loop: this object outlives the step, and a failure ends the client alone.
template <class Step>
void QmpClient::guarded(Step step) noexcept {
  if (owner_ == nullptr) {
    return;
  }
  const auto self = shared_from_this();
  try {
    step();
  } catch (const std::exception& failure) {
    drop(failure.what());
  }
}

void QmpClient::drop(std::string_view why) noexcept {
  if (owner_ != nullptr) {
    static log::Limit limit;
    limit.warning("QMP: a client of ", std::string_view{owner_->name()}, " is dropped: ", why);
    close();
  }
}

void QmpClient::start(host::UniqueFd connection) noexcept {
  guarded([&] {
    socket_ = host::Watch{loop_, std::move(connection),
                          host::Callback::bind<&QmpClient::on_readable>(*this),
                          host::Callback::bind<&QmpClient::on_writable>(*this)};
    if (!socket_.ok()) {
      drop("the loop cannot watch it");
      return;
    }
    out_ = QmpSession::greeting();
    flush();
    wait_readable();
  });
}

void QmpClient::abandon() noexcept {
  owner_ = nullptr;
  // Now, not when the call under way lets this object go: what it stands on may be gone then.
  session_.descriptors().set_companion(nullptr);
  answered_.cancel();
  socket_ = host::Watch{};
  write_timer_.cancel();
}

void QmpClient::close() noexcept {
  if (QmpServer::Listener* const owner = std::exchange(owner_, nullptr)) {
    abandon();
    owner->remove(*this);
  }
}

void QmpClient::wait_readable() noexcept {
  if (owner_ != nullptr && !input_ended_ && !session_.waiting()) {
    socket_.await_readable();
  }
}

void QmpClient::on_readable() noexcept {
  guarded([this] {
    receive();
    if (owner_ == nullptr) {
      return;
    }
    flush();
    if (input_ended_ && out_.empty()) {
      close();
    }
    wait_readable();
  });
}

void QmpClient::on_writable() noexcept {
  guarded([this] {
    flush();
    if (input_ended_ && out_.empty()) {
      close();
    }
  });
}

void QmpClient::receive() {
  std::array<char, kReadSize> buffer{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kFdsPerMessage)> control{};
  iovec data{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket_.fd(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      close();
    }
    return;
  }
  collect_descriptors(message, session_.descriptors());
  if (got == 0) {
    input_ended_ = true;  // it may still read: what it asked for before is sent first
    return;
  }
  const std::string_view bytes{buffer.data(), static_cast<std::size_t>(got)};
  take(session_.feed(bytes, out_, limits_.max_output));
}

bool QmpClient::go_on() noexcept {
  guarded([this] {
    take(session_.resume(out_, limits_.max_output));
    if (owner_ != nullptr) {
      flush();
      wait_readable();
    }
  });
  return false;
}

void QmpClient::take(QmpSession::Next next) {
  if (next == QmpSession::Next::drop) {
    flush();  // the reason, if there is room for it
    drop("it broke the protocol's rules, or does not read its answers");
  }
}

void QmpClient::flush() {
  std::size_t sent = 0;
  while (sent < out_.size()) {
    const ssize_t put =
        ::send(socket_.fd(), out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put >= 0) {
      sent += static_cast<std::size_t>(put);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      close();
      return;
    }
  }
  if (sent == out_.size()) {
    std::string{}.swap(out_);  // an idle client holds no memory
    write_timer_.cancel();
    return;
  }
  out_.erase(0, sent);
  // Its patience begins anew with every byte that is taken.
  if ((sent != 0 || !write_timer_.armed()) && !write_timer_.arm(limits_.write_timeout)) {
    drop("there is no descriptor left to time it");
    return;
  }
  socket_.await_writable();
}

void QmpClient::on_write_timeout() noexcept {
  guarded([this] { drop("it does not read its answers"); });
}

}  // namespace dm::toolstack
