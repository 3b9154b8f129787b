// SPDX-License-Identifier: MIT
// Modem lines in both directions.
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace dm::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(uart_modem, UartRig)

BOOST_AUTO_TEST_CASE(levels_follow_the_other_end) {
  other.set_lines({.cts = false, .dsr = false, .dcd = false, .ri = false});
  BOOST_TEST((guest.inb(0x3fe) & 0xf0) == 0x00);
  other.set_lines({.cts = true, .dsr = false, .dcd = false, .ri = false});
  BOOST_TEST((guest.inb(0x3fe) & 0xf0) == 0x10);
  other.set_lines({.cts = false, .dsr = true, .dcd = false, .ri = false});
  BOOST_TEST((guest.inb(0x3fe) & 0xf0) == 0x20);
  other.set_lines({.cts = false, .dsr = false, .dcd = false, .ri = true});
  BOOST_TEST((guest.inb(0x3fe) & 0xf0) == 0x40);
  other.set_lines({.cts = false, .dsr = false, .dcd = true, .ri = false});
  BOOST_TEST((guest.inb(0x3fe) & 0xf0) == 0x80);
}

BOOST_AUTO_TEST_CASE(changes_set_deltas_that_stay_until_msr_is_read) {
  other.set_lines({.cts = false});
  other.set_lines({.cts = true});
  other.set_lines({.cts = true, .dsr = false});
  BOOST_TEST(guest.inb(0x3fe) == 0x93);  // DCD CTS, DDSR DCTS
  BOOST_TEST(guest.inb(0x3fe) == 0x90);
  other.set_lines({.cts = true, .dsr = false, .dcd = false});
  BOOST_TEST(guest.inb(0x3fe) == 0x18);
  BOOST_TEST(guest.inb(0x3fe) == 0x10);
}

BOOST_AUTO_TEST_CASE(ring_sets_its_delta_on_the_trailing_edge_only) {
  other.set_lines({.ri = true});
  BOOST_TEST(guest.inb(0x3fe) == 0xf0);
  other.set_lines({.ri = false});
  BOOST_TEST(guest.inb(0x3fe) == 0xb4);
  BOOST_TEST(guest.inb(0x3fe) == 0xb0);
}

BOOST_AUTO_TEST_CASE(lines_that_are_told_again_unchanged_set_no_delta) {
  other.set_lines(ModemLines{});
  BOOST_TEST(guest.inb(0x3fe) == 0xb0);
}

BOOST_AUTO_TEST_CASE(a_delta_interrupts_and_reading_msr_clears_it) {
  com1.start(UartDriver::kIerModem);
  other.set_lines({.dcd = false});
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x00);
  BOOST_TEST(guest.inb(0x3fe) == 0x38);
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_CASE(dtr_and_rts_reach_the_backend_when_they_change) {
  guest.outb(0x3fc, 0x01);
  guest.outb(0x3fc, 0x03);
  guest.outb(0x3fc, 0x0f);  // OUT1 and OUT2 have no wire
  guest.outb(0x3fc, 0x02);
  BOOST_TEST(other.outputs == (std::vector<std::string>{"DTR -", "DTR RTS", "- RTS"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(in_loopback_the_outputs_are_inactive_and_come_back_after) {
  guest.outb(0x3fc, 0x03);
  guest.outb(0x3fb, 0x43);
  guest.outb(0x3fc, 0x13);
  BOOST_TEST(other.outputs.back() == "- -");
  BOOST_TEST((other.breaks == std::vector<bool>{true, false}));
  guest.outb(0x3fc, 0x03);
  BOOST_TEST(other.outputs.back() == "DTR RTS");
  BOOST_TEST((other.breaks == std::vector<bool>{true, false, true}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
