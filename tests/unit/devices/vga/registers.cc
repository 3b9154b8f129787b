// SPDX-License-Identifier: MIT
// Ports 3B0h to 3DFh, as drivers of VGA cards use them.
#include "tests/unit/devices/vga/vga_rig.h"

namespace dm::test {

BOOST_AUTO_TEST_SUITE(vga_registers)

BOOST_FIXTURE_TEST_CASE(indexed_registers_keep_the_bits_that_they_have, OneScreen) {
  constexpr std::array<std::uint8_t, 8> kSequencer{0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff};
  for (std::uint8_t i = 0; i < 8; ++i) {
    driver.sr(i, 0xff);
    BOOST_TEST(driver.sr(i) == kSequencer.at(i));
  }
  constexpr std::array<std::uint8_t, 16> kGraphics{0x0f, 0x0f, 0x0f, 0x1f, 0x03,
                                                   0x7b, 0x0f, 0x0f, 0xff};
  for (std::uint8_t i = 0; i < 16; ++i) {
    driver.gr(i, 0xff);
    BOOST_TEST(driver.gr(i) == kGraphics.at(i));
  }
  for (unsigned i = 0; i < 0x20; ++i) {
    driver.ar(static_cast<std::uint8_t>(i), 0xff);
    const unsigned kept = i < 0x10    ? 0x3f
                          : i == 0x10 ? 0xef
                          : i == 0x11 ? 0xff
                          : i == 0x12 ? 0x3f
                          : i < 0x15  ? 0x0f
                                      : 0;
    BOOST_TEST(driver.ar(static_cast<std::uint8_t>(i)) == kept);
  }
  for (unsigned i = 0; i < 0x100; ++i) {
    const auto index = static_cast<std::uint8_t>(i);
    driver.cr(index, static_cast<std::uint8_t>(i == 0x11 ? 0x7f : i ^ 0x55U));
    BOOST_TEST(driver.cr(index) == (i == 0x11 ? 0x7f : i ^ 0x55U));
  }
}

BOOST_FIXTURE_TEST_CASE(an_index_wraps_where_the_registers_end, OneScreen) {
  guest.outb(0x3c4, 0xfa);
  BOOST_TEST(guest.inb(0x3c4) == 0x02);
  guest.outb(0x3ce, 0xf8);
  BOOST_TEST(guest.inb(0x3ce) == 0x08);
  guest.outb(0x3d4, 0xf8);
  BOOST_TEST(guest.inb(0x3d4) == 0xf8);
}

BOOST_FIXTURE_TEST_CASE(a_word_is_an_index_and_its_data, OneScreen) {
  guest.outw(0x3ce, 0xa508);
  BOOST_TEST(guest.inw(0x3ce) == 0xa508);
  guest.outl(0x3ce, 0x00001108);
  BOOST_TEST(guest.inl(0x3c4) == 0xffffffffU);
}

BOOST_FIXTURE_TEST_CASE(dwords_write_nothing, OneScreen) {
  driver.sr(2, 5);
  guest.outl(0x3c4, 0x0f020f02);
  BOOST_TEST(driver.sr(2) == 5);
}

BOOST_FIXTURE_TEST_CASE(the_protected_registers_keep_all_but_one_bit, OneScreen) {
  for (std::uint8_t i = 0; i < 8; ++i) {
    driver.cr(i, 0);
  }
  driver.cr(0x11, 0x80);
  for (std::uint8_t i = 0; i < 8; ++i) {
    driver.cr(i, 0xff);
    BOOST_TEST(driver.cr(i) == (i == 7 ? 0x10 : 0));
  }
  driver.cr(8, 0x77);
  BOOST_TEST(driver.cr(8) == 0x77);
  driver.cr(0x11, 0);
  driver.cr(0, 0x5f);
  BOOST_TEST(driver.cr(0) == 0x5f);
}

BOOST_FIXTURE_TEST_CASE(the_attribute_port_takes_index_and_data_in_turns, OneScreen) {
  (void)guest.inb(0x3da);
  guest.outb(0x3c0, 0x11);
  BOOST_TEST(guest.inb(0x3c0) == 0);  // data comes next
  guest.outb(0x3c0, 0x2a);
  BOOST_TEST(guest.inb(0x3c0) == 0x11);
  BOOST_TEST(guest.inb(0x3c1) == 0x2a);
  guest.outb(0x3c0, 0xf2);
  (void)guest.inb(0x3da);  // and again it is an index
  guest.outb(0x3c0, 0x31);
  BOOST_TEST(state().attribute_index == 0x31);
  BOOST_TEST(driver.ar(0x12) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_colour_is_stored_with_its_third_byte, OneScreen) {
  driver.colour(7, 1, 2, 3);
  guest.outb(0x3c8, 7);
  BOOST_TEST(guest.inb(0x3c7) == 0);
  guest.outb(0x3c9, 0x3f);
  guest.outb(0x3c9, 0x3e);
  guest.outb(0x3c7, 7);
  BOOST_TEST(guest.inb(0x3c7) == 3);
  BOOST_TEST(guest.inb(0x3c9) == 1);
  BOOST_TEST(guest.inb(0x3c9) == 2);
  BOOST_TEST(guest.inb(0x3c9) == 3);
  BOOST_TEST(guest.inb(0x3c9) == 0);  // the next colour
}

BOOST_FIXTURE_TEST_CASE(colours_follow_each_other_and_wrap, OneScreen) {
  guest.outb(0x3c8, 0xff);
  constexpr std::array<std::uint8_t, 6> kTwoColours{10, 11, 12, 20, 21, 22};
  for (const std::uint8_t byte : kTwoColours) {
    guest.outb(0x3c9, byte);
  }
  BOOST_TEST(guest.inb(0x3c8) == 1);
  guest.outb(0x3c7, 0xff);
  for (const std::uint8_t byte : kTwoColours) {
    BOOST_TEST(guest.inb(0x3c9) == byte);
  }
}

BOOST_FIXTURE_TEST_CASE(miscellaneous_output_says_where_the_crt_controller_is, OneScreen) {
  guest.outb(0x3c2, 0xff);
  BOOST_TEST(guest.inb(0x3cc) == 0xef);
  driver.cr(0x20, 0x12);
  BOOST_TEST(guest.inb(0x3b5) == 0xff);
  guest.outb(0x3da, 0xff);
  BOOST_TEST(guest.inb(0x3ca) == 0x10);
  guest.outb(0x3c2, 0x66);
  BOOST_TEST(guest.inb(0x3d5) == 0xff);
  BOOST_TEST(guest.inb(0x3b4) == 0x20);
  BOOST_TEST(guest.inb(0x3b5) == 0x12);
  guest.outb(0x3d5, 0x34);  // to nobody
  BOOST_TEST(guest.inb(0x3b5) == 0x12);
  guest.outb(0x3ba, 0x00);
  BOOST_TEST(guest.inb(0x3ca) == 0);
  guest.outb(0x3c0, 0x31);
  (void)guest.inb(0x3ba);
  guest.outb(0x3c0, 0x22);
  BOOST_TEST(state().attribute_index == 0x22);
}

BOOST_FIXTURE_TEST_CASE(ports_without_a_register_read_ones_or_zero, OneScreen) {
  constexpr std::array<std::uint16_t, 5> kNobodys{0x3b0, 0x3bb, 0x3d0, 0x3d6, 0x3df};
  for (const std::uint16_t port : kNobodys) {
    BOOST_TEST(guest.inb(port) == 0xff);
  }
  constexpr std::array<std::uint16_t, 5> kZero{0x3c2, 0x3c3, 0x3c6, 0x3cb, 0x3cd};
  for (const std::uint16_t port : kZero) {
    guest.outb(port, port == 0x3c2 ? 0x67 : 0xff);
    BOOST_TEST(guest.inb(port) == 0);
  }
}

/// What a guest does that waits for the retrace: first for its end, then for its begin.
BOOST_FIXTURE_TEST_CASE(a_retrace_comes_sixty_times_a_second_of_guest_time, OneScreen) {
  constexpr unsigned kStep = 100;  // us
  unsigned begun = 0;
  unsigned blank = 0;
  bool before = true;
  for (unsigned at = 0; at < 1'000'000; at += kStep) {
    const unsigned status = guest.inb(0x3da);
    const bool retrace = (status & 8U) != 0;
    BOOST_TEST((!retrace || (status & 1U) != 0));
    begun += retrace && !before ? 1U : 0U;
    blank += retrace ? 1U : 0U;
    before = retrace;
    guest.advance(std::chrono::microseconds{kStep});
  }
  BOOST_TEST(begun >= 59U);
  BOOST_TEST(begun <= 61U);
  BOOST_TEST(blank > 600U);
  BOOST_TEST(blank < 1200U);
}

BOOST_FIXTURE_TEST_CASE(between_two_lines_the_display_is_off, OneScreen) {
  unsigned off = 0;
  for (unsigned i = 0; i < 1000; ++i) {
    off += guest.inb(0x3da) == 1 ? 1U : 0U;
    guest.advance(1us);
  }
  BOOST_TEST(off > 100U);
  BOOST_TEST(off < 300U);
}

BOOST_FIXTURE_TEST_CASE(after_a_reset_everything_is_zero_and_the_screen_off, OneScreen) {
  driver.sr(2, 0xf);
  driver.colour(1, 1, 2, 3);
  driver.vbe(640, 480, 8);
  card->reset();
  const vga::State now = state();
  BOOST_TEST((now.sequencer == vga::State{}.sequencer));
  BOOST_TEST((now.crt == vga::State{}.crt));
  BOOST_TEST((now.dac.palette == vga::State{}.dac.palette));
  BOOST_TEST(now.attribute_index == 0);
  BOOST_TEST(now.dispi.reg[0] == 0xb0c5);
  BOOST_TEST(now.dispi.reg[4] == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
