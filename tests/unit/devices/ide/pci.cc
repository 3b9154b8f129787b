// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace dm;
using test::OneDisk;

namespace {
constexpr PciBdf kIde{1, 1};
}

BOOST_FIXTURE_TEST_SUITE(ide_pci, OneDisk)

BOOST_AUTO_TEST_CASE(the_header_is_that_of_a_piix3) {
  BOOST_TEST(guest.config_read(kIde, 0x00, 4) == 0x70108086U);
  BOOST_TEST(guest.config_read(kIde, 0x06, 2) == 0x0280U);
  BOOST_TEST(guest.config_read(kIde, 0x08, 4) == 0x01018000U);
  BOOST_TEST(guest.config_read(kIde, 0x0e, 1) == 0x00U);
  BOOST_TEST(guest.config_read(kIde, 0x3d, 1) == 0x00U);
  for (unsigned bar = 0x10; bar < 0x20; bar += 4) {
    guest.config_write(kIde, bar, 4, 0xffffffff);
    BOOST_TEST(guest.config_read(kIde, bar, 4) == 0U);
  }
  guest.config_write(kIde, 0x08, 4, 0);  // no native mode
  BOOST_TEST(guest.config_read(kIde, 0x08, 4) == 0x01018000U);
  guest.config_write(kIde, 0x48, 4, 0xffffffff);  // Ultra DMA registers are the PIIX4's
  BOOST_TEST(guest.config_read(kIde, 0x48, 4) == 0U);
  guest.config_write(kIde, 0x54, 4, 0xffffffff);
  BOOST_TEST(guest.config_read(kIde, 0x54, 4) == 0U);
}

/// Of every byte of the header, the bits that take a one (82371SB, 290550-002, function 1). Memory
/// space enable is hardwired there; libqos asks for it of every function it enables.
BOOST_AUTO_TEST_CASE(the_bits_that_the_datasheet_hardwires_take_nothing) {
  for (unsigned at = 0; at < 0x40; ++at) {
    guest.config_write(kIde, at, 1, 0);
    const auto zeros = guest.config_read(kIde, at, 1);
    guest.config_write(kIde, at, 1, 0xff);
    const auto taken = guest.config_read(kIde, at, 1) ^ zeros;
    guest.config_write(kIde, at, 1, 0);
    const std::uint64_t wanted = at == 0x04   ? 0x07U  // BME, MSE, IOSE
                                 : at == 0x0d ? 0xf0U  // MLT
                                 : at == 0x20 ? 0xf0U  // BMIBA: 16 ports
                                 : at == 0x21 ? 0xffU
                                 : at == 0x22 ? 0xffU
                                 : at == 0x23 ? 0xffU
                                              : 0U;
    BOOST_TEST(taken == wanted, "byte " << std::hex << at << ": " << taken);
  }
}

BOOST_AUTO_TEST_CASE(timing_registers_are_storage) {
  BOOST_TEST(guest.config_read(kIde, 0x40, 4) == 0U);
  guest.config_write(kIde, 0x40, 2, 0x8000);  // hvmloader
  guest.config_write(kIde, 0x42, 2, 0x8000);
  BOOST_TEST((guest.config_read(kIde, 0x41, 1) & 0x80) != 0U);  // Linux: port enabled
  BOOST_TEST((guest.config_read(kIde, 0x43, 1) & 0x80) != 0U);
  guest.config_write(kIde, 0x40, 4, 0xe377a307);
  guest.config_write(kIde, 0x44, 1, 0x5a);
  BOOST_TEST(guest.config_read(kIde, 0x40, 4) == 0xe377a307U);
  BOOST_TEST(guest.config_read(kIde, 0x44, 4) == 0x0000005aU);
}

BOOST_AUTO_TEST_CASE(the_legacy_ports_answer_whatever_the_decode_bits_say) {
  guest.config_write(kIde, 0x04, 2, 0);
  guest.config_write(kIde, 0x40, 4, 0);
  BOOST_TEST(ide.status() == 0x50);
}

BOOST_AUTO_TEST_CASE(bar_4_is_16_ports_and_follows_the_command_register) {
  guest.config_write(kIde, 0x04, 2, 0);
  guest.config_write(kIde, 0x20, 4, 0xffffffff);
  BOOST_TEST((guest.config_read(kIde, 0x20, 4) | 0xffff0000U) == 0xfffffff1U);
  guest.config_write(kIde, 0x20, 4, 0xd000);
  BOOST_TEST(guest.inb(0xd000) == 0xff);
  guest.config_write(kIde, 0x04, 2, 7);
  BOOST_TEST((guest.config_read(kIde, 0x04, 2) & 7U) == 7U);  // QEMU's ide-test asks for all three
  BOOST_TEST(guest.inb(0xd000) == 0x00);
  BOOST_TEST(guest.inb(0xc000) == 0xff);
  guest.outb(0xd002, 0x60);
  guest.config_write(kIde, 0x20, 4, 0xe000);
  BOOST_TEST(guest.inb(0xe002) == 0x60);
}

BOOST_AUTO_TEST_CASE(a_bar_on_top_of_other_ports_stays_away) {  // B34
  for (const unsigned base : {0x1f0U, 0x3f0U, 0x170U}) {
    guest.config_write(kIde, 0x20, 4, base);
    BOOST_TEST(ide.status() == 0x50);
    guest.outb(static_cast<std::uint16_t>(base), 0x09);
    BOOST_TEST(ide.alt_status() == 0x50);
  }
  guest.config_write(kIde, 0x20, 4, 0xc000);
  BOOST_TEST(guest.inb(0xc000) == 0);
}

BOOST_AUTO_TEST_CASE(the_ports_are_claimed_from_the_hypervisor_and_given_back) {
  rig::SimGuest host;
  {
    ide::Piix3Ide controller{host.pci(), host.pio(), host.irqs(), host.memory(), {}};
    BOOST_TEST(host.inb(0x1f7) == 0);
    // Nothing else may have them.
    BOOST_CHECK_THROW((ide::Piix3Ide{host.pci(), host.pio(), host.irqs(), host.memory(), {}}),
                      std::runtime_error);
    BOOST_TEST(host.inb(0x177) == 0);
  }
  BOOST_TEST(host.inb(0x1f7) == 0xff);
  BOOST_TEST(host.inb(0x376) == 0xff);
}

BOOST_AUTO_TEST_SUITE_END()
