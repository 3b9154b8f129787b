// SPDX-License-Identifier: MIT
// What a bus driver asks of a new device.
#include "tests/unit/devices/usb/usb_rig.h"

#include <string>

namespace dm::test {

namespace {

std::string text_of(const Bytes& descriptor) {
  std::string text;
  for (std::size_t i = 2; i + 1 < descriptor.size(); i += 2) {
    text.push_back(static_cast<char>(descriptor[i]));
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(usb_enumeration)

BOOST_FIXTURE_TEST_CASE(a_tablet_is_enumerated_as_linux_and_seabios_do, OneTablet) {
  driver.start();
  driver.reset_port();
  // Linux asks for 64 bytes at address 0 first, SeaBIOS for 8.
  const auto first = driver.get_descriptor(0, 1, 0, 64);
  BOOST_TEST_REQUIRE(first.has_value());
  BOOST_TEST((*first == Bytes{18, 1, 0, 1, 0, 0, 0, 8, 0x27, 6, 1, 0, 0, 0, 1, 2, 3, 1}));
  BOOST_TEST(driver.get_descriptor(0, 1, 0, 8)->size() == 8U);
  driver.reset_port();
  BOOST_TEST(driver.control(0, {0, 5, D::kAddress, 0, 0, 0, 0, 0}).has_value());
  BOOST_TEST(!driver.get_descriptor(0, 1, 0, 8).has_value());
  const auto head = driver.get_descriptor(D::kAddress, 2, 0, 9);
  BOOST_TEST_REQUIRE(head.has_value());
  const auto all = driver.get_descriptor(D::kAddress, 2, 0, (*head)[2]);
  BOOST_TEST_REQUIRE(all->size() == 34U);
  BOOST_TEST((*all)[14] == 3U);   // HID
  BOOST_TEST((*all)[15] == 0U);   // no boot protocol
  BOOST_TEST((*all)[25] == 74U);  // the report descriptor
  BOOST_TEST((*all)[29] == 0x81U);
  BOOST_TEST(driver.get_descriptor(D::kAddress, 0x22, 0, 74, 1)->size() == 74U);
  BOOST_TEST(driver.get_descriptor(D::kAddress, 0x21, 0, 9, 1)->size() == 9U);
  BOOST_TEST(text_of(*driver.get_descriptor(D::kAddress, 3, 1, 255)) == "stubdm");
  BOOST_TEST(text_of(*driver.get_descriptor(D::kAddress, 3, 2, 255)) == "USB Tablet");
  BOOST_TEST((*driver.control(D::kAddress, {0x80, 8, 0, 0, 0, 0, 1, 0}) == Bytes{0}));
  BOOST_TEST(driver.control(D::kAddress, {0, 9, 1, 0, 0, 0, 0, 0}).has_value());
  BOOST_TEST((*driver.control(D::kAddress, {0x80, 8, 0, 0, 0, 0, 1, 0}) == Bytes{1}));
  BOOST_TEST((driver.get(D::USBSTS) & D::USBINT) != 0U);
  BOOST_TEST(driver.irq());
}

BOOST_FIXTURE_TEST_CASE(windows_is_told_that_it_may_suspend_the_device, OneTablet) {
  driver.enumerate();
  const auto string = driver.get_descriptor(D::kAddress, 3, 0xee, 18);
  BOOST_TEST_REQUIRE(string.has_value());
  BOOST_TEST(text_of(*string).substr(0, 7) == "MSFT100");
  const std::uint8_t request = (*string)[16];
  const auto properties = driver.control(D::kAddress, {0xc1, request, 0, 0, 5, 0, 76, 0});
  BOOST_TEST_REQUIRE(properties.has_value());
  BOOST_TEST_REQUIRE(properties->size() == 76U);
  BOOST_TEST((*properties)[0] == 76U);
  BOOST_TEST((*properties)[72] == 1U);
}

BOOST_FIXTURE_TEST_CASE(what_a_device_does_not_know_is_stalled_and_the_next_setup_is_served,
                        OneTablet) {
  driver.enumerate();
  BOOST_TEST(!driver.get_descriptor(D::kAddress, 6, 0, 10).has_value());  // a high-speed device's
  BOOST_TEST((driver.get(D::USBSTS) & D::ERROR) != 0U);
  BOOST_TEST(!driver.control(D::kAddress, {0, 9, 7, 0, 0, 0, 0, 0}).has_value());
  BOOST_TEST(!driver.control(D::kAddress, {0x21, 0x0b, 0, 0, 0, 0, 0, 0}).has_value());
  BOOST_TEST(driver.get_descriptor(D::kAddress, 1, 0, 18).has_value());
}

BOOST_FIXTURE_TEST_CASE(features_status_and_idle_are_kept, OneTablet) {
  driver.enumerate();
  const auto device_status = [&] {
    return driver.control(D::kAddress, {0x80, 0, 0, 0, 0, 0, 2, 0}).value();
  };
  BOOST_TEST((device_status() == Bytes{0, 0}));
  (void)driver.control(D::kAddress, {0, 3, 1, 0, 0, 0, 0, 0});
  BOOST_TEST((device_status() == Bytes{2, 0}));
  (void)driver.control(D::kAddress, {0x21, 0x0a, 0, 5, 0, 0, 0, 0});
  BOOST_TEST((*driver.control(D::kAddress, {0xa1, 2, 0, 0, 0, 0, 1, 0}) == Bytes{5}));
  device().pointer(0x1234, 0x4321, 0);
  BOOST_TEST((*driver.control(D::kAddress, {0xa1, 1, 0, 1, 0, 0, 6, 0}) ==
              Bytes{0, 0x34, 0x12, 0x21, 0x43, 0}));
  // A halted endpoint stalls until the host has cleared it, and begins with DATA0 then.
  (void)driver.control(D::kAddress, {2, 3, 0, 0, 0x81, 0, 0, 0});
  BOOST_TEST(!driver.report().has_value());
  BOOST_TEST((driver.status_of(D::kInterruptTd) & D::STALLED) != 0U);
  (void)driver.control(D::kAddress, {2, 1, 0, 0, 0x81, 0, 0, 0});
  BOOST_TEST(driver.report().has_value());
}

BOOST_FIXTURE_TEST_CASE(a_keyboard_is_told_which_lamps_are_on, OneKeyboard) {
  driver.enumerate();
  BOOST_TEST(driver.control(D::kAddress, {0x21, 9, 0, 2, 0, 0, 1, 0}, {5}).has_value());
  BOOST_TEST(device().state().leds == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
