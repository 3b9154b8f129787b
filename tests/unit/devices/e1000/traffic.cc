// SPDX-License-Identifier: MIT
// Long mixed traffic in both directions, with everything that changes the ways through the card:
// what arrives must be what was meant, in order, nothing more.
#include "tests/unit/devices/e1000/packets.h"

#include <deque>
#include <random>

namespace dm::test {

using D = E1000Driver;

namespace {

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_{seed} {}
  std::uint32_t operator()(std::uint32_t below) {
    return static_cast<std::uint32_t>(engine_() % below);
  }
  bool one_in(std::uint32_t n) { return (*this)(n) == 0; }
  Flow flow() {
    Flow f;
    f.v6 = one_in(3);
    f.udp = one_in(4);
    f.options = 4 * std::size_t{(*this)(6)};
    f.ip_options = f.v6 || !one_in(5) ? 0 : 4 * std::size_t{(*this)(4)};
    f.id = static_cast<std::uint16_t>((*this)(65536));
    f.seq = (*this)(0xffffffff);
    f.flags = one_in(2) ? 0x19 : 0x10;
    return f;
  }

 private:
  std::mt19937 engine_;
};

/// `tag`: bytes of one that was on the wire, where frames are padded, and is not any more.
void pad(Bytes& frame, std::size_t tag = 0) {
  frame.resize(std::max<std::size_t>(frame.size(), 60 - tag));
}

/// Puts one packet, in random pieces, and says what should come out.
class Sender {
 public:
  Sender(D& driver, Random& random) : driver_{driver}, random_{random} {}

  std::vector<Bytes> put() {
    const Flow f = random_.flow();
    const bool segmented = random_.one_in(3);
    const std::size_t mss = 200 + random_(1200);
    const Bytes payload = payload_of(random_(segmented ? 40000 : 1400), random_(1000));
    const bool tag = random_.one_in(4);
    Flow out = f;
    if (tag) {
      out.tag = static_cast<std::uint16_t>(random_(65536));
    }
    const auto special = out.tag.value_or(0);
    const auto vle = static_cast<std::uint8_t>(tag ? D::VLE : 0);
    std::vector<Bytes> wanted;
    if (segmented) {
      context(f, mss);
      pieces(for_segmentation(f, payload), static_cast<std::uint8_t>(D::TSE), vle,
             static_cast<std::uint8_t>(D::TXSM | (f.v6 ? 0 : D::IXSM)), special);
      wanted = segments(out, payload, mss);
    } else if (random_.one_in(2)) {
      context(f, 0);
      pieces(unfinished(f, payload, true), 0, vle, D::TXSM, special);
      wanted = {packet(out, payload)};
    } else {
      const Bytes frame = packet(f, payload);
      const std::uint64_t at = place(frame);
      driver_.put_legacy(at, static_cast<std::uint32_t>(frame.size()),
                         static_cast<std::uint8_t>(D::EOP | D::RS | vle), 0, 0, special);
      wanted = {packet(out, payload)};
    }
    for (Bytes& frame : wanted) {
      pad(frame);
    }
    return wanted;
  }

