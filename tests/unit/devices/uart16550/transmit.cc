// SPDX-License-Identifier: MIT
// Output: THR, the THRE interrupt, and a backend that does not take everything.
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace dm::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(uart_transmit, UartRig)

BOOST_AUTO_TEST_CASE(a_byte_written_goes_out_at_once) {
  guest.outb(0x3f8, 'x');
  BOOST_TEST(other.sent == "x");
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  BOOST_TEST(counters().tx_bytes == 1U);
}

BOOST_AUTO_TEST_CASE(all_256_byte_values_pass_unchanged_even_escape_sequences) {
  // The word length after reset is 5 bits; the backend gets bytes all the same. Nothing here
  // interprets them.
  std::string all;
  for (unsigned i = 0; i < 256; ++i) {
    all.push_back(static_cast<char>(i));
  }
  BOOST_TEST(com1.print(all) == all.size());
  BOOST_TEST((other.sent == all));
}

BOOST_AUTO_TEST_CASE(thre_interrupt_is_raised_by_enabling_it_and_cleared_by_reading_iir) {
  guest.outb(0x3fc, 0x08);
  guest.outb(0x3f9, 0x02);
  BOOST_TEST(irq());
  BOOST_TEST(guest.inb(0x3fa) == 0x02);
  BOOST_TEST(!irq());
  BOOST_TEST(guest.inb(0x3fa) == 0x01);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);  // acknowledged, but still empty
}

BOOST_AUTO_TEST_CASE(thre_interrupt_is_raised_again_when_it_is_enabled_again) {
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(com1.source() == 0x02);
  BOOST_TEST(com1.source() == 0x01);
  guest.outb(0x3f9, 0x00);
  guest.outb(0x3f9, 0x02);
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x02);
}

BOOST_AUTO_TEST_CASE(thre_interrupt_is_not_raised_by_writing_the_same_enable_again) {
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(com1.source() == 0x02);
  guest.outb(0x3f9, 0x02);
  guest.outb(0x3f9, 0x03);
  BOOST_TEST(com1.source() == 0x01);
}

BOOST_AUTO_TEST_CASE(disabling_takes_a_pending_thre_interrupt_away) {
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(irq());
  guest.outb(0x3f9, 0x00);
  BOOST_TEST(!irq());
  BOOST_TEST(com1.source() == 0x01);
}

BOOST_AUTO_TEST_CASE(thre_comes_back_after_a_write_that_left) {
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(com1.source() == 0x02);
  BOOST_TEST(!irq());
  guest.outb(0x3f8, 'a');
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x02);
}

BOOST_AUTO_TEST_CASE(an_interrupt_driven_driver_sends_everything) {
  com1.start();
  const std::string text(1000, 'q');
  std::string_view rest = text;
  std::string none;
  guest.outb(0x3f9, 0x02);
  while (!rest.empty() && irq()) {
    com1.service(none, rest);
  }
  BOOST_TEST(other.sent == text);
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_CASE(a_burst_of_sixteen_raises_the_line_once) {
  // A change of the line is a hypercall.
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(com1.source() == 0x02);
  const auto edges = guest.isa_edges(kIrq);
  for (int i = 0; i < 16; ++i) {
    guest.outb(0x3f8, 'b');
  }
  BOOST_TEST(irq());
  BOOST_TEST(guest.isa_edges(kIrq) == edges + 1);
}

BOOST_AUTO_TEST_CASE(answering_thre_without_reading_iir_gives_a_new_edge) {
  // The way of a driver that goes by LSR: the write acknowledges, the departure interrupts anew. An
  // edge-triggered input needs to see the line fall in between.
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(irq());
  for (int i = 0; i < 5; ++i) {
    const auto edges = guest.isa_edges(kIrq);
    BOOST_TEST((guest.inb(0x3fd) & 0x20) != 0);
    guest.outb(0x3f8, 'l');
    BOOST_TEST(guest.isa_edges(kIrq) == edges + 1);
    BOOST_TEST(irq());
  }
}

BOOST_AUTO_TEST_CASE(answering_thre_while_iir_reports_data_gives_a_new_edge) {
  com1.start(UartDriver::kIerData | UartDriver::kIerThre);
  other.type("r");
  BOOST_TEST(com1.source() == 0x04);
  BOOST_TEST(guest.inb(0x3f8) == 'r');
  BOOST_TEST(irq());  // THRE
  const auto edges = guest.isa_edges(kIrq);
  guest.outb(0x3f8, 's');
  BOOST_TEST(guest.isa_edges(kIrq) == edges + 1);
}

BOOST_AUTO_TEST_CASE(a_16450_driver_that_only_writes_gets_an_edge_for_each_byte) {
  guest.outb(0x3fc, 0x08);
  guest.outb(0x3f9, 0x02);
  for (int i = 0; i < 5; ++i) {
    const auto edges = guest.isa_edges(kIrq);
    guest.outb(0x3f8, 'w');
    BOOST_TEST(guest.isa_edges(kIrq) == edges + 1);
  }
}

// A backend that takes less.

BOOST_AUTO_TEST_CASE(a_stalled_backend_clears_thre_and_temt_until_it_takes_bytes) {
  com1.start();
  other.set_room(0);
  guest.outb(0x3f8, 'h');
  BOOST_TEST(guest.inb(0x3fd) == 0x00);
  other.set_room(10);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  BOOST_TEST(other.sent == "h");
}

BOOST_AUTO_TEST_CASE(held_back_bytes_leave_in_order_and_raise_thre_when_all_are_gone) {
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(com1.source() == 0x02);
  other.set_room(3);
  for (const char c : std::string{"0123456789abcdef"}) {
    guest.outb(0x3f8, static_cast<std::uint8_t>(c));
  }
  BOOST_TEST(other.sent == "012");
  BOOST_TEST(!irq());
  BOOST_TEST(com1.source() == 0x01);
  other.set_room(5);
  BOOST_TEST(other.sent == "01234567");
  BOOST_TEST(!irq());  // eight are left
  BOOST_TEST(guest.inb(0x3fd) == 0x00);
  other.set_room(100);
  BOOST_TEST(other.sent == "0123456789abcdef");
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x02);
  BOOST_TEST(counters().tx_bytes == 16U);
  BOOST_TEST(counters().tx_dropped == 0U);
}

