// SPDX-License-Identifier: MIT
// Configuration space, registers and root hub.
#include "tests/unit/devices/usb/usb_rig.h"

namespace dm::test {

BOOST_AUTO_TEST_SUITE(usb_registers)

BOOST_FIXTURE_TEST_CASE(configuration_space_is_the_piix3s, OneTablet) {
  const auto config = [&](std::uint8_t reg, std::uint8_t size) {
    return guest.config_read(D::kBdf, reg, size);
  };
  BOOST_TEST(config(0x00, 4) == 0x70208086U);
  BOOST_TEST(config(0x08, 4) == 0x0c030001U);
  BOOST_TEST(config(0x20, 4) == 0xc041U);
  BOOST_TEST(config(0x3d, 1) == 4U);
  BOOST_TEST(config(0x60, 1) == 0x10U);
  guest.config_write(D::kBdf, 0xc0, 2, 0x8f00);
  BOOST_TEST(config(0xc0, 2) == 0x8f00U);
  guest.config_write(D::kBdf, 0x20, 4, 0xffffffff);
  BOOST_TEST(config(0x20, 4) == 0xffffffe1U);
}

BOOST_FIXTURE_TEST_CASE(a_controller_that_was_reset_stands_still, OneTablet) {
  driver.start();
  driver.set(D::USBCMD, D::HCRESET);
  BOOST_TEST(driver.get(D::USBCMD) == 0U);
  BOOST_TEST(driver.get(D::USBSTS) == D::HCH);
  BOOST_TEST(driver.get(D::USBINTR) == 0U);
  BOOST_TEST(driver.get(D::USBSOF) == 0x40U);
  BOOST_TEST(guest.pio_read(D::kBase + D::USBFLBASEADD, 4) == 0U);
  BOOST_TEST(driver.get(D::USBPORTSC1) == 0x83U);
  BOOST_TEST(driver.get(D::USBPORTSC2) == 0x80U);
}

BOOST_FIXTURE_TEST_CASE(a_driver_that_counts_ports_finds_two, OneTablet) {
  for (std::uint16_t at = 0x14; at < 0x20; at = static_cast<std::uint16_t>(at + 2)) {
    BOOST_TEST((driver.get(at) & 0x80U) == 0U);
  }
  BOOST_TEST(guest.pio_read(D::kBase + D::USBPORTSC1, 4) == 0x00800083U);
  BOOST_TEST(guest.pio_read(D::kBase + D::USBPORTSC1 + 1, 1) == 0U);
}

BOOST_FIXTURE_TEST_CASE(frnum_counts_each_millisecond_while_the_controller_runs, OneTablet) {
  driver.start();
  BOOST_TEST(driver.get(D::USBFRNUM) == 0U);
  guest.advance(1500us);
  BOOST_TEST(driver.get(D::USBFRNUM) == 1U);
  guest.advance(2046ms);
  BOOST_TEST(driver.get(D::USBFRNUM) == 2047U);
  guest.advance(500us);
  BOOST_TEST(driver.get(D::USBFRNUM) == 0U);
  driver.set(D::USBFRNUM, 77);  // it runs: no
  BOOST_TEST(driver.get(D::USBFRNUM) == 0U);
  driver.set(D::USBCMD, 0);
  BOOST_TEST((driver.get(D::USBSTS) & D::HCH) != 0U);
  guest.advance(5ms);
  BOOST_TEST(driver.get(D::USBFRNUM) == 0U);
  driver.set(D::USBFRNUM, 77);
  BOOST_TEST(driver.get(D::USBFRNUM) == 77U);
}

BOOST_FIXTURE_TEST_CASE(a_port_is_enabled_only_with_a_device_and_not_in_reset, OneTablet) {
  driver.start();
  driver.reset_port();
  BOOST_TEST(driver.get(D::USBPORTSC1) == 0x85U);
  driver.set(D::USBPORTSC1, 0x85U | D::PR);
  BOOST_TEST(driver.get(D::USBPORTSC1) == 0x281U);
  driver.set(D::USBPORTSC2, D::PE);
  BOOST_TEST(driver.get(D::USBPORTSC2) == 0x80U);
}

BOOST_FIXTURE_TEST_CASE(a_sleeping_device_wakes_its_host_if_it_may, OneTablet) {
  driver.enumerate();
  driver.take_causes();
  driver.set(D::USBPORTSC1, D::PE | D::SUSP);
  device().pointer(1, 2, 0);
  BOOST_TEST((driver.get(D::USBSTS) & D::RD) == 0U);
  driver.set(D::USBPORTSC1, D::PE);
  BOOST_TEST(driver.report().has_value());
  BOOST_TEST(driver.control(D::kAddress, {0, 3, 1, 0, 0, 0, 0, 0}).has_value());
  driver.set(D::USBPORTSC1, D::PE | D::SUSP);
  driver.take_causes();
  BOOST_TEST(!driver.irq());
  device().pointer(3, 4, 0);
  BOOST_TEST((driver.get(D::USBSTS) & D::RD) != 0U);
  BOOST_TEST((driver.get(D::USBPORTSC1) & D::PORT_RD) != 0U);
  BOOST_TEST(driver.irq());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
