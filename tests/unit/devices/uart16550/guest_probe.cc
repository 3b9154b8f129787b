// SPDX-License-Identifier: MIT
// What firmware and kernels do to find out what they have, step by step.
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

namespace dm::test {
namespace {

struct ProbeRig : UartRig {
  /// Linux's FIFO probe: how many of 256 bytes come back in loopback at divisor 1.
  unsigned fifo_size() {
    const std::uint8_t lcr = guest.inb(0x3fb);
    guest.outb(0x3fb, 0x00);
    static_cast<void>(guest.inb(0x3fa));
    guest.outb(0x3fa, 0x07);
    const std::uint8_t mcr = guest.inb(0x3fc);
    guest.outb(0x3fc, 0x10);
    guest.outb(0x3fb, 0x80);
    const std::uint16_t divisor = guest.inw(0x3f8);
    guest.outb(0x3f8, 1);
    guest.outb(0x3f9, 0);
    guest.outb(0x3fb, 0x03);
    for (unsigned i = 0; i < 256; ++i) {
      guest.outb(0x3f8, static_cast<std::uint8_t>(i));
    }
    guest.advance(20ms);
    unsigned count = 0;
    for (; count < 256 && (guest.inb(0x3fd) & 0x01) != 0; ++count) {
      BOOST_TEST(guest.inb(0x3f8) == count);
    }
    guest.outb(0x3fa, 0x01);
    guest.outb(0x3fc, mcr);
    guest.outb(0x3fb, 0x80);
    guest.outb(0x3f8, static_cast<std::uint8_t>(divisor & 0xffU));
    guest.outb(0x3f9, static_cast<std::uint8_t>(divisor >> 8U));
    guest.outb(0x3fb, lcr);
    return count;
  }

  /// Interrupt enables that stick.
  void is_there(std::uint8_t ier) {
    guest.outb(0x3f9, 0x00);
    guest.outb(0x80, 0xff);
    BOOST_TEST((guest.inb(0x3f9) & 0x0f) == 0x00);
    guest.outb(0x3f9, 0x0f);
    guest.outb(0x80, 0x00);
    BOOST_TEST((guest.inb(0x3f9) & 0x0f) == 0x0f);
    guest.outb(0x3f9, ier);
  }

