// SPDX-License-Identifier: MIT
#include "platform/toolstack/domain_watch.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/unix_address.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace dm::toolstack {

namespace {

// Xen public header io/xs_wire.h.
constexpr std::uint32_t kWatch = 4;
constexpr std::uint32_t kWatchEvent = 15;
constexpr std::uint32_t kError = 16;
constexpr std::uint32_t kIsDomainIntroduced = 17;

struct Header {
  std::uint32_t type;
  std::uint32_t request;
  std::uint32_t transaction;
  std::uint32_t length;
};
static_assert(sizeof(Header) == 16);

constexpr std::uint32_t kWatchRequest = 1;
constexpr std::uint32_t kQuestion = 2;
constexpr std::string_view kSubscription{"@releaseDomain\0dm\0", 18};
constexpr std::string_view kSocket = "/run/xenstored/socket";
constexpr const char* kDevice = "/dev/xen/xenbus";

}  // namespace

Result<UniqueFd> DomainWatch::connect() {
  const sockaddr_un address = host::unix_address(kSocket).value();
  UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd && ::connect(fd.get(), host::generic(address), sizeof address) == 0) {
    return fd;
  }
  fd = UniqueFd{::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!fd) {
    return fail("neither ", kSocket, " nor ", kDevice, ": ", host::error_text(errno));
  }
  return fd;
}

DomainWatch::DomainWatch(boost::asio::io_context& context,
                         UniqueFd connection,
                         std::uint32_t domid,
                         host::Callback gone) noexcept
    : domid_{domid},
      gone_{gone},
      connection_{context, std::move(connection),
                  host::Callback::bind<&DomainWatch::on_readable>(*this)} {
  if (!connection_.ok()) {
    give_up("the loop cannot watch its connection");
    return;
  }
  active_ = true;
  if (send(kWatch, kWatchRequest, kSubscription)) {
    connection_.await_readable();
  }
}

void DomainWatch::give_up(std::string_view why) noexcept {
  active_ = false;
  connection_ = host::Watch{};
  log::info("xenstore does not tell when domain ", domid_, " vanishes (", why,
            "): it is noticed at the next hypercall");
}

bool DomainWatch::send(std::uint32_t type,
                       std::uint32_t request,
                       std::string_view payload) noexcept {
  std::array<char, 64> message{};
  const Header header{.type = type,
                      .request = request,
                      .transaction = 0,
                      .length = static_cast<std::uint32_t>(payload.size())};
  std::memcpy(message.data(), &header, sizeof header);
  std::memcpy(message.data() + sizeof header, payload.data(), payload.size());
  const std::size_t size = sizeof header + payload.size();
  ssize_t put = ::send(connection_.fd(), message.data(), size, MSG_NOSIGNAL);
  if (put < 0 && errno == ENOTSOCK) {  // the device
    put = ::write(connection_.fd(), message.data(), size);
  }
  if (put == static_cast<ssize_t>(size)) {
    return true;
  }
  give_up(put < 0 ? host::error_text(errno) : "it takes no more");
  return false;
}

void DomainWatch::on_readable() noexcept {
  const ssize_t got = ::read(connection_.fd(), buffer_.data() + size_, buffer_.size() - size_);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    connection_.await_readable();
    return;
  }
  if (got <= 0) {
    give_up(got < 0 ? host::error_text(errno) : "xenstored has closed the connection");
    return;
  }
  size_ += static_cast<std::size_t>(got);
  if (!take_messages()) {
    give_up("a message that makes no sense");
  } else if (active_) {
    connection_.await_readable();
  }
}

bool DomainWatch::take_messages() noexcept {
  std::size_t at = 0;
  while (active_ && size_ - at >= kHeader) {
    Header header{};
    std::memcpy(&header, buffer_.data() + at, sizeof header);
    if (header.length > kMaxPayload) {
      return false;
    }
    if (size_ - at - kHeader < header.length) {
      break;
    }
    const std::string_view payload{buffer_.data() + at + kHeader, header.length};
    at += kHeader + header.length;
    handle(header.type, header.request, payload);
  }
  std::memmove(buffer_.data(), buffer_.data() + at, size_ - at);
  size_ -= at;
  return true;
}

void DomainWatch::handle(std::uint32_t type,
                         std::uint32_t request,
                         std::string_view payload) noexcept {
  if (type == kWatchEvent) {
    ask();
  } else if (type == kError) {
    give_up(payload.substr(0, std::min<std::size_t>(payload.find('\0'), 32)));
  } else if (type == kIsDomainIntroduced && request == kQuestion && asking_) {
    answered(payload);
  }
}

void DomainWatch::ask() noexcept {
  if (asking_) {
    ask_again_ = true;
    return;
  }
  std::array<char, 12> number{};
  const auto end = std::to_chars(number.data(), number.data() + number.size() - 1, domid_).ptr;
  const auto digits = static_cast<std::size_t>(end - number.data());
  asking_ = send(kIsDomainIntroduced, kQuestion, {number.data(), digits + 1});
}

void DomainWatch::answered(std::string_view payload) noexcept {
  asking_ = false;
  if (payload.starts_with('T')) {
    known_ = true;
  } else if (known_) {
    active_ = false;
    connection_ = host::Watch{};
    gone_();
    return;
  }
  if (std::exchange(ask_again_, false)) {
    ask();
  }
}

}  // namespace dm::toolstack
