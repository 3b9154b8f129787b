// SPDX-License-Identifier: MIT
// C+ mode out: plain frames, tags, checksums and segmentation, and what is reported.
#include "tests/unit/devices/nic/packets.h"
#include "tests/unit/devices/rtl8139/rtl8139_rig.h"

namespace dm::test {

using D = Rtl8139Driver;

namespace {

struct Open : OneRtl {
  Open() { driver.open_plus(D::RXCHK | D::RXVLAN); }
  /// All that left, as a host's kernel would put it on a wire.
  [[nodiscard]] std::vector<Bytes> wire() const {
    std::vector<Bytes> all;
    for (const auto& frame : net.sent) {
      const auto some = as_the_kernel_would(frame.bytes, frame.offload);
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rtl8139_plus_transmit)

BOOST_FIXTURE_TEST_CASE(a_frame_goes_out_and_its_descriptor_comes_back, Open) {
  driver.send(frame_to(kOther, 200));
  BOOST_TEST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(same(net.sent[0].bytes, frame_to(kOther, 200)));
  BOOST_TEST(driver.tx_status(0) == (D::FS | D::LS | 200U));
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.take_causes() == D::TOK);
}

BOOST_FIXTURE_TEST_CASE(short_frames_are_padded_and_shorter_ones_dropped, Open) {
  driver.send(frame_to(kOther, 20));
  BOOST_TEST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(net.sent[0].bytes.size() == 60U);
  driver.put(D::kTxBuffers, 13, D::FS | D::LS);
  driver.poll();
  BOOST_TEST(net.sent.size() == 1U);
  BOOST_TEST((driver.tx_status(1) & D::OWN) == 0U);
}

BOOST_FIXTURE_TEST_CASE(many_frames_go_in_one_call, Open) {
  for (unsigned i = 0; i < 10; ++i) {
    driver.put_memory(D::kTxBuffers + i * 2048, frame_to(kOther, 100 + i));
    driver.put(D::kTxBuffers + i * 2048, 100 + i, D::FS | D::LS);
  }
  driver.poll();
  BOOST_TEST_REQUIRE(net.sent.size() == 10U);
  BOOST_TEST(net.calls == 1U);
  for (unsigned i = 0; i < 10; ++i) {
    BOOST_TEST(same(net.sent[i].bytes, frame_to(kOther, 100 + i)));
  }
}

BOOST_FIXTURE_TEST_CASE(the_ring_goes_on_at_its_end_of_ring_or_after_64, Open) {
  for (unsigned i = 0; i < 200; ++i) {
    driver.send(frame_to(kOther, 100 + i));
  }
  BOOST_TEST(net.sent.size() == 200U);
  for (const std::uint32_t count : {1U, 4U}) {
    driver.set8(D::CR, D::RST);
    driver.open_plus(0, count);
    net.sent.clear();
    for (unsigned i = 0; i < 9; ++i) {
      driver.send(frame_to(kOther, 100 + i));
    }
    BOOST_TEST(net.sent.size() == 9U);
  }
}

BOOST_FIXTURE_TEST_CASE(a_frame_in_pieces_goes_out_whole, Open) {
  const Bytes frame = frame_to(kOther, 1500);
  driver.put_memory(D::kTxBuffers, frame);
  for (unsigned i = 0; i < 30; ++i) {
    driver.put(D::kTxBuffers + i * 50, 50, (i == 0 ? D::FS : 0) | (i == 29 ? D::LS : 0));
  }
  driver.poll();
  BOOST_TEST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(same(net.sent[0].bytes, frame));
}

BOOST_FIXTURE_TEST_CASE(a_full_host_loses_nothing, Open) {
  net.make_room(2);
  for (unsigned i = 0; i < 5; ++i) {
    driver.put_memory(D::kTxBuffers + i * 2048, frame_to(kOther, 100 + i));
    driver.put(D::kTxBuffers + i * 2048, 100 + i, D::FS | D::LS);
  }
  driver.poll();
  BOOST_TEST(net.sent.size() == 2U);
  BOOST_TEST((driver.tx_status(1) & D::OWN) == 0U);
  BOOST_TEST((driver.tx_status(2) & D::OWN) != 0U);
  net.make_room(100);
  guest.run_work();
  BOOST_TEST_REQUIRE(net.sent.size() == 5U);
  BOOST_TEST(same(net.sent[4].bytes, frame_to(kOther, 104)));
}

BOOST_FIXTURE_TEST_CASE(a_tag_is_put_in_from_network_order, Open) {
  driver.send(frame_to(kOther, 100), 0, 1U << 17U | 0x3412U);
  BOOST_TEST_REQUIRE(net.sent.size() == 1U);
  const Bytes& out = net.sent[0].bytes;
  BOOST_TEST(out.size() == 104U);
  BOOST_TEST(be16(out, 12) == 0x8100U);
  BOOST_TEST(be16(out, 14) == 0x1234U);
  BOOST_TEST(be16(out, 16) == 0x88b5U);
}

BOOST_FIXTURE_TEST_CASE(checksums_are_put_in_whatever_the_fields_held, Open) {
  for (const bool udp : {false, true}) {
    for (const std::size_t ip_options : {0U, 8U}) {
      const Flow f{.udp = udp, .ip_options = ip_options};
      const Bytes payload = payload_of(700);
      Bytes raw = packet(f, payload);
      const Bytes whole = raw;
      put_be16(raw, 24, 0xdead);
      put_be16(raw, f.checksum(), 0xbeef);
      net.sent.clear();
      driver.send(raw, D::IPCS | (udp ? D::UDPCS : D::TCPCS));
      BOOST_TEST_REQUIRE(net.sent.size() == 1U);
      BOOST_TEST(same(wire().at(0), whole));
      BOOST_TEST(net.sent[0].offload.needs_checksum);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_datagram_shorter_than_its_frame_is_summed_here, Open) {
  const Flow f{.udp = true};
  Bytes raw = packet(f, payload_of(30));
  const Bytes whole = raw;
  put_be16(raw, f.checksum(), 0);
  raw.resize(120, std::byte{0x55});
  driver.send(raw, D::UDPCS);
  BOOST_TEST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(!net.sent[0].offload.needs_checksum);
  BOOST_TEST(same(std::span{net.sent[0].bytes}.first(whole.size()), whole));
}

BOOST_FIXTURE_TEST_CASE(a_long_packet_is_cut_by_the_host, Open) {
  for (const std::uint32_t mss : {100U, 536U, 1448U, 2047U}) {
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{1448}, std::size_t{9000}, std::size_t{40000}}) {
      const Flow f{.flags = 0x99};  // with CWR
      const Bytes payload = payload_of(size);
      const Bytes frame = for_segmentation(f, payload);
      net.sent.clear();
      driver.put_memory(D::kTxBuffers, frame);
      const auto length = static_cast<std::uint32_t>(frame.size());
      const std::uint32_t flags = D::LGSEN | mss << 16U;
      driver.put(D::kTxBuffers, 66, D::FS | flags);
      driver.put(D::kTxBuffers + 66, length - 66, D::LS | flags);
      driver.poll();
      auto expected = segments(f, payload, mss);
      const auto got = wire();
      BOOST_TEST_REQUIRE(got.size() == expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (i != 0) {  // CWR is on the first alone
          expected[i][f.l4() + 13] &= std::byte{0x7f};
        }
        BOOST_TEST((got[i].size() == expected[i].size() || got[i].size() == 60U));
        BOOST_TEST(be16(got[i], 16) == be16(expected[i], 16));
        BOOST_TEST(be32(got[i], f.l4() + 4) == be32(expected[i], f.l4() + 4));
        BOOST_TEST((got[i][f.l4() + 13] == expected[i][f.l4() + 13]));
      }
      BOOST_TEST((driver.tx_status((driver.tx_slot() + 63) % 64) & (D::OWN | D::LGSEN)) == 0U);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(the_tally_counters_are_dumped_in_either_mode, Open) {
  driver.send(frame_to(kOther, 100));
  arrive(frame_to_us(100));
  guest.poke(D::kTally, std::uint64_t{~0U});
  driver.set32(D::TSD + 4, 0);
  driver.set32(D::TSD, static_cast<std::uint32_t>(D::kTally) | 8U);
  BOOST_TEST((driver.get32(D::TSD) & 8U) == 0U);
  BOOST_TEST(guest.peek<std::uint64_t>(D::kTally) == 1U);
  BOOST_TEST(guest.peek<std::uint64_t>(D::kTally + 8) == 1U);
  BOOST_TEST(guest.peek<std::uint64_t>(D::kTally + 40) == 1U);
  // 8139cp on a closed interface: CpCR = 0, CR = 0.
  driver.set16(D::CPCR, 0);
  driver.set8(D::CR, 0);
  guest.poke(D::kTally, std::uint64_t{0});
  driver.set32(D::TSD, static_cast<std::uint32_t>(D::kTally) | 8U);
  BOOST_TEST((driver.get32(D::TSD) & 8U) == 0U);
  BOOST_TEST(guest.peek<std::uint64_t>(D::kTally) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
