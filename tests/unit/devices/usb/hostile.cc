// SPDX-License-Identifier: MIT
// Lists and transfers that no driver makes: rows U1 and U2 of the hostile input (CVE-2020-25625,
// CVE-2020-14364).
#include "tests/unit/devices/usb/usb_rig.h"

namespace dm::test {

namespace {

constexpr std::uint32_t kTd = 0x30000;
constexpr std::uint32_t kMmio = 0xfee00000;

}  // namespace

BOOST_AUTO_TEST_SUITE(usb_hostile)

BOOST_FIXTURE_TEST_CASE(queues_and_descriptors_in_circles_end, OneTablet) {
  driver.enumerate();
  const auto one_frame = [&] {
    const std::uint64_t before = guest.memory().counters().failures;
    guest.advance(1ms);
    BOOST_TEST(guest.memory().counters().failures == before);
    BOOST_TEST((driver.get(D::USBSTS) & D::HCH) == 0U);
  };
  driver.put_queue(D::kControlQh, D::kControlQh | D::QH, D::TERM);  // to itself
  one_frame();
  driver.put_queue(D::kControlQh, D::TERM, D::kControlQh | D::QH);  // its element is itself
  one_frame();
  driver.put_queue(D::kControlQh, D::TERM, kTd);
  driver.put_td(kTd, kTd | D::DEPTH, 0, 0, 0);  // a TD to itself
  one_frame();
  // Active ones: each frame has as many as fit on the wire.
  driver.put_td(kTd, kTd | D::DEPTH, D::ACTIVE, D::token(D::IN, D::kAddress, 1, 8, false),
                kTd + 64);
  one_frame();
  for (std::uint32_t i = 0; i < 1024; ++i) {
    guest.poke(D::kFrames + 4 * i, kTd);
  }
  driver.put_td(kTd, kTd, D::ACTIVE, D::token(D::IN, D::kAddress, 1, 8, false), kTd + 64);
  one_frame();
}

BOOST_FIXTURE_TEST_CASE(a_frame_moves_no_more_than_a_wire_carries, OneTablet) {
  driver.enumerate();
  guest.poke(D::kSetup, UhciDriver::Setup{0x80, 6, 0, 1, 0, 0, 8, 0});
  constexpr std::uint32_t kMany = 200;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    driver.put_td(kTd + 16 * i, (kTd + 16 * (i + 1)) | D::DEPTH, D::ACTIVE,
                  D::token(D::SETUP, D::kAddress, 0, 8, false), D::kSetup);
  }
  guest.poke(kTd + 16 * kMany, D::TERM);
  driver.put_queue(D::kControlQh, D::TERM, kTd);
  const std::uint64_t before = uhci->chip().counters().transactions;
  guest.advance(1ms);
  const std::uint64_t moved = uhci->chip().counters().transactions - before;
  BOOST_TEST(moved >= 40U);
  BOOST_TEST(moved <= 64U);
}

BOOST_FIXTURE_TEST_CASE(lists_that_are_not_in_memory_halt_the_controller, OneTablet) {
  for (unsigned where = 0; where < 5; ++where) {
    driver.enumerate();
    switch (where) {
      case 0:
        guest.pio_write(D::kBase + D::USBFLBASEADD, 4, kMmio);
        break;
      case 1:
        driver.put_queue(D::kControlQh, kMmio | D::QH, D::TERM);
        break;
      case 2:
        driver.put_queue(D::kControlQh, D::TERM, kMmio);
        break;
      case 3:
        driver.put_queue(D::kControlQh, D::TERM, kTd);
        driver.put_td(kTd, D::TERM, D::ACTIVE, D::token(D::SETUP, D::kAddress, 0, 8, false), kMmio);
        break;
      default:
        driver.put_queue(D::kControlQh, D::TERM, kTd);
        driver.put_td(kTd, D::TERM, D::ACTIVE, D::token(D::SETUP, D::kAddress, 0, 8, false),
                      0xfffffffc);  // beyond what 32 bits reach
        break;
    }
    driver.set(D::USBINTR, 0);
    driver.take_causes();
    guest.advance(2ms);
    BOOST_TEST(driver.get(D::USBSTS) == (D::HCH | D::HSE));
    BOOST_TEST(driver.irq());
    BOOST_TEST(!uhci->chip().polls());
    driver.take_causes();
    BOOST_TEST(!driver.irq());
  }
}

BOOST_FIXTURE_TEST_CASE(a_descriptor_that_is_none_halts_the_controller, OneTablet) {
  for (const std::uint32_t token :
       {D::token(0x5a, D::kAddress, 0, 8, false), D::token(D::IN, D::kAddress, 1, 0x501, false)}) {
    driver.enumerate();
    driver.put_queue(D::kControlQh, D::TERM, kTd);
    driver.put_td(kTd, D::TERM, D::ACTIVE, token, 0);
    driver.take_causes();
    guest.advance(2ms);
    BOOST_TEST(driver.get(D::USBSTS) == (D::HCH | D::HCPE));
    BOOST_TEST(driver.irq());
  }
}

