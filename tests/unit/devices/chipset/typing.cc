// SPDX-License-Identifier: MIT
// What people do: keys in the three sets of scan codes, translated and not, and a mouse that moves.
// As Linux's i8042, atkbd and psmouse read it. Scan codes were typed from IBM's tables.
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace dm::test {
namespace {

using Bytes = std::vector<int>;

struct Typing : Machine {
  /// As Linux leaves the controller: translation, both interrupts, both lines on.
  Typing() {
    kbc.command(0x60, 0x47);
    kbc.command(0xa8);
  }
  [[nodiscard]] chipset::KeyboardController& board() { return chipset.keyboard(); }
  [[nodiscard]] Bytes come() {
    Bytes bytes;
    while (bytes.size() < 64) {
      const auto byte = kbc.read();
      if (!byte) {
        break;
      }
      bytes.push_back(*byte);
    }
    return bytes;
  }
  [[nodiscard]] Bytes press(int code, bool down) {
    board().press(static_cast<std::uint8_t>(code), down);
    return come();
  }
  void to_keyboard(std::initializer_list<int> bytes) {
    for (const int byte : bytes) {
      guest.outb(0x60, static_cast<std::uint8_t>(byte));
      (void)come();
    }
  }
  void to_mouse(std::initializer_list<int> bytes) {
    for (const int byte : bytes) {
      kbc.command(0xd4, static_cast<std::uint8_t>(byte));
      (void)come();
    }
  }
  [[nodiscard]] Bytes move(int right, int up, int buttons = 0, int wheel = 0) {
    board().move(right, up, static_cast<std::uint8_t>(buttons), wheel);
    return come();
  }
};

#define DM_SAME(got, ...) \
  BOOST_TEST((got) == (Bytes{__VA_ARGS__}), boost::test_tools::per_element())

BOOST_FIXTURE_TEST_SUITE(chipset_typing, Typing)

BOOST_AUTO_TEST_CASE(a_key_is_a_make_code_and_a_break_code_of_set_1) {
  DM_SAME(press(0x1e, true), 0x1e);
  DM_SAME(press(0x1e, true), 0x1e);  // held: the viewer repeats it
  DM_SAME(press(0x1e, false), 0x9e);
  DM_SAME(press(0xc8, true), 0xe0, 0x48);  // up
  DM_SAME(press(0xc8, false), 0xe0, 0xc8);
  DM_SAME(press(0x41, true), 0x41);  // F7, whose code of set 2 is out of line
  DM_SAME(press(0x41, false), 0xc1);
  BOOST_TEST(!guest.isa_irq(1));
}

BOOST_AUTO_TEST_CASE(every_key_comes_through_the_translation_as_it_went_in) {
  for (int code = 1; code < 0x60; ++code) {
    DM_SAME(press(code, true), code);
    DM_SAME(press(code, false), code | 0x80);
    if (code != 0x46 && code != 0x37) {
      DM_SAME(press(code | 0x80, true), 0xe0, code);
      DM_SAME(press(code | 0x80, false), 0xe0, code | 0x80);
    }
  }
}

BOOST_AUTO_TEST_CASE(pause_and_print_have_sequences_of_their_own) {
  DM_SAME(press(0xc6, true), 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
  DM_SAME(press(0xc6, false), );
  DM_SAME(press(0xb7, true), 0xe0, 0x2a, 0xe0, 0x37);
  DM_SAME(press(0xb7, false), 0xe0, 0xb7, 0xe0, 0xaa);
  (void)press(0x1d, true);  // Ctrl
  DM_SAME(press(0xc6, true), 0xe0, 0x46, 0xe0, 0xc6);
  DM_SAME(press(0xb7, true), 0xe0, 0x37);
  (void)press(0x1d, false);
  (void)press(0x38, true);  // Alt
  DM_SAME(press(0xb7, true), 0x54);
  DM_SAME(press(0xb7, false), 0xd4);
}

BOOST_AUTO_TEST_CASE(without_translation_set_2_comes_as_the_keyboard_sends_it) {
  kbc.command(0x60, 0x07);
  DM_SAME(press(0x1e, true), 0x1c);
  DM_SAME(press(0x1e, false), 0xf0, 0x1c);
  DM_SAME(press(0x9d, true), 0xe0, 0x14);
  DM_SAME(press(0x9d, false), 0xe0, 0xf0, 0x14);
  DM_SAME(press(0xc6, true), 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77);
  DM_SAME(press(0x41, true), 0x83);
}

BOOST_AUTO_TEST_CASE(sets_1_and_3_are_chosen_by_the_system) {
  kbc.command(0x60, 0x07);
  to_keyboard({0xf0, 0x01});
  DM_SAME(press(0x1e, true), 0x1e);
  DM_SAME(press(0x1e, false), 0x9e);
  DM_SAME(press(0xcb, false), 0xe0, 0xcb);
  to_keyboard({0xf0, 0x03});
  DM_SAME(press(0x1e, true), 0x1c);
  DM_SAME(press(0x1e, false), 0xf0, 0x1c);
  DM_SAME(press(0x01, true), 0x08);  // Esc
  DM_SAME(press(0xc8, true), 0x63);  // up
  DM_SAME(press(0xc6, true), 0x62);  // Pause
  DM_SAME(press(0x3b, true), 0x07);  // F1
}

BOOST_AUTO_TEST_CASE(a_keyboard_that_was_switched_off_says_nothing) {
  to_keyboard({0xf5});
  DM_SAME(press(0x1e, true), );
  to_keyboard({0xf4});
  DM_SAME(press(0x1e, true), 0x1e);
}

// SECURITY.md, part G: K1
BOOST_AUTO_TEST_CASE(a_sequence_comes_whole_or_not_at_all) {
  for (int i = 0; i < 200; ++i) {
    board().press(0xc6, true);  // eight bytes each
    board().press(0xc8, true);
  }
  Bytes bytes = come();
  // The first byte waits at the controller, so the queue had room for 16 behind it.
  const Bytes pause{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5};
  BOOST_TEST((Bytes{bytes.begin(), bytes.begin() + 6} == pause));
  BOOST_TEST(bytes.size() <= 17U);
  while (bytes.size() >= 6 && Bytes{bytes.begin(), bytes.begin() + 6} == pause) {
    bytes.erase(bytes.begin(), bytes.begin() + 6);
  }
  while (bytes.size() >= 2 && bytes[0] == 0xe0 && bytes[1] == 0x48) {
    bytes.erase(bytes.begin(), bytes.begin() + 2);
  }
  BOOST_TEST(bytes.empty());
}

BOOST_AUTO_TEST_CASE(codes_that_no_key_has_are_harmless) {
  DM_SAME(press(0, true), );
  DM_SAME(press(0x80, true), );
  for (int code = 0; code < 256; ++code) {
    (void)press(code, true);
    (void)press(code, false);
  }
  BOOST_TEST(validate(board().state()));
}

BOOST_AUTO_TEST_CASE(a_mouse_tells_movements_when_it_was_switched_on) {
  DM_SAME(move(3, 4), );
  to_mouse({0xf4});
  DM_SAME(move(3, 4), 0x08, 3, 4);
  DM_SAME(move(-3, -4, 1), 0x39, 0xfd, 0xfc);
  DM_SAME(move(0, 0, 2), 0x0a, 0, 0);
  DM_SAME(move(0, 0, 4), 0x0c, 0, 0);
  DM_SAME(move(0, 0, 4), );  // nothing new
  DM_SAME(move(0, 0, 0), 0x08, 0, 0);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_into_a_packet_comes_in_the_next) {
  to_mouse({0xf4});
  DM_SAME(move(300, -130), 0x28, 127, 0x81, 0x28, 127, 0xfd, 0x08, 46, 0);
}

BOOST_AUTO_TEST_CASE(the_wheel_has_a_byte_after_microsofts_knock) {
  to_mouse({0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf4});
  DM_SAME(move(0, 0, 0, 1), 0x08, 0, 0, 1);
  DM_SAME(move(0, 0, 0, -1), 0x08, 0, 0, 0xff);
  to_mouse({0xf3, 200, 0xf3, 200, 0xf3, 80});
  DM_SAME(move(0, 0, 0, -1), 0x08, 0, 0, 0x0f);
}

BOOST_AUTO_TEST_CASE(in_remote_mode_it_waits_to_be_asked) {
  to_mouse({0xf0});
  DM_SAME(move(5, 0), );
  kbc.command(0xd4, 0xeb);
  DM_SAME(come(), 0xfa, 0x08, 5, 0);
}

BOOST_AUTO_TEST_CASE(a_system_that_does_not_listen_gets_bounded_news) {
  to_mouse({0xf4});
  for (int i = 0; i < 1000; ++i) {
    board().move(32767, -32768, 7, 100);
  }
  BOOST_TEST(validate(board().state()));
  const Bytes bytes = come();
  BOOST_TEST(bytes.size() == 64U);  // all that was looked for, and it ends
  Bytes more = come();
  while (more.size() == 64U) {
    more = come();
  }
  DM_SAME(move(0, 0, 7), );
}

BOOST_AUTO_TEST_CASE(a_guest_in_the_middle_of_a_sequence_goes_on_elsewhere) {
  to_mouse({0xf4});
  board().press(0xc8, false);  // E0 F0 75: the controller has E0
  board().move(200, 0, 0, 0);
  const auto saved = chipset.state();
  Machine other;
  BOOST_TEST_REQUIRE(other.chipset.restore(saved));
  Bytes bytes;
  while (const auto byte = other.kbc.read()) {
    bytes.push_back(*byte);
  }
  DM_SAME(bytes, 0xe0, 0xc8, 0x08, 127, 0, 0x08, 73, 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
