// SPDX-License-Identifier: MIT
// What a person does arrives as reports.
#include "tests/unit/devices/usb/usb_rig.h"

namespace dm::test {

BOOST_AUTO_TEST_SUITE(usb_input)

BOOST_FIXTURE_TEST_CASE(a_tablet_says_where_the_pointer_is, OneTablet) {
  driver.enumerate();
  BOOST_TEST(!driver.report().has_value());
  BOOST_TEST((driver.status_of(D::kInterruptTd) & D::NAK) != 0U);
  device().pointer(0x0102, 0x7fff, 1);
  BOOST_TEST((*driver.report() == Bytes{1, 0x02, 0x01, 0xff, 0x7f, 0}));
  device().pointer(0xffff, 0, 2 | 4);  // beyond the edge; middle and right
  BOOST_TEST((*driver.report() == Bytes{6, 0xff, 0x7f, 0, 0, 0}));
  device().pointer_by(-32766, 5, 0);
  BOOST_TEST((*driver.report() == Bytes{0, 1, 0, 5, 0, 0}));
}

BOOST_FIXTURE_TEST_CASE(a_wheel_turns_when_its_button_goes_down, OneTablet) {
  driver.enumerate();
  device().pointer(1, 1, 8);
  BOOST_TEST((*driver.report() == Bytes{0, 1, 0, 1, 0, 1}));
  device().pointer(1, 1, 8);  // still down
  BOOST_TEST((*driver.report() == Bytes{0, 1, 0, 1, 0, 0}));
  device().pointer(1, 1, 0);
  device().pointer(1, 1, 16);
  device().pointer(1, 1, 0);
  device().pointer(1, 1, 16);
  BOOST_TEST((*driver.report() == Bytes{0, 1, 0, 1, 0, 0xfe}));  // one report: two steps
}

BOOST_FIXTURE_TEST_CASE(clicks_are_kept_apart_and_movements_are_joined, OneTablet) {
  driver.enumerate();
  for (std::uint16_t i = 0; i < 100; ++i) {
    device().pointer(i, 0, 0);
  }
  device().pointer(100, 0, 1);
  device().pointer(100, 0, 0);
  BOOST_TEST((*driver.report() == Bytes{0, 99, 0, 0, 0, 0}));
  BOOST_TEST((*driver.report() == Bytes{1, 100, 0, 0, 0, 0}));
  BOOST_TEST((*driver.report() == Bytes{0, 100, 0, 0, 0, 0}));
  BOOST_TEST(!driver.report().has_value());
}

BOOST_FIXTURE_TEST_CASE(more_than_a_queue_holds_ends_as_things_are, OneTablet) {
  driver.enumerate();
  for (unsigned i = 0; i < 101; ++i) {
    device().pointer(7, 7, static_cast<std::uint8_t>(i % 2 == 0 ? 1 : 0));
  }
  BOOST_TEST(device().merged() == 85U);
  std::optional<Bytes> last;
  unsigned count = 0;
  while (const auto report = driver.report()) {
    last = report;
    ++count;
  }
  BOOST_TEST(count == 16U);
  BOOST_TEST((*last == Bytes{1, 7, 0, 7, 0, 0}));
}

BOOST_FIXTURE_TEST_CASE(a_mouse_goes_a_long_way_in_several_reports, OneMouse) {
  driver.enumerate();
  device().pointer_by(200, -130, 1);
  device().pointer_by(10, 0, 1);
  BOOST_TEST((*driver.report() == Bytes{1, 127, 0x81, 0}));
  BOOST_TEST((*driver.report() == Bytes{1, 83, 0xfd, 0}));
  BOOST_TEST(!driver.report().has_value());
  device().pointer_by(0, 0, 1);
  BOOST_TEST(!driver.report().has_value());
  // The boot protocol has no wheel.
  (void)driver.control(D::kAddress, {0x21, 0x0b, 0, 0, 0, 0, 0, 0});
  device().pointer_by(1, 1, 0);
  BOOST_TEST((*driver.report() == Bytes{0, 1, 1}));
}

BOOST_FIXTURE_TEST_CASE(a_keyboard_reports_each_key_down_and_up, OneKeyboard) {
  driver.enumerate();
  device().key(0x2a, true);  // left Shift
  device().key(0x1e, true);  // a
  device().key(0x1e, false);
  device().key(0xb8, true);  // right Alt: E0 38
  device().key(0x2a, false);
  device().key(0xb8, false);
  device().key(0x00, true);  // no key
  BOOST_TEST((*driver.report() == Bytes{2, 0, 0, 0, 0, 0, 0, 0}));
  BOOST_TEST((*driver.report() == Bytes{2, 0, 4, 0, 0, 0, 0, 0}));
  BOOST_TEST((*driver.report() == Bytes{2, 0, 0, 0, 0, 0, 0, 0}));
  BOOST_TEST((*driver.report() == Bytes{0x42, 0, 0, 0, 0, 0, 0, 0}));
  BOOST_TEST((*driver.report() == Bytes{0x40, 0, 0, 0, 0, 0, 0, 0}));
  BOOST_TEST((*driver.report() == Bytes{0, 0, 0, 0, 0, 0, 0, 0}));
  BOOST_TEST(!driver.report().has_value());
}

BOOST_FIXTURE_TEST_CASE(more_than_six_keys_are_told_as_too_many, OneKeyboard) {
  driver.enumerate();
  for (std::uint8_t code = 0x02; code < 0x09; ++code) {
    device().key(code, true);
  }
  Bytes last;
  while (const auto report = driver.report()) {
    last = *report;
  }
  BOOST_TEST((last == Bytes{0, 0, 1, 1, 1, 1, 1, 1}));
  device().key(0x02, false);
  BOOST_TEST((*driver.report() == Bytes{0, 0, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24}));
}

// Row K1 of the hostile input: no end of keys, and releases of what nobody pressed.
BOOST_FIXTURE_TEST_CASE(all_keys_down_and_releases_of_none_leave_nothing_pressed, OneKeyboard) {
  driver.enumerate();
  for (unsigned round = 0; round < 3; ++round) {
    for (unsigned code = 0; code < 256; ++code) {
      device().key(static_cast<std::uint8_t>(code), true);
      device().key(static_cast<std::uint8_t>(255 - code), false);
    }
  }
  for (unsigned code = 0; code < 256; ++code) {
    device().key(static_cast<std::uint8_t>(code), false);
  }
  Bytes last;
  while (const auto report = driver.report()) {
    last = *report;
  }
  BOOST_TEST((last == Bytes{0, 0, 0, 0, 0, 0, 0, 0}));
}

BOOST_FIXTURE_TEST_CASE(a_device_is_ready_while_it_is_polled, OneTablet) {
  BOOST_TEST(!device().ready());
  device().pointer(5, 5, 0);  // nobody listens: it is where things are, and no report
  driver.enumerate();
  BOOST_TEST(!device().ready());
  BOOST_TEST(!driver.report().has_value());
  BOOST_TEST(device().ready());
  guest.advance(500ms);
  BOOST_TEST(device().ready());
  driver.put_queue(D::kInterruptQh, D::kControlQh | D::QH, D::TERM);
  guest.advance(1100ms);
  BOOST_TEST(!device().ready());
}

BOOST_FIXTURE_TEST_CASE(with_an_idle_rate_a_report_comes_again, OneTablet) {
  driver.enumerate();
  device().pointer(9, 9, 0);
  BOOST_TEST(driver.report().has_value());
  BOOST_TEST(!driver.report().has_value());
  (void)driver.control(D::kAddress, {0x21, 0x0a, 0, 25, 0, 0, 0, 0});  // 100 ms
  BOOST_TEST(driver.report(200ms).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
