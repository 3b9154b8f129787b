// SPDX-License-Identifier: MIT
#include "tests/unit/platform/linux/nbd_rig.h"

#include "tests/unit/platform/linux/support.h"

#include <endian.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace dm::test {

namespace {

constexpr std::uint64_t kMagic = 0x4e42444d41474943;       // NBDMAGIC
constexpr std::uint64_t kHaveOption = 0x49484156454f5054;  // IHAVEOPT
constexpr std::uint64_t kOptionReply = 0x3e889045565a9;
constexpr std::uint32_t kRequestMagic = 0x25609513;
constexpr std::uint32_t kReplyMagic = 0x67446698;
constexpr std::uint32_t kOptGo = 7, kAck = 1, kInfo = 3, kUnsupported = 0x80000001;

class Bytes {
 public:
  template <class T>
  Bytes& add(T value) {
    for (std::size_t i = sizeof(T); i-- > 0;) {
      bytes_.push_back(
          static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 255));
    }
    return *this;
  }
  [[nodiscard]] std::span<const std::byte> span() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

NbdPeer::NbdPeer(const std::string& path, Manner manner)
    : path_{path},
      manner_{std::move(manner)},
      image_(manner_.size),
      listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)},
      wake_{::eventfd(0, EFD_CLOEXEC)} {
  for (std::size_t i = 0; i < image_.size(); ++i) {
    image_[i] = pattern(i);
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 1) != 0) {
    std::abort();
  }
  thread_ = std::thread{[this] { serve(); }};
}

NbdPeer::~NbdPeer() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
  thread_.join();
}

std::vector<NbdRequest> NbdPeer::requests() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

bool NbdPeer::receive(void* to, std::size_t size) {
  auto* at = static_cast<std::byte*>(to);
  while (size != 0) {
    std::array<pollfd, 2> ready{{{peer_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), -1);
    if (ready[1].revents != 0 || !peer_) {
      return false;
    }
    const ssize_t count = ::recv(peer_.get(), at, size, 0);
    if (count <= 0) {
      return false;
    }
    at += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

void NbdPeer::send(std::span<const std::byte> bytes) {
  while (!bytes.empty() && peer_) {
    const ssize_t count = ::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) {
      return;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void NbdPeer::hang_up() {
  peer_.reset();
}

void NbdPeer::reply(std::uint64_t cookie, std::uint32_t error, std::span<const std::byte> data) {
  send(Bytes{}.add(kReplyMagic).add(error).add(cookie).span());
  send(data);
}

/// Fixed newstyle; every option but GO is unknown to it.
bool NbdPeer::negotiate() {
  if (!manner_.greeting.empty()) {
    send(bytes(manner_.greeting));
    return true;
  }
  send(Bytes{}.add(kMagic).add(kHaveOption).add(std::uint16_t{3}).span());
  std::uint32_t client_flags = 0;
  if (!receive(&client_flags, sizeof client_flags)) {
    return false;
  }
  for (;;) {
    std::array<std::uint32_t, 4> option{};
    if (!receive(option.data(), sizeof option)) {
      return false;
    }
    const std::uint32_t code = be32toh(option[2]);
    std::vector<std::byte> data(be32toh(option[3]));
    if (!receive(data.data(), data.size())) {
      return false;
    }
    const auto answer = [&](std::uint32_t kind, std::uint32_t length) {
      return Bytes{}.add(kOptionReply).add(code).add(kind).add(length);
    };
    if (code != kOptGo) {
      send(answer(kUnsupported, 0).span());
      continue;
    }
    send(answer(kInfo, 12).add(std::uint16_t{0}).add(manner_.size).add(manner_.flags).span());
    send(answer(kAck, 0).span());
    return true;
  }
}

void NbdPeer::good_answer(const NbdRequest& request) {
  std::span<const std::byte> data;
  if (request.type == 0) {
    data = std::span{image_}.subspan(request.offset, request.length);
  } else if (request.type == 1) {
    std::copy(request.data.begin(), request.data.end(),
              image_.begin() + static_cast<std::ptrdiff_t>(request.offset));
  } else if (request.type == 4) {
    std::fill_n(image_.begin() + static_cast<std::ptrdiff_t>(request.offset), request.length,
                std::byte{0});
  }
  reply(request.cookie, 0, data);
}

void NbdPeer::serve() {
  std::array<pollfd, 2> ready{{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  ::poll(ready.data(), ready.size(), -1);
  if (ready[1].revents != 0) {
    return;
  }
  peer_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (manner_.silent) {
    char never = 0;
    static_cast<void>(receive(&never, 0) && receive(&never, 1) && receive(&never, 1));
    ::poll(&ready[1], 1, -1);
    return;
  }
  if (!negotiate()) {
    return;
  }
  for (;;) {
    std::array<std::byte, 28> header{};
    if (!receive(header.data(), header.size())) {
      return;
    }
    const auto field = [&header](std::size_t at, std::size_t size) {
      std::uint64_t value = 0;
      for (std::size_t i = 0; i < size; ++i) {
        value = value << 8 | std::to_integer<std::uint64_t>(header[at + i]);
      }
      return value;
    };
    if (field(0, 4) != kRequestMagic) {
      return;
    }
    NbdRequest request{.flags = static_cast<std::uint16_t>(field(4, 2)),
                       .type = static_cast<std::uint16_t>(field(6, 2)),
                       .cookie = field(8, 8),
                       .offset = field(16, 8),
                       .length = static_cast<std::uint32_t>(field(24, 4)),
                       .data = {}};
    if (request.type == 1) {
      request.data.resize(request.length);
      if (!receive(request.data.data(), request.data.size())) {
        return;
      }
    }
    {
      const std::lock_guard lock{mutex_};
      requests_.push_back(request);
    }
    if (request.type == 2) {
      hang_up();
      return;
    }
    if (!manner_.answer || !manner_.answer(*this, request)) {
      good_answer(request);
    }
    if (!peer_) {
      return;
    }
  }
}

}  // namespace dm::test
