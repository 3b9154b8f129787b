// SPDX-License-Identifier: MIT
// Input: trigger levels, the character time-out, flow control towards the backend, breaks.
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace dm::test {
namespace {

namespace data = boost::unit_test::data;
constexpr std::array<unsigned, 4> kTriggers{1, 4, 8, 14};
/// 4 characters of 10 bits at 115200 baud: 40 / 115200 s.
constexpr auto kFourCharacters = std::chrono::nanoseconds{347'222};

BOOST_FIXTURE_TEST_SUITE(uart_receive, UartRig)

BOOST_AUTO_TEST_CASE(a_typed_byte_sets_dr_and_reading_it_clears_dr) {
  other.type("k");
  BOOST_TEST(guest.inb(0x3fd) == 0x61);
  BOOST_TEST(guest.inb(0x3f8) == 'k');
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  BOOST_TEST(counters().rx_bytes == 1U);
}

BOOST_AUTO_TEST_CASE(an_empty_receiver_gives_the_last_byte_again) {
  BOOST_TEST(guest.inb(0x3f8) == 0x00);
  other.type("k");
  BOOST_TEST(guest.inb(0x3f8) == 'k');
  BOOST_TEST(guest.inb(0x3f8) == 'k');
}

BOOST_AUTO_TEST_CASE(in_16450_mode_one_byte_comes_in_and_the_rest_stays_outside) {
  guest.outb(0x3fc, 0x08);
  guest.outb(0x3f9, 0x01);
  other.type("abc");
  BOOST_TEST(other.unread() == "bc");
  BOOST_TEST(irq());
  BOOST_TEST(guest.inb(0x3fa) == 0x04);
  BOOST_TEST(guest.inb(0x3f8) == 'a');
  BOOST_TEST(other.unread() == "c");
  BOOST_TEST(com1.receive() == "bc");
  BOOST_TEST(!irq());
  guest.advance(1s);
  BOOST_TEST(com1.source() == 0x01);  // no time-out in this mode
}

BOOST_AUTO_TEST_CASE(each_byte_in_16450_mode_gives_its_own_edge) {
  guest.outb(0x3fc, 0x08);
  guest.outb(0x3f9, 0x01);
  other.type("abc");
  const auto edges = guest.isa_edges(kIrq);
  BOOST_TEST(guest.inb(0x3f8) == 'a');
  BOOST_TEST(guest.isa_edges(kIrq) == edges + 1);
  BOOST_TEST(irq());
}

BOOST_DATA_TEST_CASE(the_data_interrupt_comes_at_the_trigger_level_and_goes_below_it,
                     data::xrange(4),
                     code) {
  const unsigned trigger = kTriggers.at(static_cast<std::size_t>(code));
  com1.start(UartDriver::kIerData, static_cast<std::uint8_t>(code));
  for (unsigned i = 1; i < trigger; ++i) {
    other.type("t");
    BOOST_TEST(!irq());
    BOOST_TEST(com1.source() == 0x01);
    BOOST_TEST((guest.inb(0x3fd) & 0x01) != 0);  // DR does not wait for the trigger
  }
  other.type("t");
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x04);
  BOOST_TEST(com1.source() == 0x04);  // reading IIR does not acknowledge it
  static_cast<void>(guest.inb(0x3f8));
  BOOST_TEST(!irq());
  BOOST_TEST(com1.source() == 0x01);
}

BOOST_AUTO_TEST_CASE(a_changed_trigger_level_counts_at_once) {
  com1.start(UartDriver::kIerData, 3);
  other.type("fivec");
  BOOST_TEST(!irq());
  guest.outb(0x3fa, 0x41);
  BOOST_TEST(irq());
  guest.outb(0x3fa, 0xc1);
  BOOST_TEST(!irq());
  BOOST_TEST(com1.receive() == "fivec");
}

BOOST_AUTO_TEST_CASE(sixteen_bytes_come_in_and_the_rest_stays_outside) {
  com1.start();
  other.type("0123456789abcdefGHIJ");
  BOOST_TEST(other.unread() == "GHIJ");
  BOOST_TEST((guest.inb(0x3fd) & 0x02) == 0);  // held back, not overrun
  BOOST_TEST(com1.receive() == "0123456789abcdefGHIJ");
  BOOST_TEST((guest.inb(0x3fd) & 0x9f) == 0);
}

BOOST_AUTO_TEST_CASE(below_the_trigger_the_chip_fills_up_again_and_shows_a_new_edge) {
  com1.start(UartDriver::kIerData, 2);  // 8
  other.type(std::string(40, 'u'));
  BOOST_TEST(other.unread().size() == 24U);
  const auto edges = guest.isa_edges(kIrq);
  for (int i = 0; i < 8; ++i) {
    static_cast<void>(guest.inb(0x3f8));
    BOOST_TEST(other.unread().size() == 24U);  // eight are left: no reason to ask
  }
  BOOST_TEST(guest.isa_edges(kIrq) == edges);
  static_cast<void>(guest.inb(0x3f8));
  BOOST_TEST(other.unread().size() == 15U);
  BOOST_TEST(guest.isa_edges(kIrq) == edges + 1);
  BOOST_TEST(irq());
}

BOOST_AUTO_TEST_CASE(
    a_driver_that_reads_exactly_a_trigger_at_a_time_gets_it_all_without_the_clock) {
  com1.start(UartDriver::kIerData, 3);
  const std::string text(16 * 9, 'x');
  other.type(text);
  std::string got;
  while (irq() && got.size() < 2 * text.size()) {
    for (int i = 0; i < 14; ++i) {
      got.push_back(static_cast<char>(guest.inb(0x3f8)));
    }
  }
  BOOST_TEST(got.size() >= text.size() - 13);
  guest.advance(1ms);
  std::string_view nothing;
  com1.service(got, nothing);
  BOOST_TEST(got == text);
}

BOOST_AUTO_TEST_CASE(input_that_arrives_while_the_fifo_is_full_is_fetched_later) {
  com1.start();
  other.type("0123456789abcdef");
  other.type("later");
  BOOST_TEST(other.unread() == "later");
  BOOST_TEST(com1.receive() == "0123456789abcdeflater");
}

BOOST_AUTO_TEST_CASE(the_backend_is_not_asked_again_until_it_says_that_there_is_more) {
  com1.start();
  other.type("ab");
  const auto reads = other.reads;
  BOOST_TEST(com1.receive() == "ab");
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(guest.inb(0x3f8));
    static_cast<void>(guest.inb(0x3fd));
  }
  BOOST_TEST(other.reads == reads);
}

// Character time-out: PC16550D, FIFO interrupt mode operation.

BOOST_AUTO_TEST_CASE(the_time_out_interrupt_comes_after_four_character_times) {
  com1.start(UartDriver::kIerData, 2);
  other.type("ab");
  guest.advance(kFourCharacters - 1ns);
  BOOST_TEST(!irq());
  BOOST_TEST(com1.source() == 0x01);
  guest.advance(1ns);
  BOOST_TEST(irq());
  BOOST_TEST(guest.inb(0x3fa) == 0xcc);
  BOOST_TEST(guest.inb(0x3fa) == 0xcc);  // reading IIR does not acknowledge it
}

BOOST_AUTO_TEST_CASE(reading_one_byte_clears_the_time_out_and_starts_it_anew) {
  com1.start(UartDriver::kIerData, 2);
  other.type("abc");
  guest.advance(1ms);
  BOOST_TEST(irq());
  BOOST_TEST(guest.inb(0x3f8) == 'a');
  BOOST_TEST(!irq());
  guest.advance(kFourCharacters - 1ns);
  BOOST_TEST(!irq());
  guest.advance(1ns);
  BOOST_TEST(com1.source() == 0x0c);
}

BOOST_AUTO_TEST_CASE(every_character_and_every_read_restart_the_time_out) {
  com1.start(UartDriver::kIerData, 3);
  for (int i = 0; i < 6; ++i) {
    other.type("v");
    guest.advance(300us);
    BOOST_TEST(!irq());
  }
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(guest.inb(0x3f8));
    guest.advance(300us);
    BOOST_TEST(!irq());
  }
  guest.advance(48us);
  BOOST_TEST(com1.source() == 0x0c);
}