 private:
  std::uint64_t place(std::span<const std::byte> bytes) {
    // Odd addresses, and now and then across the edge of a 2 MiB window.
    at_ = (at_ + random_(64)) % 0x300000;
    const std::uint64_t gpa = 0x600000 + at_;
    at_ += bytes.size();
    driver_.put_memory(gpa, bytes);
    return gpa;
  }
  void context(const Flow& f, std::size_t mss) {
    driver_.put_context(
        {.ipcss = 14,
         .ipcso = 24,
         .ipcse = static_cast<std::uint16_t>(f.v6 ? 0 : f.l4() - 1),
         .tucss = static_cast<std::uint8_t>(f.l4()),
         .tucso = static_cast<std::uint8_t>(f.checksum()),
         .tucse = 0,
         .paylen = 0,
         .tucmd = static_cast<std::uint8_t>((f.udp ? 0 : D::TU_TCP) | (f.v6 ? 0 : D::TU_IP) |
                                            (mss != 0 ? D::TU_TSE : 0)),
         .hdrlen = static_cast<std::uint8_t>(f.header()),
         .mss = static_cast<std::uint16_t>(mss)});
  }
  void pieces(const Bytes& frame,
              std::uint8_t cmd,
              std::uint8_t last_cmd,
              std::uint8_t popts,
              std::uint16_t special) {
    for (std::size_t at = 0; at < frame.size();) {
      const std::size_t most = frame.size() > 5000 ? 4096 : 700;
      const std::size_t part =
          std::min<std::size_t>(frame.size() - at, 1 + random_(static_cast<std::uint32_t>(most)) +
                                                       (frame.size() > 5000 ? 1000 : 0));
      const bool last = at + part == frame.size();
      driver_.put_data(place(std::span{frame}.subspan(at, part)), static_cast<std::uint32_t>(part),
                       static_cast<std::uint8_t>(cmd | (last ? D::EOP | D::RS | last_cmd : 0)),
                       at == 0 ? popts : 0, last ? special : 0);
      at += part;
    }
  }

  D& driver_;
  Random& random_;
  std::size_t at_ = 0;
};

void move_to_another_card(OneCard& from) {
  from.card->pause();
  auto state = from.card->state();
  const auto bytes = state::save(state);
  from.card.reset();
  from.card = make_card(from.guest, from.net);
  from.card->pause();
  e1000::CardState loaded;
  BOOST_REQUIRE(state::load(bytes, loaded));
  BOOST_REQUIRE(from.card->restore(loaded));
  from.card->resume();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_traffic)

BOOST_AUTO_TEST_CASE(whatever_is_sent_comes_out_as_meant) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    OneCard m;
    Random random{seed};
    m.driver.open_tx(512);
    m.driver.set(D::CTRL, D::CTRL_VME);
    m.driver.set(D::VET, 0x8100);
    Sender sender{m.driver, random};
    std::vector<Bytes> wanted;
    std::vector<Bytes> got;
    for (unsigned round = 0; round < 60; ++round) {
      m.guest.set_auto_work(random.one_in(2));
      for (std::uint32_t i = random(4); i != 0; --i) {
        const auto more = sender.put();
        wanted.insert(wanted.end(), more.begin(), more.end());
        if (random.one_in(2)) {
          m.driver.ring_doorbell();
        }
      }
      m.driver.ring_doorbell();
      if (random.one_in(3)) {
        m.net.room = random(5);
      }
      for (std::uint32_t i = random(20); i != 0; --i) {
        (void)m.guest.work().run_one();
      }
      if (random.one_in(6)) {
        move_to_another_card(m);
      }
      // At the end of a round all of it has to be out: the buffers are used again.
      m.net.make_room(100000);
      m.guest.run_work();
      BOOST_TEST(m.driver.get(D::TDH) == m.driver.get(D::TDT));
      for (const auto& sent : m.net.sent) {
        const auto made = as_the_kernel_would(sent.bytes, sent.offload);
        got.insert(got.end(), made.begin(), made.end());
      }
      m.net.sent.clear();
    }
    BOOST_REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      pad(got[i]);
      BOOST_REQUIRE(same(got[i], wanted[i]));
    }
    BOOST_TEST(m.card->chip().counters().tx_dropped == 0U);
  }
}

namespace {

/// A host that sends all kinds of frames to a guest that has set its card up in some way, and what
/// the guest is to find.
class Arrivals {
 public:
  explicit Arrivals(std::uint32_t seed) : random_{seed}, flow_{} {
    constexpr std::array<std::uint32_t, 5> kSizes{256, 512, 1024, 2048, 4096};
    crc_ = random_.one_in(3);
    strip_ = random_.one_in(2);
    jumbo_ = random_.one_in(3);
    m.driver.set(D::CTRL, strip_ ? D::CTRL_VME : 0);
    m.driver.set(D::VET, 0x8100);
    m.driver.set(D::RXCSUM, 0x700);
    m.driver.open_rx(seed % 2 == 0 ? 64 : 256,
                     (crc_ ? 0 : D::RCTL_SECRC) | (jumbo_ ? D::RCTL_LPE : 0),
                     kSizes.at(random_(5)));
    flow_ = random_.flow();
  }

