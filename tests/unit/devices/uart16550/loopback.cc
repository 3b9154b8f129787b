// SPDX-License-Identifier: MIT
// Loopback: MCR bit 4.
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

namespace dm::test {
namespace {

namespace data = boost::unit_test::data;

struct LoopRig : UartRig {
  void loop(std::uint8_t ier = 0, std::uint8_t trigger_code = 0) {
    com1.start(ier, trigger_code);
    guest.outb(0x3fc, 0x18);  // LOOP and OUT2
    static_cast<void>(guest.inb(0x3fe));
  }
  void send(const std::string& text) {
    for (const char c : text) {
      guest.outb(0x3f8, static_cast<std::uint8_t>(c));
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(uart_loopback, LoopRig)

BOOST_AUTO_TEST_CASE(what_is_sent_is_received_at_once_and_stays_inside) {
  loop();
  send("echo");
  BOOST_TEST(guest.inb(0x3fd) == 0x61);
  BOOST_TEST(com1.receive() == "echo");
  BOOST_TEST(other.sent.empty());
  BOOST_TEST(counters().tx_bytes == 0U);
  BOOST_TEST(counters().rx_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(a_seventeenth_byte_is_lost_with_oe_and_the_sixteen_stay) {
  loop();
  send("0123456789abcdef");
  BOOST_TEST((guest.inb(0x3fd) & 0x02) == 0);
  send("XY");
  BOOST_TEST(guest.inb(0x3fd) == 0x63);
  BOOST_TEST(guest.inb(0x3fd) == 0x61);  // OE is read once
  BOOST_TEST(com1.receive() == "0123456789abcdef");
  BOOST_TEST(counters().rx_overruns == 2U);
}

BOOST_AUTO_TEST_CASE(in_16450_mode_the_new_byte_replaces_the_old_with_oe) {
  guest.outb(0x3fc, 0x10);
  send("ab");
  BOOST_TEST(guest.inb(0x3fd) == 0x63);
  BOOST_TEST(guest.inb(0x3f8) == 'b');
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
}

BOOST_AUTO_TEST_CASE(an_overrun_raises_the_line_status_interrupt) {
  loop(UartDriver::kIerLine);
  send(std::string(17, 'o'));
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x06);
  static_cast<void>(guest.inb(0x3fd));
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_CASE(trigger_levels_and_the_time_out_work_in_loopback) {
  loop(UartDriver::kIerData, 1);
  send("abc");
  BOOST_TEST(!irq());
  send("d");
  BOOST_TEST(com1.source() == 0x04);
  BOOST_TEST(guest.inb(0x3f8) == 'a');
  BOOST_TEST(!irq());
  guest.advance(1ms);
  BOOST_TEST(com1.source() == 0x0c);
}

BOOST_AUTO_TEST_CASE(the_thre_interrupt_works_in_loopback) {
  loop(UartDriver::kIerThre);
  BOOST_TEST(com1.source() == 0x02);
  BOOST_TEST(!irq());
  send("t");
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x02);
}

BOOST_DATA_TEST_CASE(modem_outputs_drive_modem_inputs, data::xrange(16), outputs) {
  guest.outb(0x3fc, static_cast<std::uint8_t>(0x10 | outputs));
  const int expected = ((outputs & 0x02) != 0 ? 0x10 : 0) |  // RTS -> CTS
                       ((outputs & 0x01) != 0 ? 0x20 : 0) |  // DTR -> DSR
                       ((outputs & 0x04) != 0 ? 0x40 : 0) |  // OUT1 -> RI
                       ((outputs & 0x08) != 0 ? 0x80 : 0);   // OUT2 -> DCD
  BOOST_TEST((guest.inb(0x3fe) & 0xf0) == expected);
}

BOOST_AUTO_TEST_CASE(modem_outputs_set_deltas_in_loopback) {
  guest.outb(0x3fc, 0x10);
  BOOST_TEST(guest.inb(0x3fe) == 0x0b);  // the real lines went away: DCTS, DDSR, DDCD
  guest.outb(0x3fc, 0x12);
  BOOST_TEST(guest.inb(0x3fe) == 0x11);  // DCTS
  guest.outb(0x3fc, 0x13);
  BOOST_TEST(guest.inb(0x3fe) == 0x32);  // DDSR
  guest.outb(0x3fc, 0x17);
  BOOST_TEST(guest.inb(0x3fe) == 0x70);  // RI rises: no delta
  guest.outb(0x3fc, 0x13);
  BOOST_TEST(guest.inb(0x3fe) == 0x34);  // TERI
  guest.outb(0x3fc, 0x1b);
  BOOST_TEST(guest.inb(0x3fe) == 0xb8);  // DDCD
  guest.outb(0x3fc, 0x0b);
  BOOST_TEST(guest.inb(0x3fe) == 0xb0);  // the real lines say the same: nothing moved
}

BOOST_AUTO_TEST_CASE(modem_outputs_interrupt_in_loopback) {
  loop(UartDriver::kIerModem);
  guest.outb(0x3fc, 0x1a);
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x00);
}

BOOST_AUTO_TEST_CASE(lines_of_the_other_end_do_not_show_before_loopback_ends) {
  loop();
  other.set_lines({.cts = false, .dsr = false, .dcd = false, .ri = true});
  BOOST_TEST(guest.inb(0x3fe) == 0x80);
  guest.outb(0x3fc, 0x08);
  BOOST_TEST(guest.inb(0x3fe) == 0x48);  // RI rose, DCD fell
}

BOOST_AUTO_TEST_CASE(input_from_outside_is_held_and_not_lost) {
  loop();
  other.type("outside");
  send("in");
  BOOST_TEST(other.unread() == "outside");
  BOOST_TEST(com1.receive() == "in");
  guest.outb(0x3fc, 0x0b);
  BOOST_TEST(com1.receive() == "outside");
}

BOOST_AUTO_TEST_CASE(a_break_from_outside_is_held_too) {
  loop();
  other.send_break();
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  guest.outb(0x3fc, 0x0b);
  BOOST_TEST(guest.inb(0x3fd) == 0xf1);
}

BOOST_AUTO_TEST_CASE(bytes_that_a_stalled_backend_did_not_take_loop_back) {
  com1.start(UartDriver::kIerThre);
  other.set_room(0);
  send("xyz");
  BOOST_TEST(guest.inb(0x3fd) == 0x00);
  guest.outb(0x3fc, 0x18);
  BOOST_TEST(guest.inb(0x3fd) == 0x61);
  BOOST_TEST(com1.source() == 0x02);
  BOOST_TEST(com1.receive() == "xyz");
  other.set_room(100);
  BOOST_TEST(other.sent.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
