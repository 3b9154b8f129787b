// SPDX-License-Identifier: MIT
// Identity, widths, resets, the EEPROM, the PHY, the timer.
#include "tests/unit/devices/rtl8139/rtl8139_rig.h"

namespace dm::test {

using D = Rtl8139Driver;

BOOST_AUTO_TEST_SUITE(rtl8139_registers)

BOOST_FIXTURE_TEST_CASE(configuration_space_is_that_of_an_rtl8139c_plus, OneRtl) {
  BOOST_TEST(guest.config_read(kBdf, 0x00, 4) == 0x813910ecU);
  BOOST_TEST(guest.config_read(kBdf, 0x08, 4) == 0x02000020U);
  BOOST_TEST(guest.config_read(kBdf, 0x2c, 4) == 0x11001af4U);
  BOOST_TEST(guest.config_read(kBdf, 0x3d, 1) == 1U);
  BOOST_TEST((guest.config_read(kBdf, 0x06, 2) & 0x10U) == 0U);
  guest.config_write(kBdf, 0x10, 4, 0xffffffff);
  guest.config_write(kBdf, 0x14, 4, 0xffffffff);
  BOOST_TEST(guest.config_read(kBdf, 0x10, 4) == 0xffffff01U);
  BOOST_TEST(guest.config_read(kBdf, 0x14, 4) == 0xffffff00U);
}

BOOST_FIXTURE_TEST_CASE(both_bars_show_the_registers_at_every_width, OneRtl) {
  BOOST_TEST(guest.inl(D::kBar0 + D::TCR) == 0x74800000U);
  BOOST_TEST(driver.get32(D::TCR) == 0x74800000U);
  BOOST_TEST(driver.get8(0x43) == 0x74U);  // Windows reads the version so
  BOOST_TEST(driver.get32(D::IDR) == 0x123e1600U);
  BOOST_TEST(driver.get16(D::IDR + 4) == 0x5634U);
  driver.set16(D::IMR, 0xffff);
  BOOST_TEST(driver.get16(D::IMR) == 0xe1ffU);
  driver.set8(D::IMR, 0);
  BOOST_TEST(driver.get16(D::IMR) == 0xe100U);
  BOOST_TEST(driver.get8(D::IMR + 1) == 0xe1U);
  // TSD and CAPR take no narrow writes.
  driver.set8(D::CAPR, 1);
  BOOST_TEST(driver.get16(D::CAPR) == 0xfff0U);
  driver.set8(D::TSD, 60);
  BOOST_TEST(driver.get32(D::TSD) == 0x2000U);
}

BOOST_FIXTURE_TEST_CASE(a_dump_of_all_registers_changes_nothing_but_two_latches, OneRtl) {
  driver.open_plus();
  net.set_link(false);
  const auto before = card->chip().state().file.bytes;
  for (std::uint32_t at = 0; at < 256; ++at) {
    (void)driver.get8(at);
  }
  BOOST_TEST((card->chip().state().file.bytes == before));
  BOOST_TEST(!card->chip().state().link_changed);
  BOOST_TEST(!card->chip().state().link_was_down);
  BOOST_TEST((driver.get16(D::ISR) & D::PUN) != 0U);
}

// iPXE takes a card whose RMS can be written for an RTL8169, and one whose CpCR cannot for an old
// 8139.
BOOST_FIXTURE_TEST_CASE(ipxe_finds_a_c_plus_card_with_a_93c46, OneRtl) {
  driver.set16(D::RMS, 0x1234);
  BOOST_TEST(driver.get16(D::RMS) == 0U);
  driver.set16(D::CPCR, D::MULRW | D::DAC | D::CPRX | D::CPTX);
  BOOST_TEST(driver.get16(D::CPCR) == (D::MULRW | D::DAC | D::CPRX | D::CPTX));
  driver.set32(D::RCR, 0xffffffff);
  BOOST_TEST(driver.get32(D::RCR) == 0x0f03ffbfU);
  BOOST_TEST((driver.get8(D::CONFIG1) & 2U) == 0U);
  BOOST_TEST((driver.get8(D::MSR) & 4U) == 0U);
}

BOOST_FIXTURE_TEST_CASE(the_eeprom_is_read_bit_by_bit_and_its_size_found, OneRtl) {
  BOOST_TEST(driver.read_eeprom(0, 8) != 0x8129U);
  BOOST_TEST(driver.read_eeprom(0) == 0x8129U);
  BOOST_TEST(driver.read_eeprom(7) == 0x1600U);
  BOOST_TEST(driver.read_eeprom(8) == 0x123eU);
  BOOST_TEST(driver.read_eeprom(9) == 0x5634U);
}

BOOST_FIXTURE_TEST_CASE(config_registers_are_locked_until_9346cr_says_otherwise, OneRtl) {
  driver.set8(D::CONFIG3, 0x70);
  driver.set8(D::CONFIG5, 0x7f);
  BOOST_TEST(driver.get8(D::CONFIG3) == 0x01U);
  BOOST_TEST(driver.get8(D::CONFIG5) == 0x7fU);
  driver.set8(D::CFG9346, 0xc0);
  driver.set8(D::CONFIG3, 0x70);
  driver.set8(D::CONFIG1, 0xff);
  BOOST_TEST(driver.get8(D::CONFIG3) == 0x71U);
  BOOST_TEST(driver.get8(D::CONFIG1) == 0xfdU);
  driver.set8(D::CFG9346, 0x40);  // load: the station address comes back
  BOOST_TEST((driver.get8(D::CFG9346) & 0xc0U) == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_reset_by_cr_keeps_what_it_should, OneRtl) {
  driver.open_plus();
  driver.set32(D::MAR, 0x11223344);
  driver.set32(D::IDR, 0);
  driver.set8(D::CR, D::RST);
  BOOST_TEST(driver.get8(D::CR) == D::BUFE);
  BOOST_TEST(driver.get32(D::MAR) == 0x11223344U);
  BOOST_TEST(driver.get32(D::IDR) == 0x123e1600U);
  BOOST_TEST(driver.get32(D::TSAD) == D::kTxRing);
  BOOST_TEST(driver.get16(D::CPCR) == 0U);
  BOOST_TEST(driver.get32(D::RCR) == 0U);
  BOOST_TEST(driver.get16(D::IMR) == 0U);
  BOOST_TEST(driver.get32(D::TCR) == 0x74800000U);
  BOOST_TEST(driver.get16(D::TSADS) == 0x000fU);
}

BOOST_FIXTURE_TEST_CASE(a_link_that_goes_is_shown_once_and_said, OneRtl) {
  driver.open_plus();
  BOOST_TEST(driver.get16(D::BMSR) == 0x782dU);
  net.set_link(false);
  BOOST_TEST(driver.irq());
  BOOST_TEST((driver.take_causes() & D::PUN) != 0U);
  net.set_link(true);
  BOOST_TEST(driver.get16(D::BMSR) == 0x7829U);  // latched
  BOOST_TEST(driver.get16(D::BMSR) == 0x782dU);
  BOOST_TEST((driver.get16(D::CSCR) & 0x0c00U) == 0x0c00U);
  BOOST_TEST((driver.get16(D::CSCR) & 0x0c00U) == 0x0400U);
}

BOOST_FIXTURE_TEST_CASE(tctr_counts_and_its_match_is_a_cause, OneRtl) {
  driver.set32(D::TIMER, 1000);
  driver.set32(D::TCTR, 1);
  guest.advance(29us);
  BOOST_TEST((driver.get16(D::ISR) & D::TIMEOUT) == 0U);
  guest.advance(1us);
  BOOST_TEST(driver.get32(D::TCTR) == 1000U);
  driver.set32(D::TCTR, 0);  // the match is kept
  BOOST_TEST((driver.get16(D::ISR) & D::TIMEOUT) != 0U);
  driver.set16(D::ISR, D::TIMEOUT);
  driver.set16(D::IMR, D::TIMEOUT);
  BOOST_TEST(!driver.irq());
  guest.advance(30us);
  BOOST_TEST(driver.irq());
  driver.set16(D::ISR, D::TIMEOUT);
  guest.advance(1s);  // not again before TCTR comes round
  BOOST_TEST(!driver.irq());
  guest.advance(129s);
  BOOST_TEST(driver.irq());
}

BOOST_FIXTURE_TEST_CASE(a_software_interrupt_comes_at_once, OneRtl) {
  driver.set16(D::IMR, D::SWINT);
  driver.set8(D::TPPOLL, 1);
  BOOST_TEST(driver.irq());
  driver.set16(D::ISR, D::SWINT);
  BOOST_TEST(!driver.irq());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
