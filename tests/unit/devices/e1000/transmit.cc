// SPDX-License-Identifier: MIT
#include "tests/unit/devices/e1000/e1000_rig.h"

namespace dm::test {

using D = E1000Driver;

BOOST_AUTO_TEST_SUITE(e1000_transmit)

BOOST_FIXTURE_TEST_CASE(a_legacy_descriptor_sends_one_frame_from_the_guests_own_pages, OneCard) {
  driver.open_tx();
  driver.set(D::IMS, D::TXDW);
  const Bytes frame = frame_to(kOther, 1000);
  driver.send(frame);
  BOOST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(same(net.sent[0].bytes, frame));
  BOOST_TEST(net.sent[0].pieces == 1U);
  BOOST_TEST(!net.sent[0].offload.needs_checksum);
  BOOST_TEST((driver.tx_status(0) & D::DD) != 0);
  BOOST_TEST(driver.get(D::TDH) == 1U);
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.get(D::ICR) == (D::TXDW | D::TXQE));
  BOOST_TEST(!driver.irq());
}

BOOST_FIXTURE_TEST_CASE(the_doorbell_is_answered_before_anything_is_sent, OneCard) {
  driver.open_tx();
  guest.set_auto_work(false);
  driver.send(frame_to(kOther, 100));
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(driver.get(D::TDH) == 0U);
  guest.run_work();
  BOOST_TEST(net.sent.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_packet_of_several_descriptors_is_one_vectored_send, OneCard) {
  driver.open_tx();
  const Bytes frame = frame_to(kOther, 1500);
  driver.put_memory(D::kTxBuffers, frame);
  // Three pieces, not next to each other.
  driver.put_memory(0x200000, std::span{frame}.subspan(100, 900));
  driver.put_memory(0x300000, std::span{frame}.subspan(1000));
  driver.put_data(D::kTxBuffers, 100, D::IFCS);
  driver.put_data(0x200000, 900, D::IFCS);
  driver.put_data(0x300000, 500, D::EOP | D::IFCS | D::RS);
  driver.ring_doorbell();
  BOOST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(same(net.sent[0].bytes, frame));
  BOOST_TEST(net.sent[0].pieces == 3U);
  BOOST_TEST(driver.tx_status(0) == 0);
  BOOST_TEST(driver.tx_status(2) == D::DD);
}

BOOST_FIXTURE_TEST_CASE(a_whole_ring_goes_out_in_order_and_interrupts_once, OneCard) {
  driver.open_tx(64);
  driver.set(D::IMS, D::TXDW);
  for (unsigned round = 0; round < 5; ++round) {
    net.sent.clear();
    for (unsigned i = 0; i < 63; ++i) {
      const Bytes frame = frame_to(kOther, 60 + i);
      driver.put_memory(D::kTxBuffers + i * 0x1000, frame);
      driver.put_legacy(D::kTxBuffers + i * 0x1000, 60 + i, D::EOP | D::IFCS | D::RS);
    }
    driver.ring_doorbell();
    BOOST_REQUIRE(net.sent.size() == 63U);
    for (unsigned i = 0; i < 63; ++i) {
      BOOST_TEST(net.sent[i].bytes.size() == 60 + i);
    }
    BOOST_TEST(driver.irq());
    BOOST_TEST((driver.get(D::ICR) & D::TXDW) != 0);
    BOOST_TEST(guest.sim_irqs().redundant() == 0U);
  }
}

BOOST_FIXTURE_TEST_CASE(a_full_backend_stops_the_ring_and_loses_nothing, OneCard) {
  driver.open_tx();
  net.room = 2;
  for (unsigned i = 0; i < 5; ++i) {
    driver.put_memory(D::kTxBuffers + i * 0x1000, frame_to(kOther, 100 + i));
    driver.put_legacy(D::kTxBuffers + i * 0x1000, 100 + i, D::EOP | D::IFCS | D::RS);
  }
  driver.ring_doorbell();
  BOOST_TEST(net.sent.size() == 2U);
  BOOST_TEST(driver.tx_status(1) == D::DD);
  BOOST_TEST(driver.tx_status(2) == 0);
  driver.ring_doorbell();  // does not help
  BOOST_TEST(net.sent.size() == 2U);
  net.make_room(100);
  guest.run_work();
  BOOST_REQUIRE(net.sent.size() == 5U);
  for (unsigned i = 0; i < 5; ++i) {
    BOOST_TEST(net.sent[i].bytes.size() == 100 + i);
    BOOST_TEST(driver.tx_status(i) == D::DD);
  }
}

BOOST_FIXTURE_TEST_CASE(a_frame_that_the_host_refuses_is_lost_and_reported_as_sent, OneCard) {
  driver.open_tx();
  net.refuse = true;
  driver.send(frame_to(kOther, 100));
  BOOST_TEST(driver.tx_status(0) == D::DD);
  BOOST_TEST(card->chip().counters().tx_dropped == 1U);
  net.refuse = false;
  driver.send(frame_to(kOther, 100));
  BOOST_TEST(net.sent.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(short_frames_are_padded_when_asked_for, OneCard) {
  driver.open_tx();
  driver.send(frame_to(kOther, 20));
  BOOST_REQUIRE(net.sent.size() == 1U);
  Bytes padded = frame_to(kOther, 20);
  padded.resize(60);
  BOOST_TEST(same(net.sent[0].bytes, padded));
}

BOOST_FIXTURE_TEST_CASE(checksum_requests_are_handed_to_the_host, OneCard) {
  driver.open_tx();
  const Bytes frame = frame_to(kOther, 300, 0x0800);
  driver.put_memory(D::kTxBuffers, frame);
  driver.put_context({.ipcss = 14,
                      .ipcso = 24,
                      .ipcse = 33,
                      .tucss = 34,
                      .tucso = 50,
                      .tucse = 0,
                      .paylen = 0,
                      .tucmd = D::TU_TCP,
                      .hdrlen = 0,
                      .mss = 0});
  driver.put_data(D::kTxBuffers, 300, D::EOP | D::IFCS | D::RS, D::TXSM);
  driver.ring_doorbell();
  BOOST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(same(net.sent[0].bytes, frame));
  BOOST_TEST(net.sent[0].offload.needs_checksum);
  BOOST_TEST(net.sent[0].offload.checksum_start == 34);
  BOOST_TEST(net.sent[0].offload.checksum_offset == 16);
  BOOST_TEST((net.sent[0].offload.gso == Gso::none));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
