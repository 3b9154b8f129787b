// SPDX-License-Identifier: MIT
// C+ mode in: filters, checksums, tags, long frames, and rings without a descriptor.
#include "tests/unit/devices/nic/packets.h"
#include "tests/unit/devices/rtl8139/rtl8139_rig.h"

namespace dm::test {

using D = Rtl8139Driver;

namespace {

constexpr std::uint32_t kPidTcp = 1U << 16U, kPidUdp = 2U << 16U, kPidIp = 3U << 16U,
                        kPidMask = 3U << 16U, kIpFail = 1U << 15U;

struct Open : OneRtl {
  Open() { driver.open_plus(D::RXCHK | D::RXVLAN); }
  /// The status of the one frame that arrives.
  std::uint32_t status_of(const Bytes& frame, const NetOffload& offload = {}) {
    arrive(frame, offload);
    const auto got = driver.take();
    BOOST_TEST_REQUIRE(got.has_value());
    return got->opts1;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rtl8139_plus_receive)

BOOST_FIXTURE_TEST_CASE(a_frame_lands_in_a_descriptor, Open) {
  for (const std::size_t size : {60U, 127U, 128U, 129U, 1000U, 1514U}) {
    arrive(frame_to_us(size));
    const auto got = driver.take();
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(same(got->bytes, frame_to_us(size)));
    BOOST_TEST((got->opts1 & (D::FS | D::LS)) == (D::FS | D::LS));
    BOOST_TEST((got->opts1 & 1U << 25U) != 0U);  // PAM
    BOOST_TEST(driver.take_causes() == D::ROK);
  }
  BOOST_TEST(card->chip().counters().rx_moved == 0U);
  arrive(frame_to_us(20));
  BOOST_TEST(driver.take().value().bytes.size() == 60U);
}

BOOST_FIXTURE_TEST_CASE(filters_let_in_what_rcr_says, Open) {
  constexpr std::array<std::uint8_t, 6> kGroup{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
  arrive(frame_to(kOther, 100));
  arrive(frame_to(kGroup, 100));
  BOOST_TEST(!driver.take().has_value());
  BOOST_TEST(card->chip().counters().rx_filtered == 2U);
  // ether_crc(01:00:5e:00:00:01) >> 26 is 31: Linux sets that bit of MAR.
  driver.set32(D::MAR, 1U << 31U);
  BOOST_TEST((status_of(frame_to(kGroup, 100)) & 1U << 26U) != 0U);
  BOOST_TEST((status_of(frame_to(kBroadcast, 100)) & 1U << 24U) != 0U);
  driver.set32(D::RCR, D::AAP);
  BOOST_TEST(net.promiscuous == std::vector<bool>{true});
  (void)status_of(frame_to(kOther, 100));
  driver.set32(D::RCR, 0);
  BOOST_TEST(net.promiscuous.size() == 2U);
  arrive(frame_to(kBroadcast, 100));
  BOOST_TEST(!driver.take().has_value());
}

BOOST_FIXTURE_TEST_CASE(only_what_was_checked_is_said_to_be_right, Open) {
  const Bytes payload = payload_of(500);
  const Bytes tcp = packet({}, payload);
  const Bytes udp = packet({.udp = true}, payload);
  const NetOffload valid{.checksum_valid = true};
  BOOST_TEST((status_of(tcp, valid) & kPidMask) == kPidTcp);
  BOOST_TEST((status_of(udp, valid) & kPidMask) == kPidUdp);
  BOOST_TEST((status_of(tcp) & kPidMask) == 0U);
  Bytes other = tcp;
  other[23] = std::byte{50};
  put_be16(other, 24, 0);
  put_be16(other, 24, ~plain_sum(std::span{other}.subspan(14, 20)) & 0xffffU);
  BOOST_TEST((status_of(other, valid) & (kPidMask | kIpFail)) == kPidIp);
  put_be16(other, 24, 0x1111);
  BOOST_TEST((status_of(other, valid) & kIpFail) != 0U);
  BOOST_TEST((status_of(frame_to_us(100), valid) & kPidMask) == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_checksum_that_the_host_left_out_is_put_in, Open) {
  const Flow f{.udp = true};
  const Bytes payload = payload_of(700);
  arrive(unfinished(f, payload, true),
         {.needs_checksum = true, .checksum_start = 34, .checksum_offset = 6});
  const auto got = driver.take();
  BOOST_TEST_REQUIRE(got.has_value());
  BOOST_TEST(same(got->bytes, packet(f, payload)));
  BOOST_TEST((got->opts1 & kPidMask) == kPidUdp);
}

BOOST_FIXTURE_TEST_CASE(a_tag_is_taken_out_and_told_of, Open) {
  const Flow tagged{.tag = 0x1234};
  const Bytes payload = payload_of(700);
  for (unsigned i = 0; i < 2; ++i) {  // the second is expected to be tagged
    arrive(packet(tagged, payload));
    const auto got = driver.take();
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->opts2 == (1U << 16U | 0x3412U));
    BOOST_TEST(same(got->bytes, packet({}, payload)));
  }
  driver.set16(D::CPCR, D::CPRX | D::CPTX);
  arrive(packet(tagged, payload));
  BOOST_TEST(same(driver.take().value().bytes, packet(tagged, payload)));
}

BOOST_FIXTURE_TEST_CASE(a_long_frame_is_cut_into_descriptors, Open) {
  const Flow f{};
  BOOST_TEST(net.gso_accepted);
  for (unsigned round = 0; round < 3; ++round) {
    const Bytes payload = payload_of(40000, round);
    const auto expected = segments(f, payload, 1448);
    arrive(unfinished(f, payload, true), {.needs_checksum = true,
                                          .gso = Gso::tcp4,
                                          .header_length = 66,
                                          .segment_size = 1448,
                                          .checksum_start = 34,
                                          .checksum_offset = 16});
    for (const Bytes& frame : expected) {
      const auto got = driver.take();
      BOOST_TEST_REQUIRE(got.has_value());
      BOOST_TEST(same(got->bytes, frame));
      BOOST_TEST((got->opts1 & kPidMask) == kPidTcp);
    }
    BOOST_TEST(!driver.take().has_value());
  }
  BOOST_TEST(card->chip().counters().rx_moved == 1U);
}

BOOST_FIXTURE_TEST_CASE(frames_wait_for_descriptors_in_the_host, Open) {
  for (unsigned i = 0; i < 70; ++i) {
    arrive(frame_to_us(100 + i));
  }
  BOOST_TEST(net.waiting() == 6U);
  BOOST_TEST((driver.take_causes() & D::RDU) != 0U);
  for (unsigned i = 0; i < 64; ++i) {
    BOOST_TEST(same(driver.take().value().bytes, frame_to_us(100 + i)));
  }
  (void)driver.get16(D::ISR);  // nobody says that they came back: the card looks here
  guest.run_work();
  BOOST_TEST(net.waiting() == 0U);
  for (unsigned i = 64; i < 70; ++i) {
    BOOST_TEST(same(driver.take().value().bytes, frame_to_us(100 + i)));
  }
  BOOST_TEST(driver.get32(D::MPC) == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_driver_that_asks_nothing_is_looked_after_by_time, Open) {
  for (unsigned i = 0; i < 65; ++i) {
    arrive(frame_to_us(100 + i));
  }
  (void)driver.take();
  guest.advance(64ms);
  guest.run_work();
  BOOST_TEST(net.waiting() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_frame_that_is_too_long_is_missed_and_counted, Open) {
  arrive(frame_to_us(1533));
  BOOST_TEST(!driver.take().has_value());
  BOOST_TEST(driver.get32(D::MPC) == 1U);
  driver.set32(D::MPC, 5);
  BOOST_TEST(driver.get32(D::MPC) == 0U);
  arrive(frame_to_us(1532));
  BOOST_TEST(driver.take().has_value());
}

// NetBSD before 2007 attaches only if this works (re_diag).
BOOST_FIXTURE_TEST_CASE(a_card_in_loopback_hears_itself_and_nobody_else, Open) {
  driver.set32(D::TCR, 0x60000 | 0x700);
  driver.set32(D::RCR, D::AAP | D::AB);
  const Flow f{.udp = true};
  Bytes raw = packet(f, payload_of(100));
  const Bytes whole = raw;
  put_be16(raw, f.checksum(), 0);
  driver.send(raw, D::UDPCS);
  driver.send(frame_to(kOther, 60));
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(same(driver.take().value().bytes, whole));
  BOOST_TEST(same(driver.take().value().bytes, frame_to(kOther, 60)));
  arrive(frame_to_us(100));
  BOOST_TEST(!driver.take().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