  void round(unsigned number) {
    if (random_.one_in(6)) {
      change_flow();
    }
    send(number);
    if (random_.one_in(3)) {
      return;  // let some gather
    }
    m.guest.run_work();
    if (random_.one_in(8)) {
      m.driver.set(D::RCTL, m.driver.get(D::RCTL) ^ D::RCTL_MPE);
    }
    while (!wanted_.empty()) {
      const auto got = m.driver.take();
      if (got.bytes.empty()) {
        break;
      }
      BOOST_REQUIRE(same(got.bytes, wanted_.front().first));
      BOOST_TEST(got.last.special == wanted_.front().second);
      wanted_.pop_front();
    }
  }
  void take_the_rest() {
    while (!wanted_.empty()) {
      m.guest.run_work();
      const auto got = m.driver.take();
      BOOST_REQUIRE(same(got.bytes, wanted_.front().first));
      wanted_.pop_front();
    }
    BOOST_TEST(m.driver.take().bytes.empty());
    BOOST_TEST(m.card->chip().counters().rx_dropped == 0U);
  }

  OneCard m;

 private:
  void change_flow() {
    flow_ = random_.flow();
    mss_ = 100 + random_(jumbo_ ? 8000 : 1300);
    if (random_.one_in(3)) {
      flow_.tag = static_cast<std::uint16_t>(1 + random_(65535));
    }
  }
  void send(unsigned number) {
    Flow bare = flow_;
    bare.tag.reset();
    const bool longer = !flow_.udp && random_.one_in(2);
    const Bytes payload = payload_of(random_(longer ? 60000 : 1380) + (longer ? 1 : 0), number);
    NetOffload offload;
    offload.checksum_start = static_cast<std::uint16_t>(flow_.l4());
    offload.checksum_offset = static_cast<std::uint16_t>(flow_.checksum() - flow_.l4());
    if (longer) {
      offload.needs_checksum = true;
      offload.gso = flow_.v6 ? Gso::tcp6 : Gso::tcp4;
      offload.segment_size = static_cast<std::uint16_t>(mss_);
      m.net.arrive(unfinished(flow_, payload, true), offload);
      const auto frames = segments(flow_, payload, mss_);
      const auto stripped = segments(bare, payload, mss_);
      for (std::size_t i = 0; i < frames.size(); ++i) {
        expect(frames[i], stripped[i]);
      }
    } else {
      offload.needs_checksum = random_.one_in(2);
      m.net.arrive(
          offload.needs_checksum ? unfinished(flow_, payload, true) : packet(flow_, payload),
          offload);
      expect(packet(flow_, payload), packet(bare, payload));
    }
  }
  void expect(const Bytes& frame, const Bytes& stripped) {
    const bool without_tag = strip_ && flow_.tag;
    Bytes out = without_tag ? stripped : frame;
    pad(out, without_tag ? 4 : 0);
    if (crc_) {
      out.resize(out.size() + 4);
    }
    wanted_.emplace_back(std::move(out), strip_ ? flow_.tag.value_or(0) : std::uint16_t{0});
  }

  Random random_;
  bool crc_ = false;
  bool strip_ = false;
  bool jumbo_ = false;
  Flow flow_;
  std::size_t mss_ = 1000;
  std::deque<std::pair<Bytes, std::uint16_t>> wanted_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(whatever_arrives_lands_whole_and_in_order) {
  std::uint64_t moved = 0;
  for (std::uint32_t seed = 1; seed <= 16; ++seed) {
    Arrivals arrivals{seed};
    for (unsigned round = 0; round < 150; ++round) {
      arrivals.round(round);
    }
    arrivals.take_the_rest();
    moved += arrivals.m.card->chip().counters().rx_moved;
  }
  BOOST_TEST_MESSAGE("copied through the private buffer: " << moved);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
