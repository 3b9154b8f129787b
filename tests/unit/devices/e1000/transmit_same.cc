// SPDX-License-Identifier: MIT
// Whether frames go in rows or one by one is nothing that a guest or a wire can see: two cards do
// the same, one of them with a host that takes a frame in each call.
#include "core/state/describe.h"
#include "tests/unit/devices/e1000/e1000_rig.h"

#include <random>

namespace dm::test {

using D = E1000Driver;

namespace {

constexpr std::uint32_t kRing = 24;

/// What a guest and a host do, by the same numbers on each of the cards.
class Story {
 public:
  Story(std::uint32_t seed, std::size_t together) : engine_{seed} {
    card.net.together = together;
    card.driver.put_memory(D::kTxBuffers, frame_to(kOther, 0x20000));
    card.driver.open_tx(kRing);
    card.driver.open_rx();
    card.guest.set_auto_work(false);
  }
  void step() {
    switch (below(16)) {
      case 0:
        card.net.make_room(below(6));
        break;
      case 1:
        card.net.make_room(1000);
        break;
      case 2:
        card.net.refuse_at = card.net.counters().sent + below(5);
        break;
      case 3:
        toggle(D::TCTL, D::TCTL_EN);
        break;
      case 4:
        toggle(D::RCTL, D::RCTL_LBM);
        break;
      case 5:
        toggle(D::CTRL, D::CTRL_VME);
        break;
      case 6:
        card.net.set_link(below(3) != 0);
        break;
      case 7:
        disturb();
        break;
      default:
        fill();
        break;
    }
    card.guest.run_work();
  }

  OneCard card;

 private:
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(engine_() % n); }
  void toggle(std::uint32_t reg, std::uint32_t bits) {
    card.driver.set(reg, card.driver.get(reg) ^ bits);
  }
  void disturb() {
    switch (below(8)) {
      case 0:
        card.driver.set(D::CTRL, D::CTRL_RST);
        card.driver.open_tx(kRing);
        card.driver.open_rx();
        break;
      case 1:
        card.driver.set(D::TDH, card.driver.get(D::TDT));
        break;
      default:
        card.card->pause();
        card.card->resume();
        break;
    }
  }
  /// Descriptors of every kind, and the doorbell somewhere among them.
  void fill() {
    D& driver = card.driver;
    const std::uint32_t used = (driver.get(D::TDT) + kRing - driver.get(D::TDH)) % kRing;
    for (std::uint32_t free = kRing - 1 - used; free != 0 && below(8) != 0; --free) {
      put_one();
      if (below(4) == 0) {
        driver.ring_doorbell();
      }
    }
    driver.ring_doorbell();
  }
  void put_one() {
    const std::uint64_t at = below(40) == 0 ? 0x7fff'0000'0000 : D::kTxBuffers + below(0x8000);
    std::uint8_t cmd = below(3) != 0 ? D::EOP | D::IFCS : D::IFCS;
    cmd = static_cast<std::uint8_t>(cmd | (below(3) != 0 ? D::RS : 0) |
                                    (below(3) == 0 ? D::IDE : 0) | (below(4) == 0 ? D::VLE : 0));
    const std::uint32_t length = below(8) == 0 ? below(20) : below(12) == 0 ? 9000 : below(1600);
    const auto tag = static_cast<std::uint16_t>(below(65536));
    switch (below(8)) {
      case 0: {
        const auto tucss = static_cast<std::uint8_t>(30 + below(10));
        card.driver.put_context({.ipcss = 14,
                                 .ipcso = 24,
                                 .ipcse = 33,
                                 .tucss = tucss,
                                 .tucso = static_cast<std::uint8_t>(tucss + 16),
                                 .tucse = static_cast<std::uint16_t>(below(2) * below(300)),
                                 .paylen = 0,
                                 .tucmd = static_cast<std::uint8_t>(
                                     D::TU_TCP | D::TU_IP | (below(2) != 0 ? D::TU_TSE : 0)),
                                 .hdrlen = 60,
                                 .mss = static_cast<std::uint16_t>(100 + below(1000))},
                                cmd & D::RS);
        break;
      }
      case 1:
      case 2:
        card.driver.put_legacy(at, length, cmd | (below(2) != 0 ? D::IC : 0),
                               static_cast<std::uint8_t>(below(90)),
                               static_cast<std::uint8_t>(below(80)), tag);
        break;
      default:
        card.driver.put_data(at, length,
                             static_cast<std::uint8_t>(cmd | (below(5) == 0 ? D::TSE : 0)),
                             static_cast<std::uint8_t>(below(4)), tag);
        break;
    }
  }

  std::mt19937 engine_;
};

[[nodiscard]] bool same_frames(const rig::ScriptedNet& a, const rig::ScriptedNet& b) {
  const auto equal = [](const auto& x, const auto& y) {
    return x.bytes == y.bytes && x.offload.needs_checksum == y.offload.needs_checksum &&
           x.offload.checksum_start == y.offload.checksum_start &&
           x.offload.checksum_offset == y.offload.checksum_offset && x.offload.gso == y.offload.gso;
  };
  return std::equal(a.sent.begin(), a.sent.end(), b.sent.begin(), b.sent.end(), equal);
}

[[nodiscard]] auto state_of(Story& story) {
  auto state = story.card.card->state();
  return state::save(state);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_transmit_same)

BOOST_AUTO_TEST_CASE(rows_of_frames_and_single_ones_leave_the_same_wire_memory_and_card) {
  std::size_t frames = 0;
  std::size_t calls = 0;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    Story rows{seed, bounds::kFramesPerSend};
    Story single{seed, 1};
    for (int step = 0; step < 150; ++step) {
      rows.step();
      single.step();
      const auto ring = [](Story& of) {
        return of.card.guest.ram().subspan(D::kTxRing, kRing * 16);
      };
      BOOST_TEST_CONTEXT("seed " << seed << ", step " << step) {
        BOOST_REQUIRE(same_frames(rows.card.net, single.card.net));
        BOOST_REQUIRE(same(ring(rows), ring(single)));
        BOOST_REQUIRE((state_of(rows) == state_of(single)));
      }
      frames += rows.card.net.sent.size();
      calls += rows.card.net.calls;
      rows.card.net.calls = 0;
      rows.card.net.sent.clear();
      single.card.net.sent.clear();
    }
    const auto& a = rows.card.card->chip().counters();
    const auto& b = single.card.card->chip().counters();
    BOOST_TEST(a.tx_dropped == b.tx_dropped);
    BOOST_TEST(a.tx_parts == b.tx_parts);
    BOOST_TEST(a.master_aborts == b.master_aborts);
  }
  BOOST_TEST(frames > 10 * calls / 9);  // else there were no rows
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