  /// Chips that are a 16550A and more, each told by what it alone has.
  void is_no_other_kind(std::uint8_t ier) {
    // Not an Exar or TI with an EFR: offset 2 must not read 0.
    for (const int bank : {0x80, 0xbf}) {
      guest.outb(0x3fb, static_cast<std::uint8_t>(bank));
      BOOST_TEST(guest.inb(0x3fa) == 0xc1);
    }
    // Not a National super I/O: its bank 2 would show MCR.LOOP at offset 2.
    guest.outb(0x3fb, 0x00);
    const std::uint8_t before = guest.inb(0x3fc);
    guest.outb(0x3fb, 0xe0);
    BOOST_TEST(((guest.inb(0x3fa) ^ before) & 0x10) == 0);
    guest.outb(0x3fb, 0x00);
    guest.outb(0x3fc, before ^ 0x10);
    guest.outb(0x3fb, 0xe0);
    const std::uint8_t bank2 = guest.inb(0x3fa);
    guest.outb(0x3fb, 0x00);
    guest.outb(0x3fc, before);
    BOOST_TEST(((bank2 ^ before) & 0x10) == 0);
    // Not a 16750: no 64-byte bit, with DLAB or without.
    for (const int bank : {0x00, 0x80}) {
      guest.outb(0x3fb, static_cast<std::uint8_t>(bank));
      guest.outb(0x3fa, 0x21);
      BOOST_TEST((guest.inb(0x3fa) & 0xe0) == 0xc0);
      guest.outb(0x3fa, 0x01);
    }
    guest.outb(0x3fb, 0x00);
    // Not an XScale: IER bit 6 does not stick.
    guest.outb(0x3f9, 0x40);
    BOOST_TEST((guest.inb(0x3f9) & 0x40) == 0);
    guest.outb(0x3f9, ier);
  }
};

BOOST_FIXTURE_TEST_SUITE(uart_guest_probe, ProbeRig)

BOOST_AUTO_TEST_CASE(hvmloader_finds_the_port) {
  BOOST_TEST(com1.exists());
}

BOOST_AUTO_TEST_CASE(linux_autoconfig_sees_a_16550a_and_nothing_more) {
  other.type("typed before anybody listened");
  const std::uint8_t ier = guest.inb(0x3f9);
  // 1. Is there a chip?
  is_there(ier);
  const std::uint8_t mcr = guest.inb(0x3fc);
  const std::uint8_t lcr = guest.inb(0x3fb);
  // 2. Loopback joins RTS to CTS and OUT2 to DCD.
  guest.outb(0x3fc, 0x1a);
  BOOST_TEST((guest.inb(0x3fe) & 0xf0) == 0x90);
  guest.outb(0x3fc, mcr);
  // 3. FIFO kind.
  guest.outb(0x3fb, 0xbf);
  guest.outb(0x3fa, 0x00);
  guest.outb(0x3fb, 0x00);
  guest.outb(0x3fa, 0x01);
  BOOST_TEST((guest.inb(0x3fa) >> 6) == 3);
  // 4. Which?
  is_no_other_kind(ier);
  // 5. Not a U6: 16 bytes deep.
  BOOST_TEST(fifo_size() == 16U);
  guest.outb(0x3fb, lcr);
  // 6. Leave it quiet.
  guest.outb(0x3fc, mcr);
  guest.outb(0x3fa, 0x01);
  guest.outb(0x3fa, 0x07);
  guest.outb(0x3fa, 0x00);
  static_cast<void>(guest.inb(0x3fd));
  static_cast<void>(guest.inb(0x3f8));
  static_cast<void>(guest.inb(0x3fa));
  static_cast<void>(guest.inb(0x3fe));
  guest.outb(0x3f9, 0x00);
  BOOST_TEST(!irq());
  BOOST_TEST((guest.inb(0x3fd) & 0x60) == 0x60);
  BOOST_TEST(other.sent.empty());  // nobody outside heard of it
}

BOOST_AUTO_TEST_CASE(the_fifo_is_sixteen_deep_while_the_other_end_types) {
  other.type(std::string(100, 'n'));
  BOOST_TEST(fifo_size() == 16U);
}

BOOST_AUTO_TEST_CASE(linux_thre_test_finds_no_bug) {
  com1.start();
  BOOST_TEST((guest.inb(0x3fd) & 0x20) != 0);
  guest.outb(0x3f9, 0x02);
  BOOST_TEST((guest.inb(0x3fa) & 0x01) == 0);
  guest.outb(0x3f9, 0x00);
  guest.outb(0x3f9, 0x02);
  BOOST_TEST((guest.inb(0x3fa) & 0x01) == 0);  // else: a backup timer for ever
  guest.outb(0x3f9, 0x00);
}

BOOST_AUTO_TEST_CASE(linux_tx_enable_test_finds_no_bug) {
  com1.start(UartDriver::kIerThre);
  const std::uint8_t lsr = guest.inb(0x3fd);
  const std::uint8_t iir = guest.inb(0x3fa);
  BOOST_TEST(!((lsr & 0x40) != 0 && (iir & 0x01) != 0));
}

BOOST_AUTO_TEST_CASE(linux_autoconfig_irq_gets_its_interrupt) {
  guest.outb(0x3fc, 0x00);
  guest.outb(0x3fc, 0x0b);
  guest.outb(0x3f9, 0x0f);
  static_cast<void>(guest.inb(0x3fd));
  static_cast<void>(guest.inb(0x3f8));
  static_cast<void>(guest.inb(0x3fa));
  static_cast<void>(guest.inb(0x3fe));
  const auto edges = guest.isa_edges(kIrq);
  guest.outb(0x3f8, 0xff);
  BOOST_TEST(irq());
  BOOST_TEST(guest.isa_edges(kIrq) > edges);
}

BOOST_AUTO_TEST_CASE(windows_toggles_ier_and_waits_for_thre) {
  com1.start();
  for (int i = 0; i < 3; ++i) {
    const auto edges = guest.isa_edges(kIrq);
    guest.outb(0x3f9, 0x00);
    guest.outb(0x3f9, 0x0f);
    BOOST_TEST(guest.isa_edges(kIrq) == edges + 1);
    BOOST_TEST(com1.source() == 0x02);
  }
}

BOOST_AUTO_TEST_CASE(freebsd_sends_in_loopback_until_the_overrun) {
  com1.start();
  guest.outb(0x3fc, 0x10);
  unsigned count = 0;
  for (bool overrun = false; !overrun && count < 1030; ++count) {
    guest.outb(0x3f8, 0x00);
    const std::uint8_t lsr = guest.inb(0x3fd);
    BOOST_TEST((lsr & 0x40) != 0);
    overrun = (lsr & 0x02) != 0;
  }
  BOOST_TEST(count == 17U);  // one more than fit
}

BOOST_AUTO_TEST_CASE(a_bios_loop_test_needs_no_time) {
  guest.outb(0x3fb, 0x03);
  guest.outb(0x3fc, 0x10);
  for (unsigned i = 0; i < 256; ++i) {
    guest.outb(0x3f8, static_cast<std::uint8_t>(i));
    BOOST_TEST(guest.inb(0x3fd) == 0x61);
    BOOST_TEST(guest.inb(0x3f8) == i);
  }
}

BOOST_AUTO_TEST_CASE(a_polled_console_sends_its_text) {
  com1.start();
  BOOST_TEST(com1.print("Booting Linux on physical CPU 0\r\n") == 33U);
  BOOST_TEST(other.sent == "Booting Linux on physical CPU 0\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
