// SPDX-License-Identifier: MIT
#include "tests/qtest/socket_net.h"

#include "platform/linux/net/software_offload.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace dm::qtest {

namespace {

constexpr std::size_t kHeader = 4;
/// Frames that the test program has not read are kept up to here.
constexpr std::size_t kMostUnsent = std::size_t{1} << 20;

using Header = std::array<std::uint8_t, kHeader>;

Header to_header(std::size_t length) {
  return {static_cast<std::uint8_t>(length >> 24U & 0xffU),
          static_cast<std::uint8_t>(length >> 16U & 0xffU),
          static_cast<std::uint8_t>(length >> 8U & 0xffU),
          static_cast<std::uint8_t>(length & 0xffU)};
}

std::size_t from_header(const Header& h) {
  return std::size_t{h[0]} << 24U | std::size_t{h[1]} << 16U | std::size_t{h[2]} << 8U | h[3];
}

void append(std::vector<std::byte>& to, const void* from, std::size_t bytes) {
  const auto* const first = static_cast<const std::byte*>(from);
  to.insert(to.end(), first, first + bytes);
}

}  // namespace

SocketNet::SocketNet(host::Loop& loop, host::UniqueFd socket)
    : socket_{loop, std::move(socket), host::Callback::bind<&SocketNet::on_readable>(*this),
              host::Callback::bind<&SocketNet::on_writable>(*this)} {}

SendStatus SocketNet::send(const NetOffload& offload,
                           std::span<const std::span<std::byte>> frame) noexcept {
  if (unsent_.size() - sent_ > kMostUnsent) {
    ++counters_.full;
    stalled_ = true;
    return SendStatus::full;
  }
  const bool taken = offload.needs_checksum || offload.gso != Gso::none
                         ? append_finished(offload, frame)
                         : append_plain(frame);
  flush();
  ++(taken ? counters_.sent : counters_.send_failed);
  return taken ? SendStatus::sent : SendStatus::failed;
}

bool SocketNet::append_plain(std::span<const std::span<std::byte>> frame) {
  std::size_t length = 0;
  for (const auto piece : frame) {
    length += piece.size();
  }
  const Header header = to_header(length);
  append(unsent_, header.data(), header.size());
  for (const auto piece : frame) {
    append(unsent_, piece.data(), piece.size());
  }
  return true;
}

/// With its checksum, or cut into segments.
bool SocketNet::append_finished(const NetOffload& offload,
                                std::span<const std::span<std::byte>> frame) {
  host::SoftwareOffload whole{offload, frame};
  while (whole.ok() && !whole.done()) {
    const auto parts = whole.next();
    std::size_t length = 0;
    for (const iovec& part : parts) {
      length += part.iov_len;
    }
    const Header header = to_header(length);
    append(unsent_, header.data(), header.size());
    for (const iovec& part : parts) {
      append(unsent_, part.iov_base, part.iov_len);
    }
  }
  return whole.ok();
}

void SocketNet::flush() noexcept {
  while (sent_ != unsent_.size()) {
    const auto sent = ::send(socket_.fd(), unsent_.data() + sent_, unsent_.size() - sent_,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      sent_ += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN) {
      socket_.await_writable();
      return;
    } else if (errno != EINTR) {
      break;  // the test program is gone
    }
  }
  unsent_.clear();
  sent_ = 0;
}

void SocketNet::on_writable() noexcept {
  flush();
  if (client_ != nullptr && unsent_.empty() && std::exchange(stalled_, false)) {
    client_->on_sendable();
  }
  if (client_ != nullptr && wanted_ && whole_frame() != 0) {
    client_->on_receivable();
  }
}

void SocketNet::want_receive(bool on) noexcept {
  wanted_ = on;
  if (on && whole_frame() != 0) {
    socket_.await_writable();  // a call from the loop, and soon
  } else if (on && !ended_) {
    socket_.await_readable();
  }
}

std::size_t SocketNet::whole_frame() noexcept {
  Header header{};
  if (ended_ || input_.size() - taken_ < kHeader) {
    return 0;
  }
  std::memcpy(header.data(), input_.data() + taken_, kHeader);
  const std::size_t length = from_header(header);
  if (length == 0 || length > kMaxFrame) {
    ++counters_.receive_failed;
    ended_ = true;  // no telling where the next one begins
    return 0;
  }
  return input_.size() - taken_ >= kHeader + length ? length : 0;
}

bool SocketNet::fill() {
  if (ended_) {
    return false;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
  std::array<std::byte, kReadAtOnce> bytes;
  const auto got = ::recv(socket_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) {
    append(input_, bytes.data(), static_cast<std::size_t>(got));
  }
  ended_ = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
  return got > 0;
}

void SocketNet::on_readable() noexcept {
  if (wanted_ && client_ != nullptr) {
    client_->on_receivable();
  }
}

Received SocketNet::receive(NetOffload& offload,
                            std::span<const std::span<std::byte>> pieces) noexcept {
  std::size_t length = whole_frame();
  while (length == 0 && fill()) {
    length = whole_frame();
  }
  if (length == 0) {
    if (wanted_ && !ended_) {
      socket_.await_readable();
    }
    return {};
  }
  offload = {};
  std::size_t at = taken_ + kHeader;
  const std::size_t end = at + length;
  for (const auto piece : pieces) {
    const std::size_t part = std::min(piece.size(), end - at);
    std::copy_n(input_.begin() + static_cast<std::ptrdiff_t>(at), part, piece.begin());
    at += part;
  }
  taken_ = end;
  ++counters_.received;
  return {.size = at - (end - length), .truncated = at < end};
}

}  // namespace dm::qtest
