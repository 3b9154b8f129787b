// SPDX-License-Identifier: MIT
// How often the controller looks at the guest's lists, and that it costs nothing when nothing can
// come.
#include "tests/unit/devices/usb/usb_rig.h"

namespace dm::test {

namespace {

template <class Rig>
std::uint64_t looks(Rig& rig, std::chrono::milliseconds time) {
  std::uint64_t wakes = 0;
  for (auto t = 0ms; t < time; ++t) {
    const std::uint64_t before = rig.uhci->chip().counters().frames;
    rig.guest.advance(1ms);
    wakes += rig.uhci->chip().counters().frames != before ? 1U : 0U;
  }
  return wakes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(usb_polling)

BOOST_FIXTURE_TEST_CASE(the_lists_are_looked_at_more_seldom_the_longer_nothing_happens, OneTablet) {
  driver.enumerate();
  driver.ask();
  driver.set(D::USBINTR, 0xf);
  BOOST_TEST(looks(*this, 199ms) == 199U);
  BOOST_TEST(looks(*this, 800ms) <= 101U);
  BOOST_TEST(looks(*this, 10s) <= 320U);
  BOOST_TEST(looks(*this, 10s) >= 310U);
  BOOST_TEST(driver.asked());
  // A report is in the guest's memory at once, within the frames that have passed.
  guest.advance(20ms);
  device().pointer(1, 2, 0);
  guest.run_work();
  BOOST_TEST(!driver.asked());
  BOOST_TEST(looks(*this, 100ms) == 100U);
}

BOOST_FIXTURE_TEST_CASE(a_report_waits_no_longer_than_the_guest_asks_for, OneTablet) {
  driver.enumerate();
  for (unsigned i = 1; i < 20; ++i) {
    guest.advance(std::chrono::milliseconds{37U * i});
    driver.ask();
    device().pointer(static_cast<std::uint16_t>(i), 0, 0);
    guest.advance(8ms);
    BOOST_TEST(driver.take().has_value());
  }
}

BOOST_FIXTURE_TEST_CASE(lists_that_are_stopped_cost_nothing, OneTablet) {
  BOOST_TEST(!uhci->chip().polls());
  driver.enumerate();
  BOOST_TEST(uhci->chip().polls());
  driver.set(D::USBCMD, D::CF | D::MAXP);
  BOOST_TEST(!uhci->chip().polls());
  driver.set(D::USBCMD, D::RS | D::CF | D::EGSM);
  BOOST_TEST(!uhci->chip().polls());
  driver.set(D::USBCMD, D::RS | D::CF);
  BOOST_TEST(uhci->chip().polls());
  guest.config_write(D::kBdf, 0x04, 2, 1);  // no bus master
  BOOST_TEST(!uhci->chip().polls());
}

BOOST_FIXTURE_TEST_CASE(a_controller_with_nothing_on_it_ends_its_looks_after_a_second, NoDevice) {
  driver.start();
  BOOST_TEST(uhci->chip().polls());
  guest.advance(1s);
  (void)looks(*this, 100ms);
  guest.advance(1s);
  BOOST_TEST(!uhci->chip().polls());
  BOOST_TEST(looks(*this, 10s) == 0U);
  driver.set(D::USBINTR, 0xf);
  BOOST_TEST(uhci->chip().polls());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
