// SPDX-License-Identifier: MIT
#include "platform/display/screen_feed.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

namespace dm::display {

namespace {

constexpr std::chrono::milliseconds kShortest{33};
constexpr std::chrono::milliseconds kStep{50};
constexpr std::chrono::milliseconds kLongest{333};
/// After a key the answer shows soon, and an early look finds it.
constexpr std::chrono::milliseconds kAfterInput{10};
constexpr unsigned kMessagesPerTurn = 16;
constexpr std::size_t kPage = 4096;
constexpr std::uint32_t kMostSide = 16000;  // Bochs VBE
/// So many looks in a row find more than half of the pages changed: then the screen moves, and to
/// track it costs the guest a fault for each page. For so many looks it is taken to have changed.
constexpr unsigned kHotLooks = 4;
constexpr unsigned kUntrackedLooks = 15;

struct Pages {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Those of video memory that the surface shows.
[[nodiscard]] Pages pages_of(const Surface& surface) noexcept {
  const std::uint64_t bytes = std::uint64_t{surface.stride} * surface.height;
  if (bytes == 0) {
    return {};
  }
  const std::uint64_t first = surface.offset / kPage;
  return {first, (surface.offset + bytes - 1) / kPage - first + 1};
}

/// An empty message reads like an end.
[[nodiscard]] bool has_hung_up(int line) noexcept {
  pollfd look{.fd = line, .events = 0, .revents = 0};
  return ::poll(&look, 1, 0) > 0 && (look.revents & POLLHUP) != 0;
}

}  // namespace

ScreenFeed::ScreenFeed(const Ports& ports, host::UniqueFd line, MappedArea area)
    : ports_{ports},
      area_{std::move(area)},
      line_{ports.loop, std::move(line), host::Callback::bind<&ScreenFeed::on_line>(*this)},
      alarm_{ports.loop, host::Callback::bind<&ScreenFeed::on_tick>(*this)},
      pause_{kShortest} {
  line_.await_readable();
}

void ScreenFeed::set_password(std::string_view password) noexcept {
  Area& area = area_.get();
  area.password = {};
  std::copy_n(password.begin(), std::min(password.size(), area.password.size()),
              area.password.begin());
  area.password_set = 1;
}

void ScreenFeed::on_line() noexcept {
  for (unsigned i = 0; i < kMessagesPerTurn; ++i) {
    // A byte more than a message, so that a longer one shows.
    std::array<std::byte, kMessageBytes + 1> bytes{};
    const ssize_t got = ::recv(line_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) {
      break;
    }
    if (got == 0 && has_hung_up(line_.fd())) {
      return;  // the supervisor has an end, too: it has gone, and so does this process
    }
    if (const auto message = parse(std::span{bytes}.first(static_cast<std::size_t>(got)))) {
      take(*message);
    } else {
      ++counters_.nonsense;
    }
  }
  line_.await_readable();
}

void ScreenFeed::take(const Message& message) noexcept {
  switch (message.kind) {
    case Kind::hello:
      begin();
      return;
    case Kind::gone:
      end();
      return;
    case Kind::want:
      if (shown_ && !waiting_) {
        waiting_ = true;
        arm();
      }
      return;
    case Kind::key:
      ++counters_.keys;
      ports_.input.key(static_cast<std::uint8_t>(message.x), message.flag != 0);
      hurry();
      return;
    case Kind::pointer:
      ++counters_.moves;
      ports_.input.pointer(message.x, message.y, message.buttons);
      hurry();
      return;
    case Kind::pointer_by:
      ++counters_.moves;
      ports_.input.pointer_by(static_cast<std::int16_t>(message.x),
                              static_cast<std::int16_t>(message.y), message.buttons);
      hurry();
      return;
    case Kind::release:
      ports_.input.release_all();
      return;
    case Kind::here:
    case Kind::picture:
    case Kind::state:
      break;
  }
  ++counters_.nonsense;
}

/// A full socket means a display that does not read: it gets nothing then.
void ScreenFeed::say(const Message& message) noexcept {
  const MessageBytes bytes = encode(message);
  static_cast<void>(::send(line_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

void ScreenFeed::begin() noexcept {
  end();
  shown_ = true;
  everything_ = true;
  Area& area = area_.get();
  area.video_at = ports_.video.at().value;
  area.video_bytes = ports_.video.bytes().size();
  say({.kind = Kind::here});
  state_ = {.kind = Kind::state, .flag = 2};  // unlike any
  tell_state();
}

void ScreenFeed::end() noexcept {
  if (!shown_) {
    return;
  }
  shown_ = false;
  waiting_ = false;
  alarm_.cancel();
  ports_.video.stop_tracking();
  ports_.input.release_all();
  area_.forget_drawn();
  pause_ = kShortest;
  hot_ = 0;
}

/// Something was typed: what it does to the screen is looked for soon.
void ScreenFeed::hurry() noexcept {
  if (waiting_ && pause_ > kShortest) {
    static_cast<void>(alarm_.arm(kAfterInput));
  }
  pause_ = kShortest;
}

void ScreenFeed::arm() noexcept {
  if (!alarm_.arm(pause_)) {
    waiting_ = false;  // no descriptor for a timer: prepared at the start, so it cannot be
  }
}

void ScreenFeed::tell_state() noexcept {
  const Message now{.kind = Kind::state,
                    .buttons = static_cast<std::uint8_t>(ports_.input.leds() & 7U),
                    .flag = static_cast<std::uint8_t>(ports_.input.absolute() ? 1 : 0)};
  if (now != state_) {
    state_ = now;
    say(now);
  }
}

void ScreenFeed::on_tick() noexcept {
  if (!waiting_) {
    return;
  }
  ++counters_.looks;
  tell_state();
  const Surface now = ports_.screen.surface();
  if (look(now)) {
    hand_over(now);
    waiting_ = false;
    pause_ = kShortest;
  } else {
    pause_ = std::min(pause_ + kStep, kLongest);
    arm();
  }
}

/// Is there something new for the display? What is new is in the area then.
bool ScreenFeed::look(const Surface& now) noexcept {
  if (now != last_) {
    everything_ = true;
  }
  switch (now.source) {
    case Surface::Source::nothing:
      return everything_;
    case Surface::Source::drawn:
      return draw(now);
    case Surface::Source::video_memory:
      return find_dirty(now);
  }
  return false;
}

bool ScreenFeed::draw(const Surface& now) noexcept {
  const std::size_t pixels = std::size_t{now.width} * now.height;
  if (pixels > Screen::kMostDrawnPixels) {
    return everything_;
  }
  Area& area = area_.get();
  const std::span shown = std::span{area.drawn.at(half_)}.first(pixels);
  const std::span next = std::span{area.drawn.at(half_ ^ 1U)}.first(pixels);
  ports_.screen.draw(now, next);
  if (!everything_ && std::memcmp(shown.data(), next.data(), pixels) == 0) {
    return false;
  }
  half_ ^= 1U;
  return true;
}

bool ScreenFeed::find_dirty(const Surface& now) noexcept {
  const Pages pages = pages_of(now);
  const std::size_t last = pages.first + pages.count;
  if (pages.count == 0 || last > kMostVideoPages) {
    return everything_;
  }
  if (ports_.screen.take_written()) {
    everything_ = true;
  }
  if (counters_.looks < cool_at_) {
    everything_ = true;
    return true;
  }
  // Xen counts from the first page that is shown, the area from the first of video memory.
  std::array<std::uint64_t, kMostVideoPages / 64> bitmap{};
  const std::size_t words = (pages.count + 63) / 64;
  if (!ports_.video.take_dirty(pages.first, pages.count, std::span{bitmap}.first(words))) {
    ++counters_.untracked;
    everything_ = true;
    return true;
  }
  auto& dirty = area_.get().dirty;
  std::fill(dirty.begin() + static_cast<std::ptrdiff_t>(pages.first / 64),
            dirty.begin() + static_cast<std::ptrdiff_t>((last + 63) / 64), 0U);
  std::size_t found = 0;
  for (std::size_t i = 0; i < pages.count; ++i) {
    if ((bitmap[i / 64] >> (i % 64) & 1U) != 0) {
      const std::size_t page = pages.first + i;
      dirty.at(page / 64) |= std::uint64_t{1} << (page % 64);
      ++found;
    }
  }
  hot_ = found > pages.count / 2 ? hot_ + 1 : 0;
  if (hot_ >= kHotLooks) {
    hot_ = 0;
    cool_at_ = counters_.looks + kUntrackedLooks;
    ports_.video.stop_tracking();
  }
  return everything_ || found != 0;
}

void ScreenFeed::hand_over(const Surface& now) noexcept {
  Picture& to = area_.get().picture;
  to = {.source = static_cast<std::uint8_t>(now.source),
        .format = static_cast<std::uint8_t>(now.format),
        .high_byte_first = static_cast<std::uint8_t>(now.high_byte_first ? 1 : 0),
        .all = static_cast<std::uint8_t>(everything_ ? 1 : 0),
        .half = half_,
        .width = now.width,
        .height = now.height,
        .stride = now.stride,
        .zero = 0,
        .offset = now.offset,
        .palette = now.palette};
  if (now.width != last_.width || now.height != last_.height) {
    ports_.input.set_screen(static_cast<std::uint16_t>(std::min(now.width, kMostSide)),
                            static_cast<std::uint16_t>(std::min(now.height, kMostSide)));
  }
  last_ = now;
  everything_ = false;
  ++counters_.pictures;
  say({.kind = Kind::picture});
}

}  // namespace dm::display
