// SPDX-License-Identifier: MIT
// The interrupt: priorities, enables, OUT2, the shared line.
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dm::test {
namespace {

namespace data = boost::unit_test::data;

struct InterruptRig : UartRig {
  /// Makes all five conditions true.
  void everything_happens() {
    com1.start(0x0f, 0);
    other.send_break();
    other.type("d");
    other.set_lines({.cts = false});
  }
};

BOOST_FIXTURE_TEST_SUITE(uart_interrupts, InterruptRig)

BOOST_AUTO_TEST_CASE(sources_are_reported_by_priority_and_cleared_by_their_own_registers) {
  everything_happens();
  guest.advance(1ms);
  BOOST_TEST(com1.source() == 0x06);    // line status first
  static_cast<void>(guest.inb(0x3fd));  // reading LSR clears it
  BOOST_TEST(com1.source() == 0x0c);    // time-out, before data available
  static_cast<void>(guest.inb(0x3f8));  // reading RBR clears it
  BOOST_TEST(com1.source() == 0x04);    // data: one byte is left, trigger 1
  static_cast<void>(guest.inb(0x3f8));
  BOOST_TEST(com1.source() == 0x02);  // THRE: this read is its acknowledgement
  BOOST_TEST(com1.source() == 0x00);  // modem status last
  BOOST_TEST(irq());
  BOOST_TEST((guest.inb(0x3fe) & 0x0f) == 0x01);  // DCTS
  BOOST_TEST(com1.source() == 0x01);
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_CASE(reading_iir_acknowledges_thre_only_when_it_reports_thre) {
  com1.start(UartDriver::kIerData | UartDriver::kIerThre);
  other.type("a");
  BOOST_TEST(com1.source() == 0x04);
  BOOST_TEST(com1.source() == 0x04);
  BOOST_TEST(guest.inb(0x3f8) == 'a');
  BOOST_TEST(com1.source() == 0x02);
  BOOST_TEST(com1.source() == 0x01);
}

BOOST_DATA_TEST_CASE(only_enabled_sources_interrupt, data::xrange(16), ier) {
  everything_happens();
  guest.outb(0x3f9, 0);
  BOOST_TEST(!irq());
  BOOST_TEST(com1.source() == 0x01);
  guest.outb(0x3f9, static_cast<std::uint8_t>(ier));
  const int expected = (ier & 4) != 0   ? 0x06
                       : (ier & 1) != 0 ? 0x04
                       : (ier & 2) != 0 ? 0x02
                       : (ier & 8) != 0 ? 0x00
                                        : 0x01;
  BOOST_TEST(irq() == (ier != 0));
  BOOST_TEST(com1.source() == expected);
}

BOOST_AUTO_TEST_CASE(a_service_routine_ends_with_the_line_low) {
  everything_happens();
  std::string got;
  std::string_view nothing;
  const auto seen = com1.service(got, nothing);
  BOOST_TEST(seen.line == 1U);
  BOOST_TEST(seen.thre == 1U);
  BOOST_TEST(seen.modem == 1U);
  BOOST_TEST((got == std::string{"\0d", 2}));
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_CASE(out2_connects_the_interrupt_and_iir_does_not_depend_on_it) {
  com1.start(UartDriver::kIerThre);
  guest.outb(0x3fc, 0x03);
  BOOST_TEST(!irq());
  guest.outb(0x3fc, 0x0b);
  BOOST_TEST(irq());
  guest.outb(0x3fc, 0x00);
  BOOST_TEST(!irq());
  BOOST_TEST(com1.source() == 0x02);
}

BOOST_AUTO_TEST_CASE(com1_and_com3_share_irq_4_and_hold_it_together) {
  ScriptedChardev third;
  const auto port3 = make(2, third);
  UartDriver com3{guest, 0x3e8};
  com1.start(UartDriver::kIerData);
  com3.start(UartDriver::kIerData);
  other.type("a");
  third.type("b");
  BOOST_TEST(guest.isa_edges(kIrq) == 1U);
  BOOST_TEST(com1.receive() == "a");
  BOOST_TEST(irq());
  BOOST_TEST(com3.receive() == "b");
  BOOST_TEST(!irq());
  third.type("c");
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x01);
  BOOST_TEST(com3.source() == 0x04);
}

BOOST_AUTO_TEST_CASE(a_port_that_goes_does_not_pull_down_the_shared_line) {
  ScriptedChardev third;
  auto port3 = make(2, third);
  UartDriver com3{guest, 0x3e8};
  com1.start(UartDriver::kIerThre);
  com3.start(UartDriver::kIerThre);
  port3.reset();
  BOOST_TEST(irq());
  BOOST_TEST(com1.source() == 0x02);
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_CASE(com2_is_on_irq_3) {
  ScriptedChardev second;
  const auto port2 = make(1, second);
  UartDriver com2{guest, 0x2f8};
  com2.start(UartDriver::kIerThre);
  BOOST_TEST(guest.isa_irq(3));
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
