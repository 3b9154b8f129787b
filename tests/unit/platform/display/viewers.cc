// SPDX-License-Identifier: MIT
// Viewers of a screen, with the real program and its confinement.
#include "tests/rig/rfb_client.h"
#include "tests/unit/platform/display/shown.h"

#include <rfb/rfb.h>

#include <csignal>

namespace dm::display::test {
namespace {

using rig::RfbClient;
constexpr std::array kPlain{RfbClient::raw, RfbClient::new_size};
constexpr std::array kAll{RfbClient::raw, RfbClient::new_size, RfbClient::qemu_key,
                          RfbClient::pointer_mode};

void paint(FileVideo& video, std::uint32_t pixel) {
  for (std::size_t i = 0; i < std::size_t{64} * 48; ++i) {
    std::memcpy(video.bytes().data() + i * 4, &pixel, sizeof pixel);
  }
}

/// Asks until the screen has this size and colour.
[[nodiscard]] bool sees(RfbClient& viewer, std::uint32_t width, std::uint32_t pixel) {
  for (int i = 0; i < 50 && viewer.ok(); ++i) {
    viewer.ask(i != 0);
    if (!viewer.update()) {
      return false;
    }
    if (viewer.width == width &&
        std::ranges::all_of(viewer.pixels, [pixel](auto p) { return p == pixel; })) {
      return true;
    }
  }
  return false;
}

[[nodiscard]] auto answer_with(const char* password) {
  return [password](RfbClient::Challenge challenge) {
    std::array<char, 9> word{};
    std::strncpy(word.data(), password, 8);
    rfbEncryptBytes(challenge.data(), word.data());
    return challenge;
  };
}

BOOST_AUTO_TEST_SUITE(viewers)

BOOST_AUTO_TEST_CASE(a_viewer_sees_the_screen_and_what_changes_on_it) {
  Shown shown;
  paint(shown.video, 0x00123456);
  shown.screen.set(small_surface());
  RfbClient viewer{shown.path()};
  BOOST_TEST_REQUIRE(viewer.join());
  BOOST_TEST(viewer.name == "guest");
  viewer.understand(kPlain);
  BOOST_TEST(sees(viewer, 64, 0x123456));
  // One pixel of the second page: that one alone is sent again.
  const unsigned before = viewer.drawn;
  const std::uint32_t red = 0x00ff0000;
  std::memcpy(shown.video.bytes().data() + 4096 + 40 * 4, &red, sizeof red);
  {
    const std::scoped_lock held{shown.video.lock};
    shown.video.written.push_back(1);
  }
  viewer.ask(true);
  BOOST_TEST_REQUIRE(viewer.update());
  BOOST_TEST(viewer.drawn == before + 1);
  BOOST_TEST(viewer.pixels.at(16 * 64 + 40) == 0xff0000U);
  BOOST_TEST(viewer.pixels.at(16 * 64 + 41) == 0x123456U);
}

BOOST_AUTO_TEST_CASE(a_new_mode_is_a_new_size) {
  Shown shown;
  paint(shown.video, 0x0000ff00);
  shown.screen.set(small_surface());
  RfbClient viewer{shown.path()};
  BOOST_TEST_REQUIRE(viewer.join());
  viewer.understand(kPlain);
  BOOST_TEST(sees(viewer, 64, 0x00ff00));
  Surface text;
  text.source = Surface::Source::drawn;
  text.width = 720;
  text.height = 400;
  text.stride = 720;
  text.palette[9] = 0xabcdef;
  shown.screen.colour = 9;
  shown.screen.set(text);
  BOOST_TEST(sees(viewer, 720, 0xabcdef));
  BOOST_TEST(viewer.height == 400U);
  BOOST_TEST(shown.video.stopped == 0);
}

BOOST_AUTO_TEST_CASE(keys_arrive_as_scan_codes_whatever_the_viewer_sends) {
  Shown shown;
  shown.screen.set(small_surface());
  RfbClient viewer{shown.path()};
  BOOST_TEST_REQUIRE(viewer.join());
  viewer.understand(kAll);
  BOOST_TEST(sees(viewer, 64, 0));
  BOOST_TEST(viewer.takes_scan_codes);
  shown.input.forget();
  viewer.key('a', true);
  viewer.key('a', false);
  viewer.scan_code(0xb8, true);  // AltGr
  viewer.scan_code(0xb8, false);
  viewer.key(0xff55, true);  // Page Up
  viewer.key(0xff55, false);
  viewer.key('H', true);  // without its Shift
  viewer.key('H', false);
  viewer.key('!', true);
  viewer.key('!', false);
  const std::vector<std::string> wanted{"key 30 down",  "key 30 up",  "key 184 down", "key 184 up",
                                        "key 201 down", "key 201 up", "key 42 down",  "key 35 down",
                                        "key 42 up",    "key 35 up",  "key 42 down",  "key 2 down",
                                        "key 42 up",    "key 2 up"};
  BOOST_TEST(shown.input.told(wanted.size()) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_german_keyboard_sends_german_letters) {
  Shown shown{{}, {"--keymap", "de"}};
  RfbClient viewer{shown.path()};
  BOOST_TEST_REQUIRE(viewer.join());
  BOOST_TEST(!shown.input.told(0).empty() == false);
  viewer.key('z', true);
  viewer.key(0xf6, true);  // o with two dots
  const std::vector<std::string> wanted{"key 21 down", "key 39 down"};
  BOOST_TEST(shown.input.told(2) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_pointer_is_placed_or_moved_as_the_guest_can_have_it) {
  Shown shown;
  shown.screen.set(small_surface());
  RfbClient viewer{shown.path()};
  BOOST_TEST_REQUIRE(viewer.join());
  viewer.understand(kAll);
  BOOST_TEST(sees(viewer, 64, 0));
  BOOST_TEST((viewer.absolute == false));
  shown.input.forget();
  viewer.point(0x7fff + 3, 0x7fff - 4, 1);
  const std::vector<std::string> moved{"by 3 -4 1"};
  BOOST_TEST(shown.input.told(1) == moved, boost::test_tools::per_element());
  // The guest has got a tablet: told with the next look at the screen.
  shown.input.goes = true;
  shown.screen.written = true;
  viewer.ask(true);
  while (viewer.ok() && viewer.absolute == false) {
    BOOST_TEST_REQUIRE(viewer.update());
  }
  shown.input.forget();
  viewer.point(63, 0, 0);
  const std::vector<std::string> placed{"at 32767 0 0"};
  BOOST_TEST(shown.input.told(1) == placed, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(keys_that_a_viewer_holds_are_released_when_it_goes) {
  Shown shown;
  {
    RfbClient viewer{shown.path()};
    BOOST_TEST_REQUIRE(viewer.join());
    viewer.key(0xffe3, true);  // Ctrl
    BOOST_TEST(shown.input.told(1).back() == "key 29 down");
  }
  const std::vector<std::string> wanted{"key 29 down", "key 29 up", "release"};
  BOOST_TEST(shown.input.told(3) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_password_lets_in_who_knows_it) {
  Shown shown{"s3cret"};
  RfbClient none{shown.path()};
  BOOST_TEST(!none.join());
  RfbClient wrong{shown.path()};
  BOOST_TEST(!wrong.join(answer_with("secret")));
  RfbClient right{shown.path()};
  BOOST_TEST(right.join(answer_with("s3cret")));
}

BOOST_AUTO_TEST_CASE(after_five_wrong_passwords_the_right_one_does_not_help_for_a_minute) {
  Shown shown{"s3cret"};
  for (int i = 0; i < 5; ++i) {
    RfbClient wrong{shown.path()};
    BOOST_TEST(!wrong.join(answer_with("guess")));
  }
  RfbClient right{shown.path()};
  BOOST_TEST(!right.join(answer_with("s3cret")));
}

BOOST_AUTO_TEST_CASE(a_display_that_is_killed_is_another_one_for_the_next_viewer) {
  Shown shown;
  shown.screen.set(small_surface());
  paint(shown.video, 0x00010203);
  RfbClient first{shown.path()};
  BOOST_TEST_REQUIRE(first.join());
  first.understand(kPlain);
  BOOST_TEST(sees(first, 64, 0x010203));
  ::kill(shown.display, SIGKILL);
  BOOST_TEST(first.closed());
  RfbClient second{shown.path()};
  BOOST_TEST_REQUIRE(second.join());
  second.understand(kPlain);
  BOOST_TEST(sees(second, 64, 0x010203));
  BOOST_TEST(shown.ended == 1);
  BOOST_TEST(shown.video.stopped >= 1);
}

BOOST_AUTO_TEST_CASE(garbage_ends_its_viewer_and_not_the_others) {
  Shown shown;
  shown.screen.set(small_surface());
  paint(shown.video, 0x00010203);
  RfbClient good{shown.path()};
  BOOST_TEST_REQUIRE(good.join());
  good.understand(kPlain);
  for (const int type : {1, 7, 8, 15, 99, 250, 253}) {
    RfbClient bad{shown.path()};
    BOOST_TEST_REQUIRE(bad.join());
    bad.send(std::array<std::uint8_t, 12>{static_cast<std::uint8_t>(type), 0xff, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff});
    BOOST_TEST(bad.closed(), "message " << type);
  }
  RfbClient noise{shown.path()};
  noise.send(std::array<std::uint8_t, 12>{'H', 'E', 'L', 'O', 0, 1, 2, 3, 4, 5, 6, 7});
  BOOST_TEST(noise.closed());
  BOOST_TEST(sees(good, 64, 0x010203));
  BOOST_TEST(shown.ended == 0);
}

BOOST_AUTO_TEST_CASE(the_ninth_viewer_is_turned_away) {
  Shown shown;
  std::vector<std::unique_ptr<RfbClient>> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(std::make_unique<RfbClient>(shown.path()));
    BOOST_TEST(all.back()->join());
  }
  RfbClient ninth{shown.path()};
  BOOST_TEST(!ninth.join());
  all.pop_back();
  // Its end has to be seen first.
  bool in = false;
  for (int i = 0; i < 100 && !in; ++i) {
    RfbClient next{shown.path()};
    in = next.join();
  }
  BOOST_TEST(in);
}

BOOST_AUTO_TEST_CASE(without_a_viewer_there_is_no_process_and_no_look_at_the_screen) {
  Shown shown;
  shown.screen.set(small_surface());
  std::this_thread::sleep_for(std::chrono::milliseconds{200});
  BOOST_TEST(shown.display == -1);
  BOOST_TEST(shown.looks == 0U);
  BOOST_TEST(shown.video.asked == 0);
  BOOST_TEST(shown.screen.draws == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::display::test
