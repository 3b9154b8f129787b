// SPDX-License-Identifier: MIT
// The NBD server's side of a connection, byte by byte, in the thread of who is tested: it is the
// server while the disk waits, and the time passes when there is nothing to wait for. The numbers
// are those of the protocol text of the NBD project (doc/proto.md), typed anew.
#pragma once

#include "platform/linux/nbd/nbd_wait.h"
#include "platform/linux/unique_fd.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace dm::test {

class NbdScript final : public host::ServerWait {
 public:
  static constexpr std::uint16_t kHasFlags = 1, kReadOnly = 2, kFlush = 4, kFua = 8, kTrim = 32;
  static constexpr std::size_t kAll = ~std::size_t{0};

  struct Manner {
    std::uint64_t size = 65536;
    std::uint16_t flags = kHasFlags | kFlush | kFua | kTrim;
    bool structured = true;            ///< reads are answered in chunks
    std::size_t send_limit = kAll;     ///< bytes that it sends, and no more
    std::size_t receive_limit = kAll;  ///< bytes that it takes
    bool hangs_up = false;             ///< at one of these; else it is silent from there on
    bool dribbles = false;             ///< sends one byte for each second that is waited
    std::uint32_t error = 0;           ///< in each answer
  };

  explicit NbdScript(const Manner& manner) : manner_{manner}, may_send_{manner.send_limit} {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
      std::abort();
    }
    server_.reset(ends[0]);
    client_.reset(ends[1]);
    add64(0x4e42444d41474943);  // NBDMAGIC
    add64(0x49484156454f5054);  // IHAVEOPT
    add16(3);                   // fixed newstyle, no zeroes
  }

  [[nodiscard]] host::UniqueFd take_client() noexcept { return std::move(client_); }
  [[nodiscard]] static std::byte byte_at(std::uint64_t at) noexcept {
    return static_cast<std::byte>((at * 31 + at / 512) & 0xff);
  }

  // The disk's clock and sleep.
  [[nodiscard]] std::chrono::steady_clock::time_point now() noexcept override { return now_; }
  [[nodiscard]] int poll(pollfd& ready, std::chrono::milliseconds time) noexcept override {
    ++waits;
    if (while_waiting) {
      while_waiting();
    }
    act();
    if (manner_.dribbles) {
      pass(std::min<std::chrono::milliseconds>(time, std::chrono::seconds{1}));
      may_dribble_ = true;
      act();
    }
    const int count = ::poll(&ready, 1, 0);
    if (count == 0 && !manner_.dribbles) {
      pass(time);
    }
    return manner_.dribbles && count == 0 ? (errno = EINTR, -1) : count;
  }
  void pass(std::chrono::milliseconds time) noexcept {
    now_ += time;
    passed += time;
  }

  /// Takes what has come and says what it may.
  void act() noexcept {
    receive();
    parse();
    send();
    const bool at_the_end = may_send_ == 0 || received == manner_.receive_limit;
    if (manner_.hangs_up && at_the_end) {
      hang_up();
    }
  }
  void hang_up() noexcept { server_.reset(); }
  void half_close() noexcept {
    if (server_) {
      ::shutdown(server_.get(), SHUT_WR);
    }
  }
  /// It may send so many bytes more.
  void allow(std::size_t bytes) noexcept {
    may_send_ = bytes > kAll - may_send_ ? kAll : may_send_ + bytes;
  }
  void forbid() noexcept { may_send_ = 0; }
  void set_dribbling(bool dribbles) noexcept { manner_.dribbles = dribbles; }
  void set_error(std::uint32_t error) noexcept { manner_.error = error; }
  /// Behind what it has to say already.
  void say(std::span<const std::uint8_t> bytes) {
    out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  /// One byte of what it has to say.
  void spoil(std::size_t at, std::uint8_t with) noexcept {
    if (!out_.empty()) {
      out_[at % out_.size()] = static_cast<char>(with);
    }
  }
  [[nodiscard]] bool connected() const noexcept { return static_cast<bool>(server_); }

  std::function<void()> while_waiting;
  std::uint64_t waits = 0;
  std::size_t sent = 0;
  std::size_t received = 0;
  std::size_t requests = 0;
  std::chrono::milliseconds passed{0};

 private:
  void receive() noexcept {
    std::array<char, 4096> bytes;
    while (server_ && received < manner_.receive_limit) {
      const std::size_t most = std::min(bytes.size(), manner_.receive_limit - received);
      const ssize_t count = ::recv(server_.get(), bytes.data(), most, 0);
      if (count <= 0) {
        return;
      }
      received += static_cast<std::size_t>(count);
      in_.append(bytes.data(), static_cast<std::size_t>(count));
    }
  }
  void send() noexcept {
    std::size_t most = std::min(out_.size(), may_send_);
    if (manner_.dribbles) {
      most = std::min<std::size_t>(most, std::exchange(may_dribble_, false) ? 1 : 0);
    }
    if (!server_ || most == 0) {
      return;
    }
    const ssize_t count = ::send(server_.get(), out_.data(), most, MSG_NOSIGNAL);
    if (count > 0) {
      out_.erase(0, static_cast<std::size_t>(count));
      sent += static_cast<std::size_t>(count);
      may_send_ -= may_send_ == kAll ? 0 : static_cast<std::size_t>(count);
    }
  }
  void parse() {
    while (step()) {
    }
  }
  bool step() {
    switch (state_) {
      case State::flags:
        if (in_.size() < 4) {
          return false;
        }
        in_.erase(0, 4);
        state_ = State::options;
        return true;
      case State::options:
        return option();
      case State::requests:
        return request();
      case State::over:
        return false;
    }
    return false;
  }
  bool option() {
    if (in_.size() < 16 || in_.size() < 16 + field(12, 4)) {
      return false;
    }
    const auto code = static_cast<std::uint32_t>(field(8, 4));
    in_.erase(0, 16 + field(12, 4));
    const auto answer = [&](std::uint32_t kind, std::uint32_t length) {
      add64(0x3e889045565a9);
      add32(code);
      add32(kind);
      add32(length);
    };
    if (code == 7) {  // GO
      answer(3, 12);  // INFO
      add16(0);       // of the export
      add64(manner_.size);
      add16(manner_.flags);
      answer(1, 0);  // ACK
      state_ = State::requests;
    } else if (code == 8 && manner_.structured) {  // STRUCTURED_REPLY
      answer(1, 0);
      chunks_ = true;
    } else {
      answer(0x80000001, 0);  // ERR_UNSUP
    }
    return true;
  }
  bool request() {
    if (in_.size() < 28) {
      return false;
    }
    const std::uint64_t type = field(6, 2);
    const std::uint64_t cookie = field(8, 8);
    const std::uint64_t offset = field(16, 8);
    const std::uint64_t length = field(24, 4);
    if (type == 1 && in_.size() < 28 + length) {
      return false;
    }
    in_.erase(0, 28 + (type == 1 ? length : 0));
    ++requests;
    if (type == 2) {  // disconnect
      state_ = State::over;
      hang_up();
      return false;
    }
    if (type == 0 && chunks_) {
      answer_in_chunks(cookie, offset, length);
      return true;
    }
    add32(0x67446698);
    add32(manner_.error);
    add64(cookie);
    if (type == 0 && manner_.error == 0) {
      add_data(offset, length);
    }
    return true;
  }
  void answer_in_chunks(std::uint64_t cookie, std::uint64_t offset, std::uint64_t length) {
    const auto chunk = [&](std::uint16_t flags, std::uint16_t type, std::uint64_t size) {
      add32(0x668e33ef);
      add16(flags);
      add16(type);
      add64(cookie);
      add32(static_cast<std::uint32_t>(size));
    };
    if (manner_.error != 0) {
      chunk(1, 32769, 6);
      add32(manner_.error);
      add16(0);
      return;
    }
    // Data, a hole, and the end by itself.
    const std::uint64_t first = length / 2;
    chunk(0, 1, 8 + first);
    add64(offset);
    add_data(offset, first);
    chunk(0, 1, 8 + length - first);
    add64(offset + first);
    add_data(offset + first, length - first);
    chunk(1, 0, 0);
  }
  void add_data(std::uint64_t offset, std::uint64_t length) {
    for (std::uint64_t i = 0; i < length; ++i) {
      out_.push_back(static_cast<char>(byte_at(offset + i)));
    }
  }
  [[nodiscard]] std::uint64_t field(std::size_t at, std::size_t size) const noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | static_cast<std::uint8_t>(in_[at + i]);
    }
    return value;
  }
  void add(std::uint64_t value, unsigned size) {
    while (size-- != 0) {
      out_.push_back(static_cast<char>(value >> (8 * size)));
    }
  }
  void add16(std::uint64_t value) { add(value, 2); }
  void add32(std::uint64_t value) { add(value, 4); }
  void add64(std::uint64_t value) { add(value, 8); }

  enum class State : std::uint8_t { flags, options, requests, over };

  Manner manner_;
  host::UniqueFd server_;
  host::UniqueFd client_;
  State state_ = State::flags;
  bool chunks_ = false;
  bool may_dribble_ = false;
  std::size_t may_send_;
  std::string in_;
  std::string out_;
  std::chrono::steady_clock::time_point now_{std::chrono::seconds{1000}};
};

}  // namespace dm::test