BOOST_AUTO_TEST_CASE(held_back_bytes_keep_their_order_over_the_seam_of_the_ring) {
  com1.start();
  std::string expected;
  for (int round = 0; round < 40; ++round) {
    other.set_room(0);
    for (int i = 0; i < 16; ++i) {
      const auto c = static_cast<char>('A' + (round * 16 + i) % 50);
      guest.outb(0x3f8, static_cast<std::uint8_t>(c));
      expected.push_back(c);
    }
    other.set_room(static_cast<std::size_t>(round % 16 + 1));
    other.set_room(1000);
    BOOST_TEST(guest.inb(0x3fd) == 0x60);
  }
  BOOST_TEST(other.sent == expected);
}

BOOST_AUTO_TEST_CASE(a_guest_that_obeys_thre_loses_nothing_whatever_the_backend_does) {
  com1.start();
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text.push_back(static_cast<char>('!' + i % 90));
  }
  std::string_view rest = text;
  for (std::size_t room = 0; !rest.empty(); room = (room * 7 + 3) % 23) {
    rest.remove_prefix(com1.print_bursts(rest));
    other.set_room(room);
  }
  other.set_room(100);
  BOOST_TEST(other.sent == text);
  BOOST_TEST(counters().tx_dropped == 0U);
  BOOST_TEST(counters().tx_bytes == text.size());
}

BOOST_AUTO_TEST_CASE(a_full_transmitter_loses_the_newest_byte_and_counts_it) {
  com1.start();
  other.set_room(0);
  for (const char c : std::string{"0123456789abcdefXYZ"}) {
    guest.outb(0x3f8, static_cast<std::uint8_t>(c));
  }
  BOOST_TEST(counters().tx_dropped == 3U);
  other.set_room(100);
  BOOST_TEST(other.sent == "0123456789abcdef");
}

BOOST_AUTO_TEST_CASE(in_16450_mode_the_transmitter_holds_one_byte) {
  other.set_room(0);
  guest.outb(0x3f8, '1');
  guest.outb(0x3f8, '2');
  BOOST_TEST(guest.inb(0x3fd) == 0x00);
  BOOST_TEST(counters().tx_dropped == 1U);
  other.set_room(100);
  BOOST_TEST(other.sent == "1");
}

BOOST_AUTO_TEST_CASE(clearing_the_transmitter_fifo_sets_thre_and_its_interrupt) {
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(com1.source() == 0x02);
  other.set_room(0);
  guest.outb(0x3f8, 'g');
  BOOST_TEST(guest.inb(0x3fd) == 0x00);
  guest.outb(0x3fa, 0x05);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x02);
  other.set_room(100);
  BOOST_TEST(other.sent.empty());
}

BOOST_AUTO_TEST_CASE(switching_the_fifos_empties_both) {
  for (const int fcr : {0x00, 0x01}) {  // off, then on again
    com1.out(UartDriver::kFcr, fcr == 0 ? 0x01 : 0x00);
    guest.advance(1ms);
    other.set_room(0);
    guest.outb(0x3f8, 'g');
    other.type("i");
    BOOST_TEST(guest.inb(0x3fd) == 0x01);
    guest.outb(0x3fa, static_cast<std::uint8_t>(fcr));
    BOOST_TEST(guest.inb(0x3fd) == 0x60);
    other.set_room(100);
    BOOST_TEST(other.sent.empty());
  }
}

BOOST_AUTO_TEST_CASE(setting_break_and_the_line_format_reach_the_backend_once_each) {
  guest.outb(0x3fb, 0x83);
  guest.outb(0x3f8, 0x01);
  guest.outb(0x3f9, 0x00);
  BOOST_TEST(other.lines.empty());  // nothing while the divisor is half written
  guest.outb(0x3fb, 0x03);
  BOOST_TEST_REQUIRE(other.lines.size() == 1U);
  BOOST_TEST((other.lines[0] == ScriptedChardev::Line{115200, 8, 1, 'n'}));
  guest.outb(0x3fb, 0x43);  // break on, the format as it was
  guest.outb(0x3fb, 0x43);
  BOOST_TEST(other.lines.size() == 1U);
  BOOST_TEST((other.breaks == std::vector<bool>{true}));
  guest.outb(0x3fb, 0x03);
  BOOST_TEST((other.breaks == std::vector<bool>{true, false}));
}

BOOST_AUTO_TEST_CASE(every_line_format_is_told_as_the_datasheet_reads_it) {
  com1.set_divisor(12);
  for (unsigned lcr = 1; lcr < 64; ++lcr) {
    guest.outb(0x3fb, static_cast<std::uint8_t>(lcr));
    const char parity = (lcr & 0x08U) == 0 ? 'n' : (lcr & 0x10U) != 0 ? 'e' : 'o';
    const ScriptedChardev::Line expected{9600, 5 + (lcr & 3U), (lcr & 4U) != 0 ? 2U : 1U, parity};
    BOOST_TEST((other.lines.back() == expected), "LCR " << lcr);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