BOOST_FIXTURE_TEST_CASE(nobody_at_an_address_is_a_time_out_and_a_small_buffer_babble, OneTablet) {
  driver.enumerate();
  BOOST_TEST(!driver.control(9, {0x80, 6, 0, 1, 0, 0, 8, 0}).has_value());
  BOOST_TEST((driver.status_of(D::kControlTds) & (D::TIMEOUT | D::STALLED | D::ACTIVE)) ==
             (D::TIMEOUT | D::STALLED));
  device().pointer(1, 1, 0);
  driver.ask(4);
  guest.advance(10ms);
  BOOST_TEST((driver.status_of(D::kInterruptTd) & (D::BABBLE | D::STALLED | D::ACTIVE)) ==
             (D::BABBLE | D::STALLED));
  BOOST_TEST(guest.peek<std::uint64_t>(D::kReport) == 0U);
  BOOST_TEST((*driver.report() == Bytes{0, 1, 0, 1, 0, 0}));  // nothing is lost
}

BOOST_FIXTURE_TEST_CASE(a_wrong_toggle_is_skipped_and_the_report_comes_with_the_right_one,
                        OneTablet) {
  driver.enumerate();
  device().pointer(6, 6, 0);
  driver.put_td(D::kInterruptTd, D::TERM, D::ACTIVE | D::IOC,
                D::token(D::IN, D::kAddress, 1, 8, true), D::kReport);
  guest.poke(D::kInterruptQh + 4, D::kInterruptTd);
  guest.advance(8ms);
  BOOST_TEST(driver.asked());
  guest.advance(8ms);
  BOOST_TEST(!driver.asked());
  BOOST_TEST((driver.bytes_at(D::kReport, 6) == Bytes{0, 6, 0, 6, 0, 0}));
}

BOOST_FIXTURE_TEST_CASE(setups_of_any_length_and_tokens_out_of_turn_lead_nowhere, OneKeyboard) {
  driver.enumerate();
  BOOST_TEST(!driver.control(D::kAddress, {0x21, 9, 0, 2, 0, 0, 0xff, 0xff}).has_value());
  BOOST_TEST(!driver.control(D::kAddress, {0x40, 9, 0, 2, 0, 0, 0xff, 0xff}).has_value());
  const auto token = [&](std::uint32_t pid, unsigned length, bool data1, unsigned endpoint = 0) {
    driver.put_td(kTd, D::TERM, D::ACTIVE | D::IOC,
                  D::token(pid, D::kAddress, endpoint, length, data1), D::kSetup);
    driver.put_queue(D::kControlQh, D::TERM, kTd);
    guest.advance(3ms);
    return driver.status_of(kTd);
  };
  // An answer of 65535 bytes is as long as the descriptor is.
  guest.poke(D::kSetup, UhciDriver::Setup{0x80, 6, 0, 1, 0, 0, 0xff, 0xff});
  BOOST_TEST((token(D::SETUP, 8, false) & (D::ACTIVE | D::STALLED)) == 0U);
  unsigned bytes = 0;
  bool toggle = true;
  for (unsigned i = 0; i < 20; ++i, toggle = !toggle) {
    bytes += (token(D::IN, 8, toggle) + 1) & 0x7ffU;
  }
  BOOST_TEST(bytes == 18U);
  BOOST_TEST((token(D::OUT, 8, true) & D::STALLED) != 0U);  // data where a status belongs
  BOOST_TEST((token(D::IN, 8, true) & D::STALLED) != 0U);   // and then anything
  BOOST_TEST((token(D::OUT, 1280, true) & D::STALLED) != 0U);
  BOOST_TEST((token(D::SETUP, 7, false) & D::TIMEOUT) != 0U);
  BOOST_TEST((token(D::SETUP, 8, false, 1) & D::TIMEOUT) != 0U);
  BOOST_TEST((token(D::OUT, 8, false, 1) & D::TIMEOUT) != 0U);
  BOOST_TEST((token(D::IN, 8, false, 15) & D::TIMEOUT) != 0U);
  // More than was announced.
  guest.poke(D::kSetup, UhciDriver::Setup{0x21, 9, 0, 2, 0, 0, 1, 0});
  BOOST_TEST((token(D::SETUP, 8, false) & D::STALLED) == 0U);
  BOOST_TEST((token(D::IN, 0, true) & D::STALLED) != 0U);  // the status before the data
  BOOST_TEST((token(D::SETUP, 8, false) & D::STALLED) == 0U);
  BOOST_TEST((token(D::OUT, 8, true) & D::STALLED) != 0U);
  BOOST_TEST(device().state().leds == 0U);
  BOOST_TEST(driver.get_descriptor(D::kAddress, 1, 0, 18).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
