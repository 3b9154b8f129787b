// SPDX-License-Identifier: MIT
#include "tests/qtest/test_line.h"

#include "tests/qtest/peer.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace dm::qtest {

Result<std::unique_ptr<TestLine>> TestLine::connect(host::Loop& loop, const std::string& path) {
  auto socket = connect_to(path);
  if (!socket) {
    return socket.error();
  }
  return std::make_unique<TestLine>(loop, std::move(*socket));
}

TestLine::TestLine(host::Loop& loop, host::UniqueFd socket)
    : loop_{loop}, socket_{std::move(socket)} {
  loop_.add(socket_.get());
}

TestLine::~TestLine() {
  loop_.remove(socket_.get());
}

bool TestLine::receive(std::string& to) {
  std::array<char, 65536> bytes;
  const auto got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) {
    to.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

void TestLine::send(std::string_view bytes) noexcept {
  waiting_.append(bytes);
  flush();
}

void TestLine::flush() noexcept {
  while (!waiting_.empty()) {
    const auto sent =
        ::send(socket_.get(), waiting_.data(), waiting_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      waiting_.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!writable_) {
        writable_.emplace(loop_, host::UniqueFd{::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0)},
                          host::Callback{}, host::Callback::bind<&TestLine::flush>(*this));
      }
      writable_->await_writable();
      return;
    } else if (errno != EINTR) {
      waiting_.clear();  // nobody reads it any more: receive() finds out
    }
  }
}

}  // namespace dm::qtest