BOOST_AUTO_TEST_CASE(a_character_that_comes_during_the_time_out_interrupt_does_not_take_it_away) {
  com1.start(UartDriver::kIerData, 3);
  other.type("a");
  guest.advance(1ms);
  other.type("b");
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x0c);
}

BOOST_AUTO_TEST_CASE(no_time_out_when_the_fifo_was_emptied_or_cleared) {
  com1.start(UartDriver::kIerData, 3);
  other.type("a");
  BOOST_TEST(com1.receive() == "a");
  guest.advance(1s);
  BOOST_TEST(com1.source() == 0x01);
  other.type("b");
  guest.outb(0x3fa, 0xc3);
  guest.advance(1s);
  BOOST_TEST(com1.source() == 0x01);
  other.type("c");
  guest.advance(1ms);
  BOOST_TEST(com1.source() == 0x0c);
  guest.outb(0x3fa, 0xc3);
  BOOST_TEST(!irq());
  BOOST_TEST(com1.source() == 0x01);
}

BOOST_AUTO_TEST_CASE(the_data_enable_masks_the_time_out_and_shows_it_later) {
  com1.start(0, 3);
  other.type("a");
  guest.advance(1ms);
  BOOST_TEST(!irq());
  BOOST_TEST(com1.source() == 0x01);
  guest.outb(0x3f9, 0x01);
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x0c);
}

