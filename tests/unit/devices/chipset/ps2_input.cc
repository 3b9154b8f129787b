// SPDX-License-Identifier: MIT
// Somebody types and moves the mouse. The guest sets keyboard and mouse up as Linux does (atkbd,
// psmouse) and reads bytes by interrupts. Codes are typed from IBM's PS/2 Hardware Interface
// Technical Reference, keys and buttons from core/backend/input_sink.h.
#include "core/state/describe.h"
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <vector>

namespace dm::test {
namespace {

using Bytes = std::vector<int>;

#define DM_SAME(left, right) BOOST_TEST((left) == (right), boost::test_tools::per_element())
#define DM_BYTES(...) (Bytes{__VA_ARGS__})

struct Typist : Machine {
  void key(std::uint8_t code, bool down) { chipset.i8042().key(code, down); }
  /// What the guest's handler of that interrupt reads.
  Bytes by_irq(std::uint8_t irq) {
    Bytes bytes;
    while (guest.isa_irq(irq) && bytes.size() < 3000) {
      bytes.push_back(guest.inb(0x60));
    }
    return bytes;
  }
  Bytes press(std::uint8_t code) {
    key(code, true);
    return by_irq(1);
  }
  Bytes release(std::uint8_t code) {
    key(code, false);
    return by_irq(1);
  }
  /// atkbd: get id, set leds, default and disable, scan code set, enable.
  void start_keyboard(std::uint8_t command_byte, std::uint8_t set) {
    kbc.command(0x60, command_byte);
    for (const std::uint8_t byte :
         std::initializer_list<std::uint8_t>{0xf2, 0xed, 0x00, 0xf5, 0xf0, set, 0xf4}) {
      (void)kbc.keyboard(byte);
    }
  }
  void untranslated(std::uint8_t set) { start_keyboard(0x25, set); }
  void translated() { start_keyboard(0x65, 2); }

