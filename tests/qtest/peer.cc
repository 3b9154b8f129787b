// SPDX-License-Identifier: MIT
#include "tests/qtest/peer.h"

#include "platform/linux/error_text.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace dm::qtest {

Result<host::UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail("socket ", path, ": the name is longer than 107 bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  host::UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail("socket ", path, ": ", host::error_text(errno),
                "; the test program has to listen there");
  }
  return socket;
}

Result<std::unique_ptr<Peer>> Peer::connect(host::Loop& loop, const std::string& path) {
  auto socket = connect_to(path);
  if (!socket) {
    return socket.error();
  }
  return std::make_unique<Peer>(loop, std::move(*socket));
}

Peer::Peer(host::Loop& loop, host::UniqueFd socket)
    : socket_{loop, std::move(socket), host::Callback::bind<&Peer::on_readable>(*this),
              host::Callback::bind<&Peer::on_writable>(*this)} {
  socket_.await_readable();
}

void Peer::on_readable() noexcept {
  if (closing_) {
    return;
  }
  std::array<char, 65536> bytes;
  const auto got = ::recv(socket_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) {
    socket_.await_readable();
    received({bytes.data(), static_cast<std::size_t>(got)});
  } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    socket_.await_readable();
  } else {
    closed();
  }
}

void Peer::on_writable() noexcept {
  flush();
}

void Peer::send(std::string_view bytes) noexcept {
  waiting_.append(bytes);
  flush();
}

void Peer::flush() noexcept {
  while (!waiting_.empty()) {
    const auto sent =
        ::send(socket_.fd(), waiting_.data(), waiting_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      waiting_.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      socket_.await_writable();
      return;
    } else if (errno != EINTR) {
      waiting_.clear();  // nobody reads it any more: on_readable() finds out
    }
  }
  if (closing_) {
    ::shutdown(socket_.fd(), SHUT_RDWR);
  }
}

void Peer::close() noexcept {
  closing_ = true;
  flush();
}

}  // namespace dm::qtest