BOOST_AUTO_TEST_CASE(the_time_out_follows_the_baud_rate_and_the_frame) {
  com1.start(UartDriver::kIerData, 3);
  com1.set_divisor(12);
  guest.outb(0x3fb, 0x0f);  // 8 bits, parity, 2 stop bits: 12 bits a character
  other.type("a");
  constexpr auto kExpected = std::chrono::nanoseconds{4LL * 12 * 12 * 1'000'000'000 / 115200};
  guest.advance(kExpected - 1ns);
  BOOST_TEST(!irq());
  guest.advance(1ns);
  BOOST_TEST(irq());
}

// Flags and breaks

BOOST_AUTO_TEST_CASE(a_break_is_one_zero_byte_with_bi) {
  com1.start(UartDriver::kIerLine);
  other.send_break();
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x06);
  BOOST_TEST(guest.inb(0x3fd) == 0xf1);  // FIFO error, TEMT, THRE, BI, DR
  BOOST_TEST(!irq());
  BOOST_TEST(guest.inb(0x3fd) == 0x61);  // read once
  BOOST_TEST(guest.inb(0x3f8) == 0x00);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
}

BOOST_AUTO_TEST_CASE(a_break_shows_when_its_byte_comes_to_the_top) {
  com1.start(UartDriver::kIerLine);
  other.type("ab");
  other.send_break();
  other.type("c");
  BOOST_TEST(!irq());
  BOOST_TEST(guest.inb(0x3fd) == 0xe1);  // somewhere in the FIFO, not at the top
  BOOST_TEST(guest.inb(0x3fd) == 0xe1);
  BOOST_TEST(guest.inb(0x3f8) == 'a');
  BOOST_TEST(!irq());
  BOOST_TEST(guest.inb(0x3f8) == 'b');
  BOOST_TEST(irq());
  BOOST_TEST(guest.inb(0x3fd) == 0xf1);
  BOOST_TEST(guest.inb(0x3fd) == 0x61);
  BOOST_TEST(guest.inb(0x3f8) == 0x00);
  BOOST_TEST(guest.inb(0x3f8) == 'c');
}

BOOST_AUTO_TEST_CASE(a_break_and_sysrq_key_reach_the_guest_in_order) {
  com1.start(UartDriver::kIerData | UartDriver::kIerLine);
  other.send_break();
  other.type("h");
  BOOST_TEST(com1.source() == 0x06);
  BOOST_TEST((guest.inb(0x3fd) & 0x11) == 0x11);
  BOOST_TEST(guest.inb(0x3f8) == 0x00);
  BOOST_TEST((guest.inb(0x3fd) & 0x11) == 0x01);
  BOOST_TEST(guest.inb(0x3f8) == 'h');
}

BOOST_AUTO_TEST_CASE(a_break_waits_for_room_and_nothing_overtakes_it) {
  com1.start();
  other.type("0123456789abcdef");
  other.send_break();
  other.type_silently("Z");
  std::string got;
  for (int i = 0; i < 18; ++i) {
    const auto lsr = guest.inb(0x3fd);
    got.push_back(static_cast<char>(guest.inb(0x3f8)));
    BOOST_TEST(((lsr & 0x10) != 0) == (i == 16));
  }
  BOOST_TEST((got == std::string{"0123456789abcdef\0Z", 18}));
}

BOOST_AUTO_TEST_CASE(in_16450_mode_a_break_has_bi_but_no_fifo_error) {
  other.send_break();
  BOOST_TEST(guest.inb(0x3fd) == 0x71);
  BOOST_TEST(guest.inb(0x3f8) == 0x00);
}

BOOST_AUTO_TEST_CASE(clearing_the_receiver_fifo_forgets_breaks_in_it) {
  com1.start();
  other.type("a");
  other.send_break();
  guest.outb(0x3fa, 0x03);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
}

BOOST_AUTO_TEST_CASE(after_a_clear_waiting_input_comes_one_character_time_later) {
  // A driver that clears and then probes, or reads RBR once to be sure, must not swallow what was
  // typed meanwhile.
  com1.start();
  other.type("0123456789abcdefXY");
  guest.outb(0x3fa, 0x03);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  static_cast<void>(guest.inb(0x3f8));
  other.type("Z");
  guest.advance(86us);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  guest.advance(1us);
  BOOST_TEST(com1.receive() == "XYZ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
