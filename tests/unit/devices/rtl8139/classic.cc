// SPDX-License-Identifier: MIT
// C mode, as 8139too and DOS drivers use it.
#include "tests/unit/devices/rtl8139/rtl8139_rig.h"

namespace dm::test {

using D = Rtl8139Driver;

BOOST_AUTO_TEST_SUITE(rtl8139_classic)

BOOST_FIXTURE_TEST_CASE(four_descriptors_are_sent_in_turn, OneRtl) {
  driver.open_classic();
  for (unsigned i = 0; i < 10; ++i) {
    driver.send_classic(i % 4, frame_to(kOther, 100 + i));
    BOOST_TEST((driver.get32(D::TSD + 4 * (i % 4)) & 0xa000U) == 0xa000U);
    BOOST_TEST(driver.take_causes() == D::TOK);
  }
  BOOST_TEST_REQUIRE(net.sent.size() == 10U);
  BOOST_TEST(same(net.sent[9].bytes, frame_to(kOther, 109)));
  BOOST_TEST(driver.get16(D::TSADS) == 0xf00fU);
}

BOOST_FIXTURE_TEST_CASE(descriptors_written_out_of_order_leave_in_order, OneRtl) {
  driver.open_classic();
  for (const unsigned slot : {3U, 1U, 2U}) {
    driver.send_classic(slot, frame_to(kOther, 100 + slot));
  }
  BOOST_TEST(net.sent.empty());
  driver.send_classic(0, frame_to(kOther, 100));
  BOOST_TEST_REQUIRE(net.sent.size() == 4U);
  for (unsigned i = 0; i < 4; ++i) {
    BOOST_TEST(same(net.sent[i].bytes, frame_to(kOther, 100 + i)));
  }
}

BOOST_FIXTURE_TEST_CASE(a_full_host_keeps_a_descriptor, OneRtl) {
  driver.open_classic();
  net.make_room(0);
  driver.send_classic(0, frame_to(kOther, 20));
  BOOST_TEST((driver.get32(D::TSD) & 0x2000U) == 0U);
  net.make_room(10);
  guest.run_work();
  BOOST_TEST((driver.get32(D::TSD) & 0x2000U) != 0U);
  BOOST_TEST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(net.sent[0].bytes.size() == 60U);
}

// Each size of the ring, with and without entries that go on behind it, round many times.
BOOST_FIXTURE_TEST_CASE(the_ring_goes_round_whole_frames_at_every_place, OneRtl) {
  for (const std::uint32_t code : {0U, 1U, 2U, 3U}) {
    for (const bool wrap : {false, true}) {
      driver.set8(D::CR, D::RST);
      driver.open_classic(code, wrap ? D::WRAP : 0);
      BOOST_TEST(!net.gso_accepted);
      for (std::size_t i = 0; i < 300; ++i) {
        const std::size_t size = 60 + i * 37 % 1455;
        arrive(frame_to_us(size));
        const auto got = driver.take_classic(wrap && code != 3);
        BOOST_TEST_REQUIRE(got.has_value());
        BOOST_TEST_REQUIRE(same(got->bytes, frame_to_us(size)));
        BOOST_TEST((got->opts1 & 0x4001U) == 0x4001U);  // PAM, ROK
      }
      BOOST_TEST((driver.get8(D::CR) & D::BUFE) != 0U);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(frames_wait_in_the_host_while_the_ring_is_full, OneRtl) {
  driver.open_classic(0);
  for (unsigned i = 0; i < 20; ++i) {
    arrive(frame_to_us(1000 + i));
  }
  BOOST_TEST(net.waiting() != 0U);
  for (unsigned i = 0; i < 20; ++i) {
    const auto got = driver.take_classic();
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(same(got->bytes, frame_to_us(1000 + i)));
    guest.run_work();
  }
  BOOST_TEST(driver.get32(D::MPC) == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_change_of_the_filters_leaves_the_ring_alone, OneRtl) {
  driver.open_classic();
  arrive(frame_to_us(100));
  driver.set32(D::RCR, 2U << 11U | 0x700 | D::AAP | D::AB | D::APM | D::WRAP);
  BOOST_TEST(same(driver.take_classic().value().bytes, frame_to_us(100)));
  arrive(frame_to(kOther, 200));
  BOOST_TEST(same(driver.take_classic().value().bytes, frame_to(kOther, 200)));
  driver.set8(D::CR, D::TE);  // 8139too's recovery
  driver.set8(D::CR, D::TE | D::RE);
  BOOST_TEST(driver.get16(D::CBR) == 0U);
  BOOST_TEST((driver.get8(D::CR) & D::BUFE) != 0U);
}

BOOST_FIXTURE_TEST_CASE(no_frame_is_longer_than_what_drivers_keep_behind_the_ring, OneRtl) {
  driver.open_classic(0);
  arrive(frame_to_us(1533));
  BOOST_TEST(!driver.take_classic().has_value());
  BOOST_TEST(driver.get32(D::MPC) == 1U);
  arrive(frame_to_us(1532));
  BOOST_TEST(same(driver.take_classic().value().bytes, frame_to_us(1532)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
