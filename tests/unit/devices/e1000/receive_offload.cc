// SPDX-License-Identifier: MIT
// Long frames, unfinished checksums and tags from the host.
#include "tests/unit/devices/e1000/packets.h"

namespace dm::test {

using D = E1000Driver;

namespace {

/// What a host that has a long TCP frame gives. Linux puts into header_length how much of it was
/// linear, not how long the headers are.
NetOffload long_frame(const Flow& f, std::size_t mss) {
  return {.needs_checksum = true,
          .checksum_valid = false,
          .ecn = false,
          .gso = f.v6 ? Gso::tcp6 : Gso::tcp4,
          .header_length = 1000,
          .segment_size = static_cast<std::uint16_t>(mss),
          .checksum_start = static_cast<std::uint16_t>(f.l4()),
          .checksum_offset = 16};
}
NetOffload unfinished_offload(const Flow& f) {
  NetOffload offload;
  offload.needs_checksum = true;
  offload.checksum_start = static_cast<std::uint16_t>(f.l4());
  offload.checksum_offset = static_cast<std::uint16_t>(f.checksum() - f.l4());
  return offload;
}
Bytes unfinished_long(const Flow& f, std::span<const std::byte> payload) {
  return unfinished(f, payload, true);
}

struct Receiver : OneCard {
  Receiver() {
    driver.open_rx(128, D::RCTL_SECRC);
    driver.set(D::RXCSUM, 0x700);
  }
  std::size_t expect(const std::vector<Bytes>& wanted, std::uint8_t status) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto got = driver.take();
      Bytes padded = wanted[i];
      padded.resize(std::max<std::size_t>(padded.size(), 60));
      BOOST_TEST(same(got.bytes, padded), "segment " << i);
      BOOST_TEST(got.last.status == (status | D::DD | D::RX_EOP));
      BOOST_TEST(got.last.errors == 0);
    }
    BOOST_TEST(driver.take().bytes.empty());
    return wanted.size();
  }
  [[nodiscard]] std::uint64_t moved() const { return card->chip().counters().rx_moved; }
};

constexpr std::uint8_t kGood = D::RX_TCPCS | D::RX_IPCS;

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_receive_offload)

BOOST_FIXTURE_TEST_CASE(the_host_is_asked_for_long_frames_from_the_start, Receiver) {
  BOOST_TEST(net.checksum_accepted);
  BOOST_TEST(net.gso_accepted);
}

BOOST_FIXTURE_TEST_CASE(long_frames_are_cut_and_from_the_second_on_in_place, Receiver) {
  for (const bool v6 : {false, true}) {
    const Flow f{.v6 = v6};
    const std::uint8_t status = v6 ? D::RX_TCPCS : kGood;
    const auto before = moved();
    for (unsigned round = 0; round < 4; ++round) {
      const Bytes payload = payload_of(30000 + round, round);
      arrive(unfinished_long(f, payload), long_frame(f, 1428));
      expect(segments(f, payload, 1428), status);
    }
    BOOST_TEST(moved() == before + 1);
  }
}

