// SPDX-License-Identifier: MIT
// Rings of fewer than eight descriptors, of which the manual says nothing (8254x SDM, 13.4.27 and
// 13.4.38): they are served.
#include "tests/unit/devices/e1000/e1000_rig.h"

namespace dm::test {

using D = E1000Driver;

BOOST_AUTO_TEST_SUITE(e1000_short_ring)

BOOST_FIXTURE_TEST_CASE(short_rings_send_what_they_hold_in_order, OneCard) {
  for (std::uint32_t count = 1; count < 8; ++count) {
    net.sent.clear();
    driver.open_tx(count);
    BOOST_TEST(driver.get(D::TDLEN) == 0U);  // bits 6:0 read 0
    for (unsigned i = 0; i < 20; ++i) {
      const std::uint32_t slot = driver.tx_slot();
      guest.poke(D::kTxRing + std::uint64_t{slot} * 16 + 12, std::uint8_t{0});
      const Bytes frame = frame_to(kOther, 100 + i);
      driver.put_memory(D::kTxBuffers, frame);
      driver.put_legacy(D::kTxBuffers, static_cast<std::uint32_t>(frame.size()),
                        D::EOP | D::IFCS | D::RS);
      driver.set(D::TDT, slot + 1 == count ? count : slot + 1);
      guest.run_work();
      BOOST_REQUIRE(net.sent.size() == i + 1);
      BOOST_TEST(same(net.sent[i].bytes, frame));
      BOOST_TEST(driver.tx_status(slot) == D::DD);
      BOOST_TEST(driver.get(D::TDH) == (slot + 1) % count);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(short_rings_take_what_there_is_room_for, OneCard) {
  for (std::uint32_t count = 1; count < 8; ++count) {
    driver.open_rx(count, D::RCTL_SECRC);
    driver.set(D::RDT, count);  // all of them
    for (unsigned i = 0; i < count + 2; ++i) {
      arrive(frame_to_us(100 + i));
    }
    BOOST_TEST(net.waiting() == 2U);
    for (unsigned i = 0; i < count; ++i) {
      BOOST_TEST(same(driver.take(false).bytes, frame_to_us(100 + i)));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      guest.poke(D::kRxRing + i * 16 + 8, std::uint64_t{0});
    }
    driver.set(D::RDT, count);
    if (count == 1) {
      driver.set(D::RDT, 1);  // once more for nothing: it is in use
      guest.poke(D::kRxRing + 8, std::uint64_t{0});
      driver.set(D::RDT, 1);
    }
    guest.run_work();
    BOOST_TEST(net.waiting() == 0U);
  }
}

BOOST_FIXTURE_TEST_CASE(a_tail_behind_a_short_ring_means_all_of_it, OneCard) {
  driver.open_tx(1);
  driver.send(frame_to(kOther, 100));  // puts tail 0: nothing
  BOOST_TEST(net.sent.empty());
  for (const std::uint32_t tail : {1U, 2U, 7U, 0xffffU}) {
    net.sent.clear();
    driver.set(D::TDT, tail);
    guest.run_work();
    BOOST_TEST(net.sent.size() == 1U);
  }
  // From eight descriptors on it stands still, but for the ring's size.
  driver.open_tx(8);
  for (unsigned i = 0; i < 8; ++i) {
    driver.put_legacy(D::kTxBuffers, 100, D::EOP | D::RS);
  }
  net.sent.clear();
  driver.set(D::TDT, 9);
  guest.run_work();
  BOOST_TEST(net.sent.empty());
  driver.set(D::TDT, 8);
  guest.run_work();
  BOOST_TEST(net.sent.size() == 8U);
}

BOOST_FIXTURE_TEST_CASE(a_length_beside_a_multiple_of_eight_is_rounded_down, OneCard) {
  for (const std::uint32_t length : {0x80U, 0x90U, 0xf0U, 0xffU}) {
    driver.set(D::TDLEN, length);
    driver.set(D::RDLEN, length);
    BOOST_TEST(driver.get(D::TDLEN) == 0x80U);
    BOOST_TEST(driver.get(D::RDLEN) == 0x80U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
