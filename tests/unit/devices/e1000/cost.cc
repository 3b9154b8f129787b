// SPDX-License-Identifier: MIT
// What one unit of a card's work may cost the host: frames that its kernel has to make of one
// hand-over, and frames that one arrival becomes. Whatever a guest or a peer asks for, what comes
// out is right; it takes more units.
#include "core/bounds.h"
#include "tests/unit/devices/e1000/packets.h"

#include <functional>

namespace dm::test {

using D = E1000Driver;

namespace {

/// Frames that a host makes of one send(), counted from what it gets.
std::size_t segments_of(const rig::ScriptedNet::Frame& frame) {
  if (frame.offload.gso == Gso::none) {
    return 1;
  }
  // By the headers, as a kernel does, and by what it is told of them: the worse counts.
  const std::size_t tcp = frame.offload.checksum_start;
  const std::size_t stated =
      tcp + (std::to_integer<std::size_t>(frame.bytes.at(tcp + 12)) >> 4U) * 4;
  std::size_t header = std::min<std::size_t>(stated, frame.offload.header_length);
  if (be16(frame.bytes, 12) == 0x0800) {  // or by what the frame's type leads to
    const std::size_t found = 14 + (std::to_integer<std::size_t>(frame.bytes.at(14)) & 15U) * 4;
    header = std::min(header,
                      found + (std::to_integer<std::size_t>(frame.bytes.at(found + 12)) >> 4U) * 4);
  }
  const std::size_t payload = frame.bytes.size() - header;
  return (payload + frame.offload.segment_size - 1) / frame.offload.segment_size;
}

struct Sender : OneCard {
  Sender() {
    driver.open_tx(256);
    guest.set_auto_work(false);
  }
  D::Context context(const Flow& f, std::size_t mss) {
    return {.ipcss = static_cast<std::uint8_t>(f.l3()),
            .ipcso = static_cast<std::uint8_t>(f.l3() + 10),
            .ipcse = static_cast<std::uint16_t>(f.v6 ? 0 : f.l4() - 1),
            .tucss = static_cast<std::uint8_t>(f.l4()),
            .tucso = static_cast<std::uint8_t>(f.checksum()),
            .tucse = 0,
            .paylen = 0,
            .tucmd = static_cast<std::uint8_t>((f.udp ? 0 : D::TU_TCP) | (f.v6 ? 0 : D::TU_IP) |
                                               D::TU_TSE),
            .hdrlen = static_cast<std::uint8_t>(f.header()),
            .mss = static_cast<std::uint16_t>(mss)};
  }
  /// All units of one packet; how many.
  std::size_t send(const D::Context& c, const Bytes& frame, std::uint8_t cmd = 0) {
    net.sent.clear();
    driver.put_memory(D::kTxBuffers, frame);
    driver.put_context(c);
    driver.put_data(D::kTxBuffers, static_cast<std::uint32_t>(frame.size()),
                    static_cast<std::uint8_t>(D::TSE | D::EOP | D::RS | D::IFCS | cmd),
                    D::TXSM | D::IXSM, 0x0007);
    driver.ring_doorbell();
    std::size_t units = 0;
    std::size_t before = 0;
    while (guest.work().run_one()) {
      ++units;
      BOOST_REQUIRE(net.sent.size() - before <= 1);
      before = net.sent.size();
    }
    for (const auto& out : net.sent) {
      BOOST_REQUIRE(segments_of(out) <= bounds::kSegmentsPerSend);
    }
    return units;
  }
  void expect(const std::vector<Bytes>& wanted) {
    std::vector<Bytes> got;
    for (const auto& out : net.sent) {
      const auto made = as_the_kernel_would(out.bytes, out.offload);
      got.insert(got.end(), made.begin(), made.end());
    }
    BOOST_REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      Bytes padded = wanted[i];
      padded.resize(std::max<std::size_t>(padded.size(), 60));
      got[i].resize(std::max<std::size_t>(got[i].size(), 60));
      BOOST_REQUIRE(same(got[i], padded));
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_cost)

BOOST_FIXTURE_TEST_CASE(no_send_asks_for_more_segments_than_the_bound_and_all_come_out_right,
                        Sender) {
  for (const bool v6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t mss : {1U, 2U, 7U, 88U, 536U, 1024U, 1448U, 9000U}) {
        Flow f;
        f.v6 = v6;
        f.udp = udp;
        const Bytes payload = payload_of(mss < 8 ? 3000 : 40000, mss);
        (void)send(context(f, mss), for_segmentation(f, payload));
        expect(segments(f, payload, mss));
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(what_fits_the_bound_is_still_one_send, Sender) {
  const Flow f;
  for (const std::size_t mss : {1U, 536U, 1023U}) {
    const Bytes payload = payload_of(mss * bounds::kSegmentsPerSend);
    (void)send(context(f, mss), for_segmentation(f, payload));
    BOOST_TEST(net.sent.size() == 1U);
    expect(segments(f, payload, mss));
    (void)send(context(f, mss), for_segmentation(f, payload_of(payload.size() + 1)));
    BOOST_TEST(net.sent.size() == 2U);
    expect(segments(f, payload_of(payload.size() + 1), mss));
  }
}

BOOST_FIXTURE_TEST_CASE(a_mss_of_1_takes_a_unit_for_each_run_of_segments, Sender) {
  const Flow f;
  const std::size_t units = send(context(f, 1), for_segmentation(f, payload_of(60000)));
  BOOST_TEST(net.sent.size() == (60000 + bounds::kSegmentsPerSend - 1) / bounds::kSegmentsPerSend);
  BOOST_TEST(units >= net.sent.size());
}

/// A kernel goes by the headers, and may take bytes of them for payload.
BOOST_FIXTURE_TEST_CASE(headers_that_say_something_else_do_not_make_more_segments, Sender) {
  const Flow f;
  const Bytes good = for_segmentation(f, payload_of(4000));
  const std::vector<std::function<void(Bytes&)>> kOdd{
      [](Bytes& b) { b[34 + 12] = std::byte{0x50}; },  // TCP without the options
      [](Bytes& b) { b[34 + 12] = std::byte{0xf0}; },  // with more of them
      [](Bytes& b) { b[34 + 12] = std::byte{0x00}; },  // shorter than can be
      [](Bytes& b) { b[14] = std::byte{0x46}; },       // IP options
      [](Bytes& b) { b[14] = std::byte{0x40}; },
      [](Bytes& b) { b[14] = std::byte{0x65}; },    // version 6
      [](Bytes& b) { b[14 + 9] = std::byte{17}; },  // UDP
      [](Bytes& b) { b[12] = std::byte{0x88}; },    // another type
      [](Bytes& b) { b[12] = std::byte{0x86}, b[13] = std::byte{0xdd}; },
  };
  for (const std::size_t mss : {1U, 3U, 10U, 536U}) {
    for (const auto& change : kOdd) {
      Bytes odd = good;
      change(odd);
      (void)send(context(f, mss), odd);  // looks at every hand-over
      BOOST_TEST(!net.sent.empty());
    }
  }
  (void)send(context(f, 10), good);
  BOOST_TEST(net.sent.size() == 7U);
}

/// Offsets to a second pair of headers, behind those that a kernel finds.
BOOST_FIXTURE_TEST_CASE(offsets_that_point_elsewhere_do_not_make_more_segments, Sender) {
  Bytes frame = for_segmentation(Flow{.options = 0}, payload_of(4000));
  frame[188] = std::byte{0x45};
  frame[208 + 12] = std::byte{0x80};
  for (const std::size_t mss : {1U, 5U, 536U}) {
    D::Context c = context(Flow{}, mss);
    c.ipcss = 188;
    c.ipcso = 198;
    c.tucss = 208;
    c.tucso = 224;
    c.hdrlen = 240;
    (void)send(c, frame);  // looks at every hand-over
    BOOST_TEST(!net.sent.empty());
  }
}

BOOST_FIXTURE_TEST_CASE(a_tag_that_the_host_does_not_know_is_not_left_to_it, Sender) {
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  const Flow f;
  const Bytes frame = for_segmentation(f, payload_of(4000));
  (void)send(context(f, 1000), frame, D::VLE);
  BOOST_TEST(net.sent.size() == 1U);
  driver.set(D::VET, 0x9100);
  (void)send(context(f, 1000), frame, D::VLE);
  BOOST_TEST(net.sent.size() == 4U);
}

BOOST_FIXTURE_TEST_CASE(a_backend_that_cannot_cut_gets_frames, Sender) {
  net.segments = 1;
  const Flow f;
  const Bytes payload = payload_of(20000);
  (void)send(context(f, 1448), for_segmentation(f, payload));
  BOOST_TEST(net.sent.size() == 14U);
  for (const auto& out : net.sent) {
    BOOST_TEST((out.offload.gso == Gso::none));
  }
  expect(segments(f, payload, 1448));
}

BOOST_FIXTURE_TEST_CASE(an_arrival_of_many_tiny_segments_takes_many_units, OneCard) {
  guest.set_auto_work(false);
  driver.open_rx(256, D::RCTL_SECRC);
  driver.set(D::RXCSUM, 0x700);
  const Flow f;
  for (unsigned round = 0; round < 3; ++round) {  // the first is moved, the others are cut in place
    for (const std::size_t mss : {1U, 3U}) {
      const Bytes payload = payload_of(1000 * mss, round);
      NetOffload offload;
      offload.needs_checksum = true;
      offload.gso = Gso::tcp4;
      offload.segment_size = static_cast<std::uint16_t>(mss);
      offload.checksum_start = static_cast<std::uint16_t>(f.l4());
      offload.checksum_offset = 16;
      net.arrive(unfinished(f, payload, true), offload);
      std::vector<Bytes> got;
      while (guest.work().run_one()) {
        std::size_t now = 0;
        for (auto frame = driver.take(); !frame.bytes.empty(); frame = driver.take()) {
          got.push_back(frame.bytes);
          ++now;
        }
        BOOST_REQUIRE(now <= bounds::kSegmentsPerReceive);
      }
      const auto wanted = segments(f, payload, mss);
      BOOST_REQUIRE(got.size() == wanted.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        BOOST_REQUIRE(same(got[i], wanted[i]));
      }
    }
  }
}

/// Buffers that each lie across the edge of two windows of guest memory, more than are kept mapped.
BOOST_AUTO_TEST_CASE(an_arrival_maps_no_more_than_a_unit_may) {
  constexpr std::uint64_t kWindow = std::uint64_t{2} << 20;
  rig::SimGuest guest{{.ram = 1210 * kWindow, .limits = {.windows = 300}}};
  rig::ScriptedNet net;
  const auto card = make_card(guest, net);
  E1000Driver driver{guest, kBdf};
  driver.map();
  driver.open_rx(1024, D::RCTL_LPE, 256);
  for (std::uint64_t i = 0; i < 1024; ++i) {
    guest.poke(D::kRxRing + i * 16, (2 + i % 600 * 2) * kWindow - 128);
  }
  const Flow f;
  for (const std::size_t mss : {1024U, 9000U, 1024U}) {
    NetOffload offload;
    offload.needs_checksum = true;
    offload.gso = Gso::tcp4;
    offload.segment_size = static_cast<std::uint16_t>(mss);
    offload.checksum_start = static_cast<std::uint16_t>(f.l4());
    offload.checksum_offset = 16;
    const Bytes payload = payload_of(64000, mss);
    net.arrive(unfinished(f, payload, true), offload);
    guest.run_work();
    for (const Bytes& wanted : segments(f, payload, mss)) {
      Bytes got = driver.take().bytes;
      got.resize(got.size() - std::min<std::size_t>(got.size(), 4));  // what stands for the FCS
      BOOST_REQUIRE(same(got, wanted));
    }
  }
  BOOST_TEST(guest.work().meter().worst_unit().maps <= bounds::kMapsPerUnit);
  BOOST_TEST(guest.work().meter().worst_unit().maps > 100U);
}

/// Room for a frame may never come once the cable is out.
BOOST_FIXTURE_TEST_CASE(a_frame_that_waits_for_room_is_dropped_when_the_link_goes, OneCard) {
  driver.open_tx();
  net.make_room(0);
  driver.send(frame_to(kOther, 100));
  guest.run_work();
  BOOST_TEST(driver.tx_status(0) == 0);
  net.set_link(false);
  guest.run_work();
  BOOST_TEST(driver.tx_status(0) == D::DD);
  BOOST_TEST(card->chip().counters().tx_dropped == 1U);
  BOOST_TEST(net.sent.empty());
  net.room = 10;
  net.set_link(true);
  driver.send(frame_to(kOther, 200));
  guest.run_work();
  BOOST_TEST(net.sent.size() == 1U);
  BOOST_TEST(card->chip().counters().tx_dropped == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