BOOST_FIXTURE_TEST_CASE(every_number_of_segments_and_every_rest_comes_out_right, Receiver) {
  const Flow f{.options = 0};
  for (const std::size_t size : {1U, 5U, 6U, 1459U, 1460U, 1461U, 2920U, 2921U, 64000U, 2000U}) {
    for (unsigned round = 0; round < 2; ++round) {
      const Bytes payload = payload_of(size);
      arrive(unfinished_long(f, payload), long_frame(f, 1460));
      expect(segments(f, payload, 1460), kGood);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(nothing_is_written_behind_the_1522_bytes_that_linux_allocates, Receiver) {
  const Flow f;
  const Bytes canary(2048 - 1522, std::byte{0xc5});
  for (unsigned i = 0; i < 128; ++i) {
    driver.put_memory(D::kRxBuffers + i * 2048 + 1522, canary);
  }
  for (const bool tags : {false, true}) {
    driver.set(D::CTRL, tags ? D::CTRL_VME : 0);
    driver.set(D::VET, 0x8100);
    Flow tagged = f;
    tagged.tag = 5;
    for (const std::size_t mss : {1448U, 1452U, 2000U, 8000U}) {
      for (unsigned round = 0; round < 3; ++round) {
        arrive(unfinished_long(f, payload_of(60000)), long_frame(f, mss));
        arrive(unfinished_long(tagged, payload_of(60000)), long_frame(tagged, mss));
        arrive(frame_to_us(1518));
        arrive(frame_to(kOther, 1600));
        arrive(frame_to_us(9000));
        while (!driver.take().bytes.empty()) {
        }
      }
    }
  }
  for (unsigned i = 0; i < 128; ++i) {
    BOOST_TEST(same(guest.ram().subspan(D::kRxBuffers + i * 2048 + 1522, canary.size()), canary));
  }
}

BOOST_FIXTURE_TEST_CASE(short_frames_between_long_ones_are_not_harmed, Receiver) {
  const Flow f;
  const Flow other{.v6 = true, .udp = true};
  for (unsigned round = 0; round < 8; ++round) {
    const Bytes payload = payload_of(20000, round);
    arrive(unfinished_long(f, payload), long_frame(f, 1448 - round % 3));
    expect(segments(f, payload, 1448 - round % 3), kGood);
    for (const std::size_t size : {60U, 66U, 70U, 1200U, 1514U}) {
      arrive(frame_to_us(size));
      expect({frame_to_us(size)}, D::RX_IXSM);
    }
    const Bytes datagram = payload_of(1000 + round);
    arrive(unfinished(other, datagram, true), unfinished_offload(other));
    expect({packet(other, datagram)}, D::RX_TCPCS);
  }
}

BOOST_FIXTURE_TEST_CASE(a_long_frame_waits_for_buffers_segment_by_segment, Receiver) {
  driver.open_rx(16);
  const Flow f;
  for (unsigned round = 0; round < 3; ++round) {
    const Bytes payload = payload_of(60000, round);
    arrive(unfinished_long(f, payload), long_frame(f, 1448));
    BOOST_TEST(!net.wanted);
    expect(segments(f, payload, 1448), kGood);
    BOOST_TEST(net.wanted);
  }
}

BOOST_FIXTURE_TEST_CASE(a_checksum_that_the_host_left_out_is_put_in, Receiver) {
  for (const bool v6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t size : {0U, 1U, 17U, 500U, 1001U, 1400U}) {
        const Flow f{.v6 = v6, .udp = udp};
        arrive(unfinished(f, payload_of(size), true), unfinished_offload(f));
        expect({packet(f, payload_of(size))}, v6 ? D::RX_TCPCS : kGood);
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(what_the_host_has_verified_is_said_to_be_so_if_the_guest_asked, Receiver) {
  const Flow f;
  NetOffload valid;
  valid.checksum_valid = true;
  const Bytes frame = packet(f, payload_of(100));
  arrive(frame, valid);
  expect({frame}, kGood);
  arrive(frame);  // the host says nothing
  expect({frame}, D::RX_IPCS);
  driver.set(D::RXCSUM, 0x200);
  arrive(frame, valid);
  expect({frame}, D::RX_TCPCS);
  driver.set(D::RXCSUM, 0);
  arrive(frame, valid);
  expect({frame}, D::RX_IXSM);
  // Not for what is no TCP or UDP, and not for a fragment.
  driver.set(D::RXCSUM, 0x300);
  arrive(frame_to_us(100), valid);
  expect({frame_to_us(100)}, D::RX_IXSM);
  Bytes fragment = frame;
  put_be16(fragment, 14 + 6, 0x2000);
  arrive(fragment, valid);
  const auto got = driver.take();
  BOOST_TEST((got.last.status & D::RX_TCPCS) == 0);
  BOOST_TEST((got.last.status & D::RX_IPCS) != 0);
  BOOST_TEST(got.last.errors == 0x40);  // IPE: its header checksum is wrong now
}

BOOST_FIXTURE_TEST_CASE(tags_are_taken_out_and_told_of, Receiver) {
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  driver.set(D::VET, 0x8100);
  Flow tagged;
  tagged.tag = 0x6007;
  const Flow bare;
  for (unsigned round = 0; round < 3; ++round) {
    arrive(packet(tagged, payload_of(1000)));
    auto got = driver.take();
    BOOST_TEST(same(got.bytes, packet(bare, payload_of(1000))));
    BOOST_TEST((got.last.status & D::RX_VP) != 0);
    BOOST_TEST(got.last.special == 0x6007);
  }
  BOOST_TEST(moved() == 1U);
  for (unsigned round = 0; round < 3; ++round) {
    const Bytes payload = payload_of(20000, round);
    arrive(unfinished_long(tagged, payload), long_frame(tagged, 1400));
    expect(segments(bare, payload, 1400), kGood | D::RX_VP);
  }
  BOOST_TEST(moved() == 2U);
  arrive(packet(bare, payload_of(1000)));
  BOOST_TEST((driver.take().last.status & D::RX_VP) == 0);
  driver.set(D::CTRL, driver.get(D::CTRL) & ~D::CTRL_VME);
  arrive(packet(tagged, payload_of(1000)));
  BOOST_TEST(same(driver.take().bytes, packet(tagged, payload_of(1000))));
}

BOOST_FIXTURE_TEST_CASE(the_vlan_filter_looks_at_the_table_and_at_cfi, Receiver) {
  driver.set(D::VET, 0x8100);
  driver.set(D::VFTA + (0x123U >> 5U) * 4, 1U << (0x123U & 31U));
  const std::uint32_t rctl = D::RCTL_EN | D::RCTL_SECRC | D::RCTL_VFE;
  driver.set(D::RCTL, rctl);
  const auto comes_through = [&](std::uint16_t tag) {
    Flow f;
    f.tag = tag;
    arrive(packet(f, payload_of(100)));
    return !driver.take().bytes.empty();
  };
  BOOST_TEST(comes_through(0x0123));
  BOOST_TEST(comes_through(0xe123));
  BOOST_TEST(!comes_through(0x0124));
  driver.set(D::RCTL, rctl | D::RCTL_CFIEN);
  BOOST_TEST(comes_through(0x0123));
  BOOST_TEST(!comes_through(0x1123));
  driver.set(D::RCTL, rctl | D::RCTL_CFIEN | D::RCTL_CFI);
  BOOST_TEST(comes_through(0x1123));
  BOOST_TEST(!comes_through(0x0123));
  arrive(frame_to_us(100));  // without a tag
  BOOST_TEST(!driver.take().bytes.empty());
}

BOOST_FIXTURE_TEST_CASE(small_buffers_take_segments_in_several, Receiver) {
  driver.open_rx(128, D::RCTL_SECRC, 256);
  const Flow f;
  const Bytes payload = payload_of(10000);
  for (unsigned round = 0; round < 2; ++round) {
    arrive(unfinished_long(f, payload), long_frame(f, 1448));
    expect(segments(f, payload, 1448), kGood);
    arrive(frame_to_us(1518));
    expect({frame_to_us(1518)}, D::RX_IXSM);
  }
}

BOOST_FIXTURE_TEST_CASE(segments_that_the_guest_could_not_take_as_frames_are_dropped, Receiver) {
  const Flow f;
  arrive(unfinished_long(f, payload_of(20000)), long_frame(f, 8000));
  BOOST_TEST(driver.take().bytes.empty());
  BOOST_TEST(driver.get(0x40ac) == 1U);  // ROC
  driver.open_rx(64, D::RCTL_SECRC | D::RCTL_LPE);
  arrive(unfinished_long(f, payload_of(20000)), long_frame(f, 8000));
  expect(segments(f, payload_of(20000), 8000), kGood);
}

BOOST_FIXTURE_TEST_CASE(nonsense_from_the_host_is_dropped, Receiver) {
  const Flow f;
  const Bytes frame = unfinished_long(f, payload_of(5000));
  const auto refused = [&](NetOffload offload, const Bytes& bytes) {
    arrive(bytes, offload);
    return driver.take().bytes.empty();
  };
  NetOffload o = long_frame(f, 1448);
  o.checksum_start = 65535;
  BOOST_TEST(refused(o, frame));
  o = long_frame(f, 0);
  BOOST_TEST(refused(o, frame));
  o = long_frame(f, 1448);
  o.checksum_offset = 65535;
  BOOST_TEST(refused(o, frame));
  o = long_frame(f, 1448);
  o.gso = Gso::tcp6;
  BOOST_TEST(refused(o, frame));
  o = long_frame(f, 1448);
  o.needs_checksum = false;
  BOOST_TEST(refused(o, frame));
  BOOST_TEST(refused(long_frame(f, 1448), Bytes{frame.begin(), frame.begin() + 40}));
  BOOST_TEST(refused(long_frame(f, 1448), Bytes{frame.begin(), frame.begin() + 66}));
  Bytes longer = frame;
  longer[34 + 12] = std::byte{0xf0};
  arrive(longer, long_frame(f, 1448));  // 60 bytes of TCP header: allowed
  while (!driver.take().bytes.empty()) {
  }
  Bytes none = frame;
  none[34 + 12] = std::byte{0x10};
  BOOST_TEST(refused(long_frame(f, 1448), none));
  for (const unsigned start : {0U, 13U, 99U, 100U, 127U, 191U, 192U, 65535U}) {
    for (const unsigned offset : {0U, 1U, 16U, 98U, 65535U}) {
      NetOffload plain;
      plain.needs_checksum = true;
      plain.checksum_start = static_cast<std::uint16_t>(start);
      plain.checksum_offset = static_cast<std::uint16_t>(offset);
      arrive(frame_to_us(100), plain);
      (void)driver.take();
    }
  }
  arrive(Bytes(13));
  arrive(Bytes(70000));
  BOOST_TEST(driver.take().bytes.empty());
  arrive(frame_to_us(100));
  BOOST_TEST(same(driver.take().bytes, frame_to_us(100)));
}

BOOST_FIXTURE_TEST_CASE(statistics_count_what_the_guest_got, Receiver) {
  arrive(frame_to(kBroadcast, 100));
  arrive(frame_to_us(42));
  BOOST_TEST(driver.get(0x4074) == 1U);  // GPRC; broadcasts are not accepted here
  BOOST_TEST(driver.get(0x405c) == 1U);  // PRC64
  BOOST_TEST(driver.get(0x4088) == 64U);
  BOOST_TEST(driver.get(0x408c) == 0U);
  BOOST_TEST(driver.get(0x4088) == 0U);
  driver.set(D::RCTL, D::RCTL_EN | D::RCTL_SECRC | D::RCTL_BAM);
  arrive(frame_to(kBroadcast, 123));
  arrive(frame_to(kBroadcast, 124));
  BOOST_TEST(driver.get(0x4078) == 2U);  // BPRC
  BOOST_TEST(driver.get(0x4060) == 1U);  // PRC127
  BOOST_TEST(driver.get(0x4064) == 1U);  // PRC255
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