  void move(int dx, int dy, std::uint8_t buttons) {
    chipset.i8042().move_mouse(static_cast<std::int16_t>(dx), static_cast<std::int16_t>(dy),
                               buttons);
  }
  Bytes moved(int dx, int dy, std::uint8_t buttons) {
    move(dx, dy, buttons);
    return by_irq(12);
  }
  void mouse(std::initializer_list<std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) {
      (void)kbc.mouse(byte);
    }
  }
  void start_mouse() {
    kbc.command(0x60, 0x57);
    mouse({0xff, 0xf2, 0xf6, 0xe8, 0x03, 0xe6, 0xf3, 100, 0xf4});
  }
  void start_wheel() {
    kbc.command(0x60, 0x57);
    mouse({0xff, 0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2, 0xf3, 100, 0xf4});
  }
};

BOOST_FIXTURE_TEST_SUITE(chipset_typing, Typist)

BOOST_AUTO_TEST_CASE(a_key_makes_and_breaks_in_every_scan_code_set) {
  untranslated(2);
  DM_SAME(press(0x1e), DM_BYTES(0x1c));  // A
  DM_SAME(release(0x1e), DM_BYTES(0xf0, 0x1c));
  DM_SAME(press(0xcb), DM_BYTES(0xe0, 0x6b));  // left
  DM_SAME(release(0xcb), DM_BYTES(0xe0, 0xf0, 0x6b));
  DM_SAME(press(0x41), DM_BYTES(0x83));  // F7
  untranslated(1);
  DM_SAME(press(0x1e), DM_BYTES(0x1e));
  DM_SAME(release(0x1e), DM_BYTES(0x9e));
  DM_SAME(press(0xcb), DM_BYTES(0xe0, 0x4b));
  DM_SAME(release(0xcb), DM_BYTES(0xe0, 0xcb));
  untranslated(3);
  DM_SAME(press(0x1e), DM_BYTES(0x1c));
  DM_SAME(release(0x1e), DM_BYTES(0xf0, 0x1c));
  DM_SAME(press(0xcb), DM_BYTES(0x61));
  DM_SAME(release(0xcb), DM_BYTES(0xf0, 0x61));
}

BOOST_AUTO_TEST_CASE(the_controller_translates_set_2_so_that_the_guest_reads_xt_codes) {
  translated();
  for (unsigned code = 1; code < 0x59; ++code) {
    if (code == 0x55 || code == 0x37 || code == 0x54) {
      continue;  // no key, or above
    }
    const auto xt = static_cast<std::uint8_t>(code);
    BOOST_TEST_CONTEXT("code " << code) {
      const int byte = xt;
      DM_SAME(press(xt), DM_BYTES(byte));
      DM_SAME(release(xt), DM_BYTES(byte | 0x80));
    }
  }
  for (const std::uint8_t code :
       std::initializer_list<std::uint8_t>{0x9c, 0x9d, 0xb5, 0xb8, 0xc7, 0xc8, 0xc9, 0xcb, 0xcd,
                                           0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xdb, 0xdc, 0xdd}) {
    BOOST_TEST_CONTEXT("code " << int{code}) {
      DM_SAME(press(code), DM_BYTES(0xe0, code & 0x7f));
      DM_SAME(release(code), DM_BYTES(0xe0, code));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_byte_has_an_interrupt_edge_of_its_own) {
  translated();
  const auto before = guest.isa_edges(1);
  DM_SAME(press(0xc8), DM_BYTES(0xe0, 0x48));
  DM_SAME(release(0xc8), DM_BYTES(0xe0, 0xc8));
  BOOST_TEST(guest.isa_edges(1) - before == 4);
  BOOST_TEST(guest.isa_edges(12) == 0);
}

BOOST_AUTO_TEST_CASE(pause_sends_all_it_has_when_it_goes_down) {
  untranslated(2);
  DM_SAME(press(0xc6), DM_BYTES(0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77));
  DM_SAME(release(0xc6), DM_BYTES());
  untranslated(1);
  DM_SAME(press(0xc6), DM_BYTES(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5));
  translated();
  DM_SAME(press(0xc6), DM_BYTES(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5));
  untranslated(3);
  DM_SAME(press(0xc6), DM_BYTES(0x62));
  DM_SAME(release(0xc6), DM_BYTES(0xf0, 0x62));
}

BOOST_AUTO_TEST_CASE(ctrl_and_pause_is_break) {
  untranslated(2);
  (void)press(0x1d);
  DM_SAME(press(0xc6), DM_BYTES(0xe0, 0x7e, 0xe0, 0xf0, 0x7e));
  DM_SAME(release(0xc6), DM_BYTES());
  (void)release(0x1d);
  translated();
  (void)press(0x9d);
  DM_SAME(press(0xc6), DM_BYTES(0xe0, 0x46, 0xe0, 0xc6));
}

BOOST_AUTO_TEST_CASE(print_screen_depends_on_shift_ctrl_and_alt) {
  untranslated(2);
  DM_SAME(press(0xb7), DM_BYTES(0xe0, 0x12, 0xe0, 0x7c));
  DM_SAME(release(0xb7), DM_BYTES(0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12));
  for (const std::uint8_t modifier : std::initializer_list<std::uint8_t>{0x2a, 0x36, 0x1d, 0x9d}) {
    (void)press(modifier);
    DM_SAME(press(0xb7), DM_BYTES(0xe0, 0x7c));
    DM_SAME(release(0xb7), DM_BYTES(0xe0, 0xf0, 0x7c));
    (void)release(modifier);
  }
  for (const std::uint8_t alt : std::initializer_list<std::uint8_t>{0x38, 0xb8}) {
    (void)press(alt);
    DM_SAME(press(0xb7), DM_BYTES(0x84));
    (void)release(alt);  // it stays the key that went down
    DM_SAME(release(0xb7), DM_BYTES(0xf0, 0x84));
  }
  translated();
  DM_SAME(press(0xb7), DM_BYTES(0xe0, 0x2a, 0xe0, 0x37));
  DM_SAME(release(0xb7), DM_BYTES(0xe0, 0xb7, 0xe0, 0xaa));
  (void)press(0x38);
  DM_SAME(press(0xb7), DM_BYTES(0x54));
  DM_SAME(release(0xb7), DM_BYTES(0xd4));
}

BOOST_AUTO_TEST_CASE(a_held_key_is_made_again_and_broken_once) {
  translated();
  DM_SAME(press(0x1e), DM_BYTES(0x1e));
  DM_SAME(press(0x1e), DM_BYTES(0x1e));
  DM_SAME(release(0x1e), DM_BYTES(0x9e));
  DM_SAME(release(0x1e), DM_BYTES());
}

BOOST_AUTO_TEST_CASE(answers_to_commands_go_before_keys_that_wait) {
  translated();
  key(0x1e, true);  // in the output buffer
  key(0x1f, true);
  guest.outb(0x60, 0xed);
  DM_SAME(by_irq(1), DM_BYTES(0x1e, 0xfa, 0x1f));
}

BOOST_AUTO_TEST_CASE(the_lights_are_what_the_guest_has_set) {
  translated();
  (void)kbc.keyboard(0xed);
  (void)kbc.keyboard(0x05);
  BOOST_TEST(chipset.i8042().keyboard().leds == 5);
}

BOOST_AUTO_TEST_CASE(without_scanning_nothing_is_typed_but_a_key_that_went_up_is_told_later) {
  translated();
  DM_SAME(press(0x1e), DM_BYTES(0x1e));
  (void)kbc.keyboard(0xf5);
  DM_SAME(press(0x30), DM_BYTES());
  DM_SAME(release(0x30), DM_BYTES());
  DM_SAME(release(0x1e), DM_BYTES());
  DM_SAME(kbc.keyboard(0xf4), DM_BYTES(0xfa, 0x9e));
}

// SECURITY.md D21
BOOST_AUTO_TEST_CASE(
    all_keys_down_without_a_reader_fill_16_bytes_and_every_one_that_was_made_breaks) {
  translated();
  for (unsigned round = 0; round < 50; ++round) {
    for (unsigned code = 0; code < 256; ++code) {
      key(static_cast<std::uint8_t>(code), false);  // never pressed, for most
      key(static_cast<std::uint8_t>(code), true);
    }
  }
  BOOST_TEST(chipset.i8042().state().keyboard.keys.count <= 16);
  for (unsigned code = 0; code < 256; ++code) {
    key(static_cast<std::uint8_t>(code), false);
  }
  // Each byte is read when the guest likes; what was down is up in the end.
  std::vector<int> down;
  for (const int byte : by_irq(1)) {
    if (byte < 0x80) {
      down.push_back(byte);
    } else if (byte != 0xe0 && byte != 0xe1) {
      std::erase(down, byte & 0x7f);
    }
  }
  DM_SAME(down, DM_BYTES());
  BOOST_TEST((chipset.i8042().state().keyboard.down == chipset::KeyBits{}));
  DM_SAME(press(0x1e), DM_BYTES(0x1e));
}

BOOST_AUTO_TEST_CASE(a_sequence_goes_in_whole_or_not_at_all) {
  untranslated(2);
  key(0x1e, true);  // in the output buffer
  for (unsigned i = 0; i < 9; ++i) {
    key(0x1e, true);
  }
  key(0xc6, true);  // 8 bytes, where 7 have room
  key(0x30, true);
  DM_SAME(by_irq(1), DM_BYTES(0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x32));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(chipset_mouse_moves, Typist)

BOOST_AUTO_TEST_CASE(a_movement_is_a_packet_of_three_bytes_with_y_up) {
  start_mouse();
  DM_SAME(moved(5, 3, 0), DM_BYTES(0x28, 5, 0xfd));
  DM_SAME(moved(-5, -3, 0), DM_BYTES(0x18, 0xfb, 3));
  BOOST_TEST(guest.isa_edges(1) == 0);
}

BOOST_AUTO_TEST_CASE(buttons_are_left_right_middle) {
  start_mouse();
  DM_SAME(moved(0, 0, 1), DM_BYTES(0x09, 0, 0));
  DM_SAME(moved(0, 0, 2), DM_BYTES(0x0c, 0, 0));
  DM_SAME(moved(0, 0, 4), DM_BYTES(0x0a, 0, 0));
  DM_SAME(moved(0, 0, 0), DM_BYTES(0x08, 0, 0));
  DM_SAME(moved(0, 0, 0), DM_BYTES());
  DM_SAME(moved(0, 0, 8), DM_BYTES());  // there is no wheel
}

BOOST_AUTO_TEST_CASE(a_long_way_is_several_packets_and_nothing_of_it_is_lost) {
  start_mouse();
  DM_SAME(moved(300, -130, 0), DM_BYTES(0x08, 127, 127, 0x08, 127, 3, 0x08, 46, 0));
}

BOOST_AUTO_TEST_CASE(a_click_comes_after_the_movement_before_it) {
  start_mouse();
  move(200, 0, 0);
  move(0, 0, 1);
  move(0, 0, 0);
  DM_SAME(by_irq(12), DM_BYTES(0x08, 127, 0, 0x08, 73, 0, 0x09, 0, 0, 0x08, 0, 0));
}

BOOST_AUTO_TEST_CASE(movements_that_nobody_reads_add_up) {
  start_mouse();
  for (int i = 0; i < 100000; ++i) {
    move(1, 0, 0);
  }
  int x = 0;
  Bytes bytes = by_irq(12);
  while (!bytes.empty()) {
    for (std::size_t i = 1; i < bytes.size(); i += 3) {
      x += bytes[i];
    }
    bytes = by_irq(12);
  }
  BOOST_TEST(x >= 32767);
  BOOST_TEST(x <= 32767 + 2 * 127);
  BOOST_TEST(chipset.i8042().state().mouse.packets.count <= 16);
}

BOOST_AUTO_TEST_CASE(an_intellimouse_has_a_fourth_byte_for_the_wheel) {
  start_wheel();
  DM_SAME(moved(1, 0, 0), DM_BYTES(0x08, 1, 0, 0));
  DM_SAME(moved(0, 0, 8), DM_BYTES(0x08, 0, 0, 0xff));
  DM_SAME(moved(0, 0, 8), DM_BYTES());  // held: no further step
  DM_SAME(moved(0, 0, 0), DM_BYTES());
  DM_SAME(moved(0, 0, 16), DM_BYTES(0x08, 0, 0, 1));
}

BOOST_AUTO_TEST_CASE(the_other_knock_makes_it_an_explorer) {
  kbc.command(0x60, 0x57);
  mouse({0xff, 0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2, 0xf3, 200, 0xf3, 200, 0xf3, 80});
  DM_SAME(kbc.mouse(0xf2), DM_BYTES(0xfa, 0x04));
  mouse({0xf4});
  DM_SAME(moved(0, 0, 8), DM_BYTES(0x08, 0, 0, 0x0f));
  DM_SAME(moved(0, 0, 16), DM_BYTES(0x08, 0, 0, 0x01));
}

BOOST_AUTO_TEST_CASE(without_reporting_in_remote_and_in_wrap_mode_no_packet_comes_by_itself) {
  start_mouse();
  mouse({0xf5});
  DM_SAME(moved(1, 1, 1), DM_BYTES());
  mouse({0xf4, 0xf0});
  DM_SAME(moved(2, -3, 0), DM_BYTES());
  DM_SAME(kbc.mouse(0xeb), DM_BYTES(0xfa, 0x08, 2, 3));
  DM_SAME(kbc.mouse(0xeb), DM_BYTES(0xfa, 0x08, 0, 0));
  mouse({0xea, 0xee});
  DM_SAME(moved(2, -3, 0), DM_BYTES());
  DM_SAME(kbc.mouse(0x55), DM_BYTES(0x55));
  mouse({0xec});
  DM_SAME(moved(1, 0, 0), DM_BYTES(0x08, 1, 0));
}

BOOST_AUTO_TEST_CASE(the_status_shows_the_buttons) {
  start_mouse();
  (void)moved(0, 0, 1);
  DM_SAME(kbc.mouse(0xe9), DM_BYTES(0xfa, 0x24, 0x03, 100));
  (void)moved(0, 0, 6);
  DM_SAME(kbc.mouse(0xe9), DM_BYTES(0xfa, 0x23, 0x03, 100));
}

BOOST_AUTO_TEST_CASE(a_command_ends_the_packet_that_it_interrupts) {
  start_mouse();
  move(1, 2, 0);
  (void)guest.inb(0x60);
  guest.outb(0x64, 0xd4);
  guest.outb(0x60, 0xf5);
  DM_SAME(by_irq(12), DM_BYTES(1, 0xfa));  // the second byte was in the output buffer
  mouse({0xf4});
  DM_SAME(moved(1, 0, 0), DM_BYTES(0x08, 1, 0));
}

BOOST_AUTO_TEST_CASE(keys_go_before_packets) {
  kbc.command(0x60, 0x47);
  start_mouse();
  kbc.command(0x60, 0x47);
  move(1, 0, 0);
  key(0x1e, true);
  DM_SAME(kbc.drain(), DM_BYTES(0x08, 0x1e, 1, 0));
}

BOOST_AUTO_TEST_CASE(what_waits_is_saved_and_read_elsewhere) {
  translated();
  (void)press(0x2a);
  start_wheel();
  kbc.command(0x60, 0x47);
  move(300, 0, 0);
  move(0, 0, 1);
  for (unsigned i = 0; i < 20; ++i) {
    key(0x1e, true);
  }
  key(0x2a, false);  // no room
  chipset::ChipsetState s = chipset.state();
  BOOST_TEST(validate(s));
  Typist other;
  chipset::ChipsetState loaded = other.chipset.state();
  BOOST_REQUIRE(state::load(state::save(s), loaded));
  BOOST_REQUIRE(other.chipset.restore(loaded));
  const Bytes here = kbc.drain();
  BOOST_TEST(here.size() > 20);
  DM_SAME(other.kbc.drain(), here);
  DM_SAME(other.release(0x1e), DM_BYTES(0x9e));  // it knows what is down
}

BOOST_AUTO_TEST_CASE(a_state_that_no_keyboard_or_mouse_could_have_is_refused) {
  const auto refused = [this](auto change) {
    chipset::I8042State s = chipset.i8042().state();
    change(s);
    return !validate(s);
  };
  BOOST_TEST(refused([](auto& s) { s.keyboard.keys.count = 17; }));
  BOOST_TEST(refused([](auto& s) { s.keyboard.owed[3] = 1; }));  // but not down
  BOOST_TEST(refused([](auto& s) { s.mouse.packets.head = 16; }));
  BOOST_TEST(refused([](auto& s) { s.mouse.id = 5; }));
  BOOST_TEST(refused([](auto& s) { s.mouse.buttons = 0x20; }));
  BOOST_TEST(refused([](auto& s) { s.mouse.sent_buttons = 8; }));
  BOOST_TEST(!refused([](auto& s) { s.mouse.id = 4; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
