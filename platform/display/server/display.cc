// SPDX-License-Identifier: MIT
#include "platform/display/server/display.h"

#include "platform/display/protocol.h"
#include "platform/linux/passed_descriptor.h"

#include <poll.h>
#include <rfb/rfb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <ctime>
#include <optional>
#include <vector>

namespace dm::display {

namespace {

using Clock = std::chrono::steady_clock;

/// After the last viewer, the display waits for another one.
constexpr std::chrono::seconds kLonely{10};

void say(int line, const Message& message) noexcept {
  const MessageBytes bytes = encode(message);
  static_cast<void>(::send(line, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

class Serving {
 public:
  Serving(Canvas& canvas, Viewers& viewers, const Lines& lines)
      : canvas_{canvas}, viewers_{viewers}, lines_{lines} {}

  void run() {
    while (!over_) {
      ask_for_picture();
      wait();
      take_viewers();
      hear_worker();
      viewers_.run();
      say_lonely();
    }
  }

 private:
  void ask_for_picture() {
    if (!asked_ && viewers_.wait_for_picture()) {
      asked_ = true;
      say(lines_.line, {.kind = Kind::want});
    }
  }

  void wait() {
    waits_.clear();
    waits_.push_back({.fd = lines_.control, .events = POLLIN, .revents = 0});
    waits_.push_back({.fd = lines_.line, .events = POLLIN, .revents = 0});
    viewers_.fill(waits_);
    int timeout = -1;
    auto until = viewers_.deadline();
    if (lonely_) {
      until = std::min(until.value_or(*lonely_), *lonely_);
    }
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - Clock::now()).count();
      timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }
    static_cast<void>(::poll(waits_.data(), waits_.size(), timeout));
  }

  /// One message has one viewer.
  void take_viewers() {
    while (true) {
      std::array<std::byte, 1> one{};
      host::UniqueFd viewer;
      const ssize_t got = host::receive_with_descriptor(lines_.control, one, viewer);
      if (got == 0) {
        over_ = true;
      }
      if (got <= 0) {
        return;
      }
      ++report_.taken;
      if (viewer) {
        viewers_.add(std::move(viewer));
      }
      say_report();
    }
  }

  void hear_worker() {
    while (true) {
      std::array<std::byte, kMessageBytes + 1> bytes{};
      const ssize_t got = ::recv(lines_.line, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got <= 0) {
        over_ = over_ || got == 0;
        return;
      }
      const auto message = parse(std::span{bytes}.first(static_cast<std::size_t>(got)));
      if (message && message->kind == Kind::picture) {
        viewers_.show(canvas_.update());
        asked_ = false;
      } else if (message && message->kind == Kind::state) {
        viewers_.set_state(message->flag != 0, message->buttons);
      }
    }
  }

  /// The supervisor lets go, unless another viewer is on its way.
  void say_lonely() {
    if (viewers_.size() != 0) {
      lonely_.reset();
    } else if (!lonely_) {
      lonely_ = Clock::now() + kLonely;
    } else if (Clock::now() >= *lonely_) {
      report_.lonely = 1;
      say_report();
      report_.lonely = 0;
      lonely_ = Clock::now() + kLonely;
    }
  }

  void say_report() noexcept {
    const auto bytes = std::bit_cast<std::array<std::byte, kReportBytes>>(report_);
    static_cast<void>(
        ::send(lines_.control, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  Canvas& canvas_;
  Viewers& viewers_;
  Lines lines_;
  std::vector<pollfd> waits_;
  std::optional<Clock::time_point> lonely_;
  Report report_;
  bool asked_ = false;  ///< for a picture, and it has not come
  bool over_ = false;
};

}  // namespace

void ToWorker::key(std::uint8_t code, bool down) {
  say(line_, {.kind = Kind::key, .x = code, .flag = static_cast<std::uint8_t>(down ? 1 : 0)});
}

void ToWorker::pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) {
  say(line_, {.kind = Kind::pointer, .x = x, .y = y, .buttons = buttons});
}

void ToWorker::pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) {
  say(line_, {.kind = Kind::pointer_by,
              .x = static_cast<std::uint16_t>(dx),
              .y = static_cast<std::uint16_t>(dy),
              .buttons = buttons});
}

void ToWorker::release() {
  say(line_, {.kind = Kind::release});
}

void serve(Canvas& canvas, Viewers& viewers, const Lines& lines) {
  Serving{canvas, viewers, lines}.run();
}

void warm_up() {
  // The cipher's library sets itself up, and asks the kernel for random bytes.
  std::array<unsigned char, CHALLENGESIZE> challenge{};
  rfbRandomBytes(challenge.data());
  std::array<char, 9> password{"warm up!"};
  rfbEncryptBytes(challenge.data(), password.data());
  // The C library reads its time zone.
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  static_cast<void>(::localtime_r(&now, &local));
}

}  // namespace dm::display
