// SPDX-License-Identifier: MIT
// A viewer, written from RFC 6143 and nothing else: what our own server's library thinks of the
// protocol is not in it. It knows the raw encoding, new sizes, and QEMU's two messages. Every wait
// ends after ten seconds.
#pragma once

#include "platform/linux/unique_fd.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::rig {

class RfbClient {
 public:
  using Bytes = std::vector<std::uint8_t>;
  using Challenge = std::array<std::uint8_t, 16>;
  enum Encoding : std::int32_t { raw = 0, new_size = -223, qemu_key = -258, pointer_mode = -257 };

  /// To the unix socket at `path`. Check ok().
  explicit RfbClient(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(&address.sun_path, path.c_str(), path.size() + 1);
    connect(AF_UNIX, &address, sizeof address);
  }
  /// To a port of this machine.
  explicit RfbClient(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(AF_INET, &address, sizeof address);
  }

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  bool send(std::span<const std::uint8_t> bytes) {
    while (ok_ && !bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ok_ = sent > 0;
      bytes = bytes.subspan(ok_ ? static_cast<std::size_t>(sent) : 0);
    }
    return ok_;
  }
  [[nodiscard]] Bytes read(std::size_t size) {
    Bytes bytes(size);
    std::size_t have = 0;
    while (ok_ && have < size) {
      const ssize_t got = ::recv(fd_.get(), bytes.data() + have, size - have, 0);
      ok_ = got > 0;
      have += ok_ ? static_cast<std::size_t>(got) : 0;
    }
    return bytes;
  }
  [[nodiscard]] std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : read(bytes)) {
      value = value << 8 | byte;
    }
    return value;
  }
  /// The other side has closed, or closes now.
  [[nodiscard]] bool closed() {
    std::uint8_t byte = 0;
    ssize_t got = 1;
    while (got > 0) {
      got = ::recv(fd_.get(), &byte, 1, 0);
    }
    return got == 0 || errno != EAGAIN;
  }

  /// RFC 6143, 7.1 to 7.3. `answer`: to the challenge of VNC authentication. False: not let in.
  bool join(const std::function<Challenge(Challenge)>& answer = {}) {
    version = read(12);
    send(std::span{version});
    const Bytes offered = read(number(1));
    const std::uint8_t wanted = answer ? 2 : 1;
    if (!ok_ || std::find(offered.begin(), offered.end(), wanted) == offered.end()) {
      return false;
    }
    send(std::array{wanted});
    if (answer) {
      Challenge challenge{};
      const Bytes got = read(challenge.size());
      std::copy(got.begin(), got.end(), challenge.begin());
      send(answer(challenge));
    }
    if (number(4) != 0 || !ok_) {
      return false;
    }
    send(std::array<std::uint8_t, 1>{1});  // others may look, too
    width = number(2);
    height = number(2);
    format = read(16);
    const Bytes its_name = read(number(4));
    name.assign(its_name.begin(), its_name.end());
    pixels.assign(std::size_t{width} * height, 0x01000000);
    return ok_;
  }

  void understand(std::span<const Encoding> encodings) {
    Bytes message{2, 0};
    put(message, encodings.size(), 2);
    for (const Encoding encoding : encodings) {
      put(message, static_cast<std::uint32_t>(encoding), 4);
    }
    send(message);
  }
  void ask(bool incremental) {
    Bytes message{3, static_cast<std::uint8_t>(incremental ? 1 : 0)};
    for (const std::uint32_t value : {0U, 0U, width, height}) {
      put(message, value, 2);
    }
    send(message);
  }
  void key(std::uint32_t symbol, bool down) {
    Bytes message{4, static_cast<std::uint8_t>(down ? 1 : 0), 0, 0};
    put(message, symbol, 4);
    send(message);
  }
  void scan_code(std::uint32_t code, bool down) {
    Bytes message{255, 0, 0, static_cast<std::uint8_t>(down ? 1 : 0)};
    put(message, 0, 4);
    put(message, code, 4);
    send(message);
  }
  void point(std::uint32_t x, std::uint32_t y, std::uint8_t buttons) {
    Bytes message{5, buttons};
    put(message, x, 2);
    put(message, y, 2);
    send(message);
  }

  /// Takes one update. False: it was none, or the connection ended.
  bool update() {
    if (number(1) != 0 || !ok_) {
      return false;
    }
    static_cast<void>(number(1));
    const std::uint32_t count = number(2);
    for (std::uint32_t i = 0; i < count && ok_; ++i) {
      rectangle();
    }
    return ok_;
  }

  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Bytes version;
  Bytes format;
  std::string name;
  std::vector<std::uint32_t> pixels;  ///< 00RRGGBBh
  unsigned drawn = 0;                 ///< rectangles of pixels
  bool takes_scan_codes = false;
  std::optional<bool> absolute;

 private:
  void connect(int family, const void* address, socklen_t size) {
    fd_ = host::UniqueFd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    ok_ = ::connect(fd_.get(), static_cast<const sockaddr*>(address), size) == 0;
  }
  static void put(Bytes& to, std::uint64_t value, unsigned bytes) {
    for (unsigned i = bytes; i-- > 0;) {
      to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
  }
  void rectangle() {
    const std::uint32_t x = number(2);
    const std::uint32_t y = number(2);
    const std::uint32_t w = number(2);
    const std::uint32_t h = number(2);
    switch (static_cast<std::int32_t>(number(4))) {
      case raw: {
        ++drawn;
        const Bytes bytes = read(std::size_t{w} * h * 4);
        for (std::size_t i = 0; ok_ && i < std::size_t{w} * h; ++i) {
          std::uint32_t pixel = 0;
          std::memcpy(&pixel, bytes.data() + i * 4, sizeof pixel);  // little endian, as offered
          pixels.at((y + i / w) * width + x + i % w) = pixel & 0xff'ffff;
        }
        return;
      }
      case new_size:
        width = w;
        height = h;
        pixels.assign(std::size_t{width} * height, 0x01000000);
        return;
      case qemu_key:
        takes_scan_codes = true;
        return;
      case pointer_mode:
        absolute = x == 1;
        return;
      default:
        ok_ = false;
        return;
    }
  }

  host::UniqueFd fd_;
  bool ok_ = false;
};

}  // namespace dm::rig
