// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_client.h"

#include "core/obs/log.h"
#include "platform/toolstack/qmp/qmp_listener.h"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace dm::toolstack {

namespace asio = boost::asio;

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

QmpClient::QmpClient(asio::io_context& io,
                     QmpServer::Listener& owner,
                     const QmpCommands& commands,
                     const QmpLimits& limits)
    : socket_{io}, write_timer_{io}, owner_{&owner}, limits_{limits}, session_{commands, [this] {
                                                                                 on_answer();
                                                                               }} {}

template <class Step>
void QmpClient::guarded(Step step) noexcept {
  if (owner_ == nullptr) {
    return;
  }
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
    boost::system::error_code error;
    socket_.assign(connection.get(), error);
    if (error) {
      drop("the loop cannot watch it");
      return;
    }
    (void)connection.release();
    out_ = QmpSession::greeting();
    flush();
    wait_readable();
  });
}

void QmpClient::abandon() noexcept {
  owner_ = nullptr;
  // Now, not when the last wait under way lets this object go: what it stands on may be gone then.
  session_.descriptors().set_companion(nullptr);
  boost::system::error_code ignored;
  socket_.close(ignored);
  try {
    write_timer_.cancel();
  } catch (const std::exception&) {
    // It fires once more and finds nobody.
  }
}

void QmpClient::close() noexcept {
  if (QmpServer::Listener* const owner = std::exchange(owner_, nullptr)) {
    abandon();
    owner->remove(*this);
  }
}

void QmpClient::wait_readable() {
  if (owner_ == nullptr || input_ended_ || session_.waiting()) {
    return;
  }
  socket_.async_wait(asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->guarded([&] { error ? self->close() : self->on_readable(); });
                     });
}

void QmpClient::on_readable() {
  receive();
  if (owner_ == nullptr) {
    return;
  }
  flush();
  if (input_ended_ && out_.empty()) {
    close();
  }
  wait_readable();
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
  const ssize_t got = ::recvmsg(socket_.native_handle(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
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

/// A command that took its time has its answer. Later, since whoever brings it may be in the middle
/// of something.
void QmpClient::on_answer() noexcept {
  const auto self = shared_from_this();
  guarded([&] {
    asio::post(socket_.get_executor(), [self] {
      self->guarded([&] {
        self->take(self->session_.resume(self->out_, self->limits_.max_output));
        if (self->owner_ != nullptr) {
          self->flush();
          self->wait_readable();
        }
      });
    });
  });
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
    const ssize_t put = ::send(socket_.native_handle(), out_.data() + sent, out_.size() - sent,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
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
  if (sent != 0 || !waiting_writable_) {
    arm_write_timer();
  }
  wait_writable();
}

void QmpClient::wait_writable() {
  if (std::exchange(waiting_writable_, true)) {
    return;
  }
  socket_.async_wait(asio::posix::descriptor_base::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->guarded([&] {
                         self->waiting_writable_ = false;
                         if (error) {
                           self->close();
                           return;
                         }
                         self->flush();
                         if (self->input_ended_ && self->out_.empty()) {
                           self->close();
                         }
                       });
                     });
}

void QmpClient::arm_write_timer() {
  write_timer_.expires_after(limits_.write_timeout);
  write_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) {
      self->guarded([&] { self->drop("it does not read its answers"); });
    }
  });
}

}  // namespace dm::toolstack
