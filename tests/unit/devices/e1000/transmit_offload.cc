// SPDX-License-Identifier: MIT
// Checksums and segmentation, against packets built from scratch.
#include "tests/unit/devices/e1000/packets.h"

namespace dm::test {

using D = E1000Driver;

namespace {

struct Sender : OneCard {
  Sender() { driver.open_tx(256); }

  void context(const Flow& f, std::size_t mss, std::size_t payload) {
    const auto l3 = static_cast<std::uint8_t>(f.l3());
    const auto l4 = static_cast<std::uint8_t>(f.l4());
    driver.put_context(
        {.ipcss = l3,
         .ipcso = static_cast<std::uint8_t>(l3 + 10),
         .ipcse = static_cast<std::uint16_t>(f.v6 ? 0 : l4 - 1),
         .tucss = l4,
         .tucso = static_cast<std::uint8_t>(f.checksum()),
         .tucse = 0,
         .paylen = static_cast<std::uint32_t>(payload),
         .tucmd = static_cast<std::uint8_t>((f.udp ? 0 : D::TU_TCP) | (f.v6 ? 0 : D::TU_IP) |
                                            (mss != 0 ? D::TU_TSE : 0)),
         .hdrlen = static_cast<std::uint8_t>(mss != 0 ? f.header() : 0),
         .mss = static_cast<std::uint16_t>(mss)});
  }
  /// In descriptors of at most 4 KiB, the header in one of its own, as Linux does.
  void send_segmented(const Flow& f, const Bytes& frame, std::size_t mss, std::uint8_t cmd = 0) {
    driver.put_memory(D::kTxBuffers, frame);
    context(f, mss, frame.size() - f.header());
    const std::uint8_t popts = D::TXSM | (f.v6 ? 0 : D::IXSM);
    const auto header = static_cast<std::uint32_t>(f.header());
    const auto size = static_cast<std::uint32_t>(frame.size());
    driver.put_data(D::kTxBuffers, header, D::IFCS | D::TSE, popts);
    for (std::uint32_t at = header; at < size; at += 4096) {
      const std::uint32_t part = std::min<std::uint32_t>(4096, size - at);
      const bool last = at + part == size;
      driver.put_data(
          D::kTxBuffers + at, part,
          static_cast<std::uint8_t>(D::IFCS | D::TSE | (last ? D::EOP | D::RS | cmd : 0)), 0,
          0x0123);
    }
    driver.ring_doorbell();
  }
  [[nodiscard]] std::vector<Bytes> on_the_wire() {
    std::vector<Bytes> out;
    for (const auto& frame : net.sent) {
      const auto made = as_the_kernel_would(frame.bytes, frame.offload);
      out.insert(out.end(), made.begin(), made.end());
    }
    return out;
  }
  void expect(const std::vector<Bytes>& wanted) {
    const auto got = on_the_wire();
    BOOST_REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      BOOST_TEST(same(got[i], wanted[i]), "segment " << i);
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_transmit_offload)

BOOST_FIXTURE_TEST_CASE(tcp_segmentation_is_one_send_that_the_host_cuts, Sender) {
  for (const bool v6 : {false, true}) {
    for (const std::size_t size : {1449U, 2896U, 2897U, 30000U, 65000U}) {
      net.sent.clear();
      const Flow f{.v6 = v6};
      const Bytes payload = payload_of(size);
      send_segmented(f, for_segmentation(f, payload), 1448);
      BOOST_REQUIRE(net.sent.size() == 1U);
      BOOST_TEST((net.sent[0].offload.gso == (v6 ? Gso::tcp6 : Gso::tcp4)));
      BOOST_TEST(net.sent[0].offload.segment_size == 1448);
      BOOST_TEST(!net.sent[0].offload.ecn);
      expect(segments(f, payload, 1448));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_payload_of_one_segment_asks_for_a_checksum_only, Sender) {
  const Flow f;
  for (const std::size_t size : {1U, 1447U, 1448U}) {
    net.sent.clear();
    const Bytes payload = payload_of(size);
    send_segmented(f, for_segmentation(f, payload), 1448);
    BOOST_REQUIRE(net.sent.size() == 1U);
    BOOST_TEST((net.sent[0].offload.gso == Gso::none));
    BOOST_TEST(net.sent[0].offload.needs_checksum);
    expect(segments(f, payload, 1448));
  }
}

BOOST_FIXTURE_TEST_CASE(more_than_a_datagram_can_hold_is_several_sends_with_numbers_going_on,
                        Sender) {
  for (const bool v6 : {false, true}) {
    net.sent.clear();
    const Flow f{.v6 = v6, .flags = 0x99};  // CWR, ACK, PSH, FIN
    const Bytes payload = payload_of(200000);
    send_segmented(f, for_segmentation(f, payload), 1000);
    BOOST_TEST(net.sent.size() > 3U);
    for (const auto& frame : net.sent) {
      BOOST_TEST(frame.bytes.size() - 14 <= 65535U);
    }
    BOOST_TEST(net.sent[0].offload.ecn);
    BOOST_TEST(!net.sent[1].offload.ecn);
    auto wanted = segments(f, payload, 1000);
    Flow without = f;
    without.flags = 0x19;
    const auto rest = segments(without, payload, 1000);
    std::copy(rest.begin() + 1, rest.end(), wanted.begin() + 1);
    expect(wanted);
  }
}

BOOST_FIXTURE_TEST_CASE(udp_is_segmented_here_and_summed_by_the_host, Sender) {
  for (const bool v6 : {false, true}) {
    net.sent.clear();
    const Flow f{.v6 = v6, .udp = true};
    const Bytes payload = payload_of(10001);
    send_segmented(f, for_segmentation(f, payload), 1400);
    BOOST_TEST(net.sent.size() == 8U);
    expect(segments(f, payload, 1400));
    BOOST_TEST(driver.tx_status(driver.tx_slot() - 1) == D::DD);
  }
}

BOOST_FIXTURE_TEST_CASE(ip_options_are_part_of_the_header_checksum, Sender) {
  const Flow f{.ip_options = 8};
  const Bytes payload = payload_of(5000);
  send_segmented(f, for_segmentation(f, payload), 1400);
  expect(segments(f, payload, 1400));
}

BOOST_FIXTURE_TEST_CASE(a_tag_goes_between_addresses_and_type_and_moves_the_offsets, Sender) {
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  driver.set(D::VET, 0x8100);
  const Flow f;
  Flow tagged = f;
  tagged.tag = 0x0123;
  const Bytes payload = payload_of(5000);
  send_segmented(f, for_segmentation(f, payload), 1448, D::VLE);
  BOOST_REQUIRE(net.sent.size() == 1U);
  expect(segments(tagged, payload, 1448));
  net.sent.clear();
  // Plain frames: legacy, and with a checksum.
  driver.put_memory(D::kTxBuffers, unfinished(f, payload_of(100), true));
  driver.put_legacy(D::kTxBuffers, 166, D::EOP | D::RS | D::VLE | D::IC,
                    static_cast<std::uint8_t>(f.checksum()), static_cast<std::uint8_t>(f.l4()),
                    0x0123);
  driver.ring_doorbell();
  expect({packet(tagged, payload_of(100))});
  net.sent.clear();
  // Not without VME.
  driver.set(D::CTRL, driver.get(D::CTRL) & ~D::CTRL_VME);
  driver.send(packet(f, payload_of(100)), D::EOP | D::RS | D::VLE);
  expect({packet(f, payload_of(100))});
}

BOOST_FIXTURE_TEST_CASE(checksums_of_plain_packets_come_out_right, Sender) {
  for (const bool v6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t size : {0U, 1U, 2U, 3U, 999U, 1400U}) {
        net.sent.clear();
        const Flow f{.v6 = v6, .udp = udp};
        Bytes frame = unfinished(f, payload_of(size), true);
        if (!v6) {
          put_be16(frame, f.l3() + 10, 0);  // the card is to do that too
        }
        driver.put_memory(D::kTxBuffers, frame);
        context(f, 0, 0);
        const auto cmd = static_cast<std::uint8_t>(D::EOP | D::IFCS | D::RS);
        const auto popts = static_cast<std::uint8_t>(D::TXSM | (v6 ? 0 : D::IXSM));
        const auto whole = static_cast<std::uint32_t>(frame.size());
        driver.put_data(D::kTxBuffers, 20, D::IFCS, popts);
        driver.put_data(D::kTxBuffers + 20, whole - 20, cmd, 0);
        driver.ring_doorbell();
        Bytes wanted = packet(f, payload_of(size));
        wanted.resize(std::max<std::size_t>(wanted.size(), 60));
        expect({wanted});
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_sum_that_the_host_cannot_do_is_done_here, Sender) {
  // It ends before the frame does, or is stored in front of where it begins.
  const Bytes frame = frame_to(kOther, 501);
  driver.put_memory(D::kTxBuffers, frame);
  driver.put_context({.ipcss = 0,
                      .ipcso = 0,
                      .ipcse = 0,
                      .tucss = 33,
                      .tucso = 61,
                      .tucse = 400,
                      .paylen = 0,
                      .tucmd = 0,
                      .hdrlen = 0,
                      .mss = 0});
  driver.put_data(D::kTxBuffers, 40, D::IFCS, D::TXSM);
  driver.put_data(D::kTxBuffers + 40, 461, D::EOP | D::IFCS | D::RS, 0);
  driver.put_legacy(D::kTxBuffers, 501, D::EOP | D::IC | D::RS, 20, 255);
  driver.ring_doorbell();
  BOOST_REQUIRE(net.sent.size() == 2U);
  BOOST_TEST(!net.sent[0].offload.needs_checksum);
  Bytes wanted = frame;
  put_be16(wanted, 61, ~plain_sum(std::span{frame}.subspan(33, 368)) & 0xffffU);
  BOOST_TEST(same(net.sent[0].bytes, wanted));
  BOOST_TEST(!net.sent[1].offload.needs_checksum);
  wanted = frame;
  put_be16(wanted, 20, ~plain_sum(std::span{frame}.subspan(255)) & 0xffffU);
  BOOST_TEST(same(net.sent[1].bytes, wanted));
  // The guest's memory is as it was.
  BOOST_TEST(same(guest.ram().subspan(D::kTxBuffers, 501), frame));
}

BOOST_FIXTURE_TEST_CASE(the_two_contexts_do_not_disturb_each_other, Sender) {
  const Flow tcp;
  const Flow udp{.udp = true};
  context(udp, 0, 0);
  const Bytes payload = payload_of(3000);
  send_segmented(tcp, for_segmentation(tcp, payload), 1448);
  const Bytes frame = unfinished(udp, payload_of(100), true);
  driver.put_memory(D::kTxBuffers, frame);
  driver.put_data(D::kTxBuffers, static_cast<std::uint32_t>(frame.size()), D::EOP | D::RS, D::TXSM);
  driver.ring_doorbell();
  auto wanted = segments(tcp, payload, 1448);
  wanted.push_back(packet(udp, payload_of(100)));
  expect(wanted);
}

BOOST_FIXTURE_TEST_CASE(a_context_that_changes_inside_of_a_packet_counts_from_the_next_on, Sender) {
  const Flow f;
  const Bytes payload = payload_of(3000);
  const Bytes frame = for_segmentation(f, payload);
  driver.put_memory(D::kTxBuffers, frame);
  context(f, 1448, 3000);
  driver.put_data(D::kTxBuffers, 66, D::TSE, D::TXSM | D::IXSM);
  context(f, 7, 3000);
  driver.put_data(D::kTxBuffers + 66, 3000, D::TSE | D::EOP | D::RS, 0);
  driver.ring_doorbell();
  expect(segments(f, payload, 1448));
}

BOOST_FIXTURE_TEST_CASE(descriptors_without_bytes_where_segments_end_change_nothing,
                        Sender) {  // A3, CVE-2015-6815
  const Flow f;
  const Bytes payload = payload_of(3000);
  driver.put_memory(D::kTxBuffers, for_segmentation(f, payload));
  context(f, 1000, 3000);
  const auto header = static_cast<std::uint32_t>(f.header());
  std::uint32_t at = 0;
  for (const std::uint32_t size : {0U, header, 0U, 1000U, 0U, 0U, 1000U, 0U, 1000U}) {
    driver.put_data(D::kTxBuffers + at, size, D::IFCS | D::TSE, at == 0 ? D::TXSM | D::IXSM : 0);
    at += size;
  }
  driver.put_data(D::kTxBuffers + at, 0, D::IFCS | D::TSE | D::EOP | D::RS, 0);
  driver.ring_doorbell();
  expect(segments(f, payload, 1000));
  BOOST_TEST(driver.tx_status(driver.tx_slot() - 1) == D::DD);
}

BOOST_FIXTURE_TEST_CASE(a_full_backend_in_the_middle_of_a_long_packet_goes_on_where_it_stopped,
                        Sender) {
  const Flow f{.udp = true};
  const Bytes payload = payload_of(10000);
  net.room = 3;
  send_segmented(f, for_segmentation(f, payload), 1000);
  BOOST_TEST(net.sent.size() == 3U);
  BOOST_TEST(driver.tx_status(driver.tx_slot() - 1) == 0);
  net.make_room(2);
  guest.run_work();
  BOOST_TEST(net.sent.size() == 5U);
  net.make_room(100);
  guest.run_work();
  expect(segments(f, payload, 1000));
  BOOST_TEST(driver.tx_status(driver.tx_slot() - 1) == D::DD);
}

BOOST_FIXTURE_TEST_CASE(statistics_count_segments_as_frames, Sender) {
  const Flow f;
  send_segmented(f, for_segmentation(f, payload_of(4000)), 1448);
  BOOST_TEST(driver.get(0x4080) == 3U);                     // GPTC
  BOOST_TEST(driver.get(0x40d4) == 3U);                     // TPT
  BOOST_TEST(driver.get(0x4080) == 0U);                     // cleared by reading
  BOOST_TEST(driver.get(0x4090) == 4000U + 3U * (66 + 4));  // GOTCL
  BOOST_TEST(driver.get(0x4094) == 0U);
  BOOST_TEST(driver.get(0x4090) == 0U);
  BOOST_TEST(driver.get(0x40ec) == 3U);  // PTC1522: 1518, 1518, 1174
  BOOST_TEST(driver.get(0x40f8) == 1U);  // TSCTC
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
