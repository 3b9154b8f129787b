// SPDX-License-Identifier: MIT
// Where a person's keys and pointer go in a whole machine. The guest reads its ports as a driver
// that was set up by firmware: keyboard translated, mouse with three bytes.
#include "ioreq/machine/input.h"

#include "tests/unit/ioreq/daemon/pc.h"

#include <boost/test/unit_test.hpp>

#include <utility>
#include <vector>

namespace dm::test {
namespace {

using Bytes = std::vector<int>;

#define DM_SAME(left, right) BOOST_TEST((left) == (right), boost::test_tools::per_element())

struct ScriptedPointer final : PointerDevice {
  [[nodiscard]] bool ready() const noexcept override { return is_ready; }
  void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) noexcept override {
    got.insert(got.end(), {x, y, buttons});
  }
  [[nodiscard]] Bytes take() { return std::exchange(got, {}); }
  bool is_ready = true;
  Bytes got;
};

struct Viewer {
  Viewer() {
    pc.outb(0x64, 0x60);
    pc.outb(0x60, 0x47);
    pc.outb(0x64, 0xd4);
    pc.outb(0x60, 0xf4);
    (void)guest_reads();
    input.set_screen(800, 600);
  }
  Bytes guest_reads() { return guest_reads(pc); }
  static Bytes guest_reads(Pc& of) {
    Bytes bytes;
    while ((of.inb(0x64) & 1U) != 0 && bytes.size() < 100) {
      bytes.push_back(of.inb(0x60));
    }
    return bytes;
  }
  Pc pc;
  Input& input = pc.machine->input();
  ScriptedPointer pv;
  ScriptedPointer tablet;
};

BOOST_FIXTURE_TEST_SUITE(machine_input, Viewer)

BOOST_AUTO_TEST_CASE(a_key_reaches_the_guest_and_raises_its_interrupt) {
  input.key(0x1e, true);
  input.key(0x1e, false);
  DM_SAME(guest_reads(), (Bytes{0x1e, 0x9e}));
  pc.outb(0x60, 0xed);
  pc.outb(0x60, 0x04);
  BOOST_TEST(input.leds() == 4);
}

BOOST_AUTO_TEST_CASE(the_pv_pointer_goes_before_the_tablet_and_that_before_the_mouse) {
  input.set_pv_pointer(&pv);
  input.set_tablet(&tablet);
  pv.is_ready = tablet.is_ready = false;
  BOOST_TEST(!input.absolute());
  input.pointer(0, 0, 0);
  input.pointer(32767, 32767, 0);
  DM_SAME(guest_reads(), (Bytes{0x28, 127,  0x81, 0x28, 127,  0x81, 0x28, 127,  0x81, 0x28, 127,
                                0x81, 0x28, 127,  0xa5, 0x08, 127,  0,    0x08, 37,   0}));
  tablet.is_ready = true;
  BOOST_TEST(input.absolute());
  input.pointer(100, 40000, 0);
  DM_SAME(tablet.take(), (Bytes{100, 32767, 0}));
  pv.is_ready = true;
  input.pointer(7, 8, 0);
  DM_SAME(pv.take(), (Bytes{7, 8, 0}));
  DM_SAME(tablet.take(), (Bytes{7, 8, 0}));  // lets go
  DM_SAME(guest_reads(), Bytes{});
}

BOOST_AUTO_TEST_CASE(a_button_that_is_held_does_not_stay_down_in_the_device_that_lost_the_pointer) {
  input.set_tablet(&tablet);
  input.pointer(10, 10, 1);
  DM_SAME(tablet.take(), (Bytes{10, 10, 1}));
  tablet.is_ready = false;
  input.pointer(10, 10, 1);
  DM_SAME(tablet.take(), (Bytes{10, 10, 0}));
  DM_SAME(guest_reads(), (Bytes{0x09, 0, 0}));
  tablet.is_ready = true;
  input.pointer(10, 10, 1);
  DM_SAME(guest_reads(), (Bytes{0x08, 0, 0}));
  DM_SAME(tablet.take(), (Bytes{10, 10, 1}));
}

BOOST_AUTO_TEST_CASE(movements_become_positions_inside_of_the_screen) {
  input.set_tablet(&tablet);
  input.pointer(16384, 16384, 0);
  (void)tablet.take();
  input.pointer_by(400, -300, 0);
  DM_SAME(tablet.take(), (Bytes{32767, 0, 0}));
  input.pointer_by(-32768, 32767, 2);
  DM_SAME(tablet.take(), (Bytes{0, 32767, 2}));
  input.set_tablet(nullptr);
  input.pointer_by(3, 4, 0);
  DM_SAME(guest_reads(), (Bytes{0x28, 3, 0xfc}));
}

BOOST_AUTO_TEST_CASE(positions_become_movements_of_pixels_without_a_remainder_lost) {
  for (int i = 0; i <= 32767; i += 7) {
    input.pointer(static_cast<std::uint16_t>(i), 0, 0);
  }
  input.pointer(32767, 0, 0);
  int x = 0;
  const Bytes bytes = guest_reads();
  for (std::size_t i = 1; i < bytes.size(); i += 3) {
    x += bytes[i];
  }
  BOOST_TEST(x == 799);
}

BOOST_AUTO_TEST_CASE(a_viewer_that_goes_leaves_nothing_pressed_and_the_next_begins_anywhere) {
  input.key(0x1d, true);
  input.key(0x38, true);
  input.pointer(0, 0, 1);
  (void)guest_reads();
  input.release_all();
  DM_SAME(guest_reads(), (Bytes{0x9d, 0xb8, 0x08, 0, 0}));
  input.release_all();
  input.pointer(20000, 20000, 0);
  DM_SAME(guest_reads(), Bytes{});
}

// SECURITY.md D21
BOOST_AUTO_TEST_CASE(a_viewer_that_does_anything_leaves_nothing_pressed) {
  for (unsigned i = 0; i < 20000; ++i) {
    const unsigned some = i * 2654435761U;
    input.key(static_cast<std::uint8_t>(some >> 24U), (some & 3U) != 0);
    input.pointer(static_cast<std::uint16_t>(some), static_cast<std::uint16_t>(some >> 8U),
                  static_cast<std::uint8_t>(some >> 16U));
    if (i % 64 == 0) {
      (void)guest_reads();
    }
  }
  input.release_all();
  for (int i = 0; i < 50; ++i) {
    (void)guest_reads();
  }
  const chipset::I8042State s = pc.machine->chipset().i8042().state();
  BOOST_TEST((s.keyboard.down == chipset::KeyBits{}));
  BOOST_TEST(s.mouse.sent_buttons == 0);
}

BOOST_AUTO_TEST_CASE(in_a_pause_nothing_reaches_the_guest_and_releases_come_after_it) {
  input.key(0x1e, true);
  input.pointer(0, 0, 1);
  (void)guest_reads();
  pc.machine->pause();
  const auto before = pc.machine->save();
  input.key(0x1e, false);
  input.key(0x30, true);
  input.pointer(20000, 0, 0);
  BOOST_TEST((pc.machine->save() == before));
  pc.machine->resume();
  DM_SAME(guest_reads(), (Bytes{0x9e, 0x08, 0, 0}));
}

BOOST_AUTO_TEST_CASE(what_the_viewer_of_a_saved_guest_held_goes_up_where_it_goes_on) {
  input.key(0x2a, true);
  input.pointer(0, 0, 4);
  (void)guest_reads();
  pc.machine->pause();
  Pc other;
  other.machine->pause();
  BOOST_TEST_REQUIRE(other.machine->load(pc.machine->save()).has_value());
  BOOST_TEST((other.machine->save() == pc.machine->save()));
  other.machine->resume();
  DM_SAME(guest_reads(other), (Bytes{0xaa, 0x08, 0, 0}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
