// SPDX-License-Identifier: MIT
// The worker's end: what a display gets, what it costs, and what one that was taken over can do.
#include "platform/display/screen_feed.h"

#include "tests/unit/platform/display/shown.h"

#include <optional>

namespace dm::display::test {
namespace {

struct Rig {
  Rig() {
    auto files = make_area();
    BOOST_TEST_REQUIRE(files.has_value());
    std::array<int, 2> ends{-1, -1};
    BOOST_TEST_REQUIRE(
        ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    auto writable = MappedArea::map(files->writable.get(), true);
    auto readable = MappedArea::map(files->readable.get(), false);
    BOOST_TEST_REQUIRE((writable && readable));
    seen.emplace(std::move(*readable));
    line = host::UniqueFd{ends[1]};
    feed.emplace(ScreenFeed::Ports{.loop = loop, .screen = screen, .video = video, .input = input},
                 host::UniqueFd{ends[0]}, std::move(*writable));
    BOOST_TEST_REQUIRE(feed->ok());
  }
  void say(const Message& message) {
    const MessageBytes bytes = encode(message);
    BOOST_TEST_REQUIRE(::send(line.get(), bytes.data(), bytes.size(), 0) == 8);
  }
  void turn() {
    while (loop.poll()) {
    }
  }
  /// What comes next, within a second.
  [[nodiscard]] std::optional<Kind> heard() {
    for (int i = 0; i < 1000; ++i) {
      turn();
      MessageBytes bytes{};
      if (::recv(line.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) == 8) {
        return parse(bytes).value().kind;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return {};
  }
  void greet() {
    say({.kind = Kind::hello});
    BOOST_TEST((heard() == Kind::here));
    BOOST_TEST((heard() == Kind::state));
    input.forget();
  }

  host::Loop loop;
  FileVideo video;
  FakeScreen screen;
  FakeInput input;
  std::optional<MappedArea> seen;
  host::UniqueFd line;
  std::optional<ScreenFeed> feed;
};

BOOST_FIXTURE_TEST_SUITE(display_screen_feed, Rig)

BOOST_AUTO_TEST_CASE(a_display_hears_where_video_memory_lies) {
  greet();
  BOOST_TEST(seen->get().video_at == 0xf1000000U);
  BOOST_TEST(seen->get().video_bytes == FileVideo::kBytes);
}

BOOST_AUTO_TEST_CASE(a_picture_comes_when_it_is_wanted_and_then_when_it_has_changed) {
  screen.set(small_surface());
  greet();
  say({.kind = Kind::want});
  BOOST_TEST((heard() == Kind::picture));
  BOOST_TEST(seen->get().picture.width == 64U);
  BOOST_TEST(seen->get().picture.all == 1);
  say({.kind = Kind::want});
  for (int i = 0; i < 100; ++i) {
    turn();
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  BOOST_TEST(feed->counters().pictures == 1U);
  {
    const std::scoped_lock held{video.lock};
    video.written = {2};
  }
  BOOST_TEST((heard() == Kind::picture));
  BOOST_TEST(seen->get().picture.all == 0);
  BOOST_TEST(seen->get().dirty[0] == 4U);
}

BOOST_AUTO_TEST_CASE(what_xen_does_not_say_and_what_the_card_writes_may_be_anywhere) {
  screen.set(small_surface());
  greet();
  say({.kind = Kind::want});
  BOOST_TEST((heard() == Kind::picture));
  screen.written = true;
  say({.kind = Kind::want});
  BOOST_TEST((heard() == Kind::picture));
  BOOST_TEST(seen->get().picture.all == 1);
  {
    const std::scoped_lock held{video.lock};
    video.known = false;
  }
  say({.kind = Kind::want});
  BOOST_TEST((heard() == Kind::picture));
  BOOST_TEST(seen->get().picture.all == 1);
  BOOST_TEST(feed->counters().untracked == 1U);
}

BOOST_AUTO_TEST_CASE(a_drawn_picture_is_compared_with_the_one_before) {
  Surface text;
  text.source = Surface::Source::drawn;
  text.width = 720;
  text.height = 400;
  text.stride = 720;
  screen.set(text);
  greet();
  say({.kind = Kind::want});
  BOOST_TEST((heard() == Kind::picture));
  const std::uint32_t half = seen->get().picture.half;
  BOOST_TEST(seen->get().drawn.at(half)[720 * 400 - 1] == 1);
  say({.kind = Kind::want});
  for (int i = 0; i < 100; ++i) {
    turn();
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  BOOST_TEST(feed->counters().pictures == 1U);
  screen.colour = 2;
  BOOST_TEST((heard() == Kind::picture));
  BOOST_TEST(seen->get().drawn.at(seen->get().picture.half)[0] == 2);
}

BOOST_AUTO_TEST_CASE(a_screen_that_moves_is_not_tracked_for_a_while) {
  screen.set(small_surface());
  greet();
  for (int i = 0; i < 5; ++i) {
    {
      const std::scoped_lock held{video.lock};
      video.written = {0, 1, 2};
    }
    say({.kind = Kind::want});
    BOOST_TEST((heard() == Kind::picture));
  }
  BOOST_TEST(video.stopped == 1);
  const int asked = video.asked;
  say({.kind = Kind::want});
  BOOST_TEST((heard() == Kind::picture));
  BOOST_TEST(video.asked == asked);
}

BOOST_AUTO_TEST_CASE(what_viewers_type_reaches_the_guest) {
  greet();
  say({.kind = Kind::key, .x = 0x1e, .flag = 1});
  say({.kind = Kind::pointer, .x = 1, .y = 2, .buttons = 4});
  say({.kind = Kind::pointer_by, .x = 0xffff, .y = 5, .buttons = 0});
  say({.kind = Kind::release});
  turn();
  const std::vector<std::string> wanted{"key 30 down", "at 1 2 4", "by -1 5 0", "release"};
  BOOST_TEST(input.told(4) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(when_the_display_has_gone_nothing_runs) {
  screen.set(small_surface());
  greet();
  say({.kind = Kind::want});
  say({.kind = Kind::gone});
  turn();
  BOOST_TEST(input.told(1).back() == "release");
  BOOST_TEST(!feed->has_viewers());
  const auto looks = feed->counters().looks;
  for (int i = 0; i < 100; ++i) {
    turn();
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  BOOST_TEST(feed->counters().looks == looks);
  BOOST_TEST(loop.counters().sleeps == 0U);
}

// SECURITY.md, part G: P2
BOOST_AUTO_TEST_CASE(a_display_that_was_taken_over_gets_no_more_than_it_may_have) {
  greet();
  for (int i = 0; i < 100; ++i) {
    std::array<std::byte, 9> bytes{};
    bytes.fill(std::byte{static_cast<std::uint8_t>(i)});
    static_cast<void>(::send(line.get(), bytes.data(), static_cast<std::size_t>(i % 9) + 1, 0));
    turn();
  }
  BOOST_TEST(::send(line.get(), nullptr, 0, 0) == 0);  // an empty message is no end
  turn();
  for (const Kind kind : {Kind::here, Kind::picture}) {
    say({.kind = kind});
  }
  turn();
  BOOST_TEST(feed->counters().nonsense == 103U);
  // Pictures are looked for thirty times a second, however often they are wanted.
  for (int i = 0; i < 1000; ++i) {
    say({.kind = Kind::want});
    turn();
  }
  BOOST_TEST(feed->counters().looks < 100U);
  // It cannot write into what it is given.
  BOOST_TEST((::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, -1, 0) == MAP_FAILED));
}

BOOST_AUTO_TEST_CASE(the_area_can_be_mapped_for_reading_alone_by_the_display) {
  auto files = make_area();
  BOOST_TEST_REQUIRE(files.has_value());
  BOOST_TEST(!MappedArea::map(files->readable.get(), true));
  BOOST_TEST(::ftruncate(files->writable.get(), 0) != 0);
}

BOOST_AUTO_TEST_CASE(a_password_has_eight_characters) {
  feed->set_password("123456789");
  BOOST_TEST((std::string_view{seen->get().password.data(), 8} == "12345678"));
  feed->set_password("ab");
  BOOST_TEST((std::string_view{seen->get().password.data()} == "ab"));
  BOOST_TEST(seen->get().password_set == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::display::test
