// SPDX-License-Identifier: MIT
// Registers as storage: reset values, masks, banking, widths, and the port as a piece of the PC.
#include "core/state/describe.h"
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <memory>

namespace dm::test {
namespace {

namespace data = boost::unit_test::data;

BOOST_FIXTURE_TEST_SUITE(uart_registers, UartRig)

BOOST_AUTO_TEST_CASE(reset_values_are_the_datasheets) {
  BOOST_TEST(guest.inb(0x3f9) == 0x00);  // IER
  BOOST_TEST(guest.inb(0x3fa) == 0x01);  // IIR: no interrupt, FIFOs off
  BOOST_TEST(guest.inb(0x3fb) == 0x00);  // LCR
  BOOST_TEST(guest.inb(0x3fc) == 0x00);  // MCR
  BOOST_TEST(guest.inb(0x3fd) == 0x60);  // LSR: THRE, TEMT
  BOOST_TEST(guest.inb(0x3fe) == 0xb0);  // MSR: DCD, DSR, CTS, no deltas
  BOOST_TEST(guest.inb(0x3ff) == 0x00);  // SCR
  guest.outb(0x3fb, 0x80);
  BOOST_TEST(guest.inb(0x3f8) == 12);  // 9600 baud
  BOOST_TEST(guest.inb(0x3f9) == 0);
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_CASE(reset_makes_a_used_chip_new) {
  com1.start(0x0f, 0);
  guest.outb(0x3ff, 0x5a);
  other.type("abcdefgh");
  other.set_room(0);
  guest.outb(0x3f8, 'x');
  BOOST_TEST(irq());
  port->uart().reset();
  BOOST_TEST(!irq());
  BOOST_TEST(guest.inb(0x3f9) == 0x00);
  BOOST_TEST(guest.inb(0x3fa) == 0x01);
  BOOST_TEST(guest.inb(0x3fc) == 0x00);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  BOOST_TEST(guest.inb(0x3ff) == 0x00);
  const auto hash = [this] {
    UartState copy = state();
    return state::hash(copy);
  };
  const auto once = hash();
  port->uart().reset();
  BOOST_TEST(hash() == once);
}

BOOST_DATA_TEST_CASE(ier_keeps_four_bits_and_reads_zero_above, data::xrange(256), value) {
  guest.outb(0x3f9, static_cast<std::uint8_t>(value));
  BOOST_TEST(guest.inb(0x3f9) == (value & 0x0f));
}

BOOST_DATA_TEST_CASE(lcr_and_scratch_keep_every_bit, data::xrange(256), value) {
  guest.outb(0x3ff, static_cast<std::uint8_t>(value));
  guest.outb(0x3fb, static_cast<std::uint8_t>(value));
  BOOST_TEST(guest.inb(0x3fb) == value);
  BOOST_TEST(guest.inb(0x3ff) == value);
}

BOOST_DATA_TEST_CASE(mcr_keeps_five_bits, data::xrange(256), value) {
  guest.outb(0x3fc, static_cast<std::uint8_t>(value));
  BOOST_TEST(guest.inb(0x3fc) == (value & 0x1f));
}

BOOST_DATA_TEST_CASE(writes_to_lsr_and_msr_are_ignored, data::xrange(256), value) {
  guest.outb(0x3fd, static_cast<std::uint8_t>(value));
  guest.outb(0x3fe, static_cast<std::uint8_t>(value));
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  BOOST_TEST(guest.inb(0x3fe) == 0xb0);
}

BOOST_AUTO_TEST_CASE(dlab_banks_the_divisor_over_data_and_ier) {
  guest.outb(0x3f9, 0x05);
  guest.outb(0x3fb, 0x83);
  guest.outb(0x3f8, 0x34);
  guest.outb(0x3f9, 0xf2);
  BOOST_TEST(guest.inb(0x3f8) == 0x34);
  BOOST_TEST(guest.inb(0x3f9) == 0xf2);  // all eight bits, unlike IER
  guest.outb(0x3fb, 0x03);
  BOOST_TEST(guest.inb(0x3f9) == 0x05);
  BOOST_TEST(other.sent.empty());
}

BOOST_AUTO_TEST_CASE(dlab_does_not_bank_iir_and_the_rest) {
  guest.outb(0x3fa, 0x01);
  guest.outb(0x3ff, 0x77);
  for (const int lcr : {0x00, 0x80, 0xbf, 0xe0}) {
    guest.outb(0x3fb, static_cast<std::uint8_t>(lcr));
    BOOST_TEST(guest.inb(0x3fa) == 0xc1);
    BOOST_TEST(guest.inb(0x3fd) == 0x60);
    BOOST_TEST(guest.inb(0x3fe) == 0xb0);
    BOOST_TEST(guest.inb(0x3ff) == 0x77);
  }
}

BOOST_AUTO_TEST_CASE(iir_shows_the_fifos_only_while_they_are_on) {
  BOOST_TEST((guest.inb(0x3fa) & 0xc0) == 0x00);
  guest.outb(0x3fa, 0x01);
  BOOST_TEST((guest.inb(0x3fa) & 0xc0) == 0xc0);
  guest.outb(0x3fa, 0x00);
  BOOST_TEST((guest.inb(0x3fa) & 0xc0) == 0x00);
}

BOOST_AUTO_TEST_CASE(fcr_without_the_enable_bit_programs_nothing) {
  // "This bit must be a 1 when other FCR bits are written to or they will not be programmed."
  guest.outb(0x3fa, 0xce);
  BOOST_TEST(guest.inb(0x3fa) == 0x01);
  other.type("a");
  guest.outb(0x3fa, 0x02);  // no FIFO reset either: FE is and stays 0
  BOOST_TEST(guest.inb(0x3f8) == 'a');
}

// Widths: a 2- or 4-byte access is as many registers, low byte first.

BOOST_AUTO_TEST_CASE(a_word_read_is_two_registers_low_byte_first) {
  guest.outb(0x3fa, 0x01);
  guest.outb(0x3fb, 0x03);
  BOOST_TEST(guest.inw(0x3fa) == 0x03c1);
  BOOST_TEST(guest.inw(0x3fd) == 0xb060);
}

BOOST_AUTO_TEST_CASE(a_dword_read_is_four_registers_low_byte_first) {
  guest.outb(0x3fc, 0x0b);
  guest.outb(0x3ff, 0xa5);
  BOOST_TEST(guest.inl(0x3fc) == 0xa5b0600bU);
}

BOOST_AUTO_TEST_CASE(a_word_write_is_two_registers_in_order) {
  // The boot loader's idiom for the divisor.
  guest.outb(0x3fb, 0x83);
  guest.outw(0x3f8, 0x0201);
  BOOST_TEST(guest.inb(0x3f8) == 0x01);
  BOOST_TEST(guest.inb(0x3f9) == 0x02);
}

BOOST_AUTO_TEST_CASE(a_dword_write_at_the_base_sends_enables_and_formats) {
  guest.outl(0x3f8, 0x13010541);  // THR 'A', IER 5, FCR 1, LCR 13h
  BOOST_TEST(other.sent == "A");
  BOOST_TEST(guest.inb(0x3f9) == 0x05);
  BOOST_TEST((guest.inb(0x3fa) & 0xc0) == 0xc0);
  BOOST_TEST(guest.inb(0x3fb) == 0x13);
}

BOOST_AUTO_TEST_CASE(the_low_byte_of_a_word_has_its_effect_before_the_high_byte) {
  com1.start();
  other.type("z");
  // RBR first, then IER.
  BOOST_TEST(guest.inw(0x3f8) == 'z');
  // LCR with DLAB, then MCR; a word at the base is the divisor now.
  guest.outw(0x3fb, 0x0b83);
  BOOST_TEST(guest.inw(0x3f8) == 0x0001);
  BOOST_TEST(guest.inb(0x3fc) == 0x0b);
}

BOOST_AUTO_TEST_CASE(an_access_over_the_end_touches_the_last_register_and_nothing_else) {
  guest.outb(0x3ff, 0x5a);
  BOOST_TEST(guest.inw(0x3ff) == 0xff5a);      // 0x400 has no owner here
  BOOST_TEST(guest.inl(0x3fe) == 0xffff5ab0);  // MSR, SCR, nobody, nobody
  guest.outw(0x3ff, 0x1234);
  BOOST_TEST(guest.inb(0x3ff) == 0x34);
  BOOST_TEST(guest.inw(0x3f7) == 0x00ff);  // nobody, RBR
}

// The port as a piece of the PC.

BOOST_AUTO_TEST_CASE(the_four_ports_are_where_a_pc_has_them) {
  ScriptedChardev ends[3];
  const auto com2 = make(1, ends[0]);
  const auto com3 = make(2, ends[1]);
  const auto com4 = make(3, ends[2]);
  constexpr std::array<std::uint16_t, 4> kBases{0x3f8, 0x2f8, 0x3e8, 0x2e8};
  constexpr std::array<unsigned, 4> kIrqs{4, 3, 4, 3};
  for (std::size_t i = 0; i < 4; ++i) {
    UartDriver com{guest, kBases.at(i)};
    BOOST_TEST(com.exists());
    guest.outb(static_cast<std::uint16_t>(kBases.at(i) + 7), static_cast<std::uint8_t>(i + 1));
    com.start(UartDriver::kIerThre);
    BOOST_TEST(guest.isa_irq(kIrqs.at(i)));
    BOOST_TEST(!guest.isa_irq(7 - kIrqs.at(i)));
    com.out(UartDriver::kIer, 0);
    BOOST_TEST(!guest.isa_irq(kIrqs.at(i)));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(guest.inb(static_cast<std::uint16_t>(kBases.at(i) + 7)) == i + 1);
  }
}

BOOST_AUTO_TEST_CASE(a_port_without_a_uart_reads_ones) {
  UartDriver com2{guest, 0x2f8};
  BOOST_TEST(!com2.exists());
  BOOST_TEST(guest.inb(0x2fd) == 0xff);
}

BOOST_AUTO_TEST_CASE(ports_that_are_taken_are_refused_with_the_holders_name) {
  ScriptedChardev second;
  const auto refused =
      SerialPort::create(kComPorts[0], guest.pio(), guest.irqs(), guest.timers(), second);
  BOOST_REQUIRE(refused.has_error());
  BOOST_TEST(refused.error().message == "com1: its ports are held by com1");
  BOOST_TEST(second.client == nullptr);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);  // the first is still there
}

BOOST_AUTO_TEST_CASE(a_port_that_goes_takes_line_ports_and_backend_with_it) {
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(irq());
  BOOST_TEST(other.client != nullptr);
  port.reset();
  BOOST_TEST(!irq());
  BOOST_TEST(other.client == nullptr);
  BOOST_TEST(guest.inb(0x3fd) == 0xff);
  BOOST_TEST(!guest.timers().next_deadline().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
