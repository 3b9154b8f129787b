// SPDX-License-Identifier: MIT
// Harm by timing: storms, resets and unplugs at every moment, memory that changes under the card.
#include "tests/unit/devices/e1000/hostile_rig.h"
#include "tests/unit/devices/e1000/packets.h"

#include <functional>
#include <random>

namespace dm::test {

using D = E1000Driver;

namespace {

/// Lets a test in between two looks at descriptors: what another processor of the guest may do.
class MeddlingNet final : public NetBackend {
 public:
  std::function<void()> meddle = [] {};
  std::vector<std::size_t> sizes;
  NetClient* client = nullptr;
  Bytes next;
  NetOffload next_offload;

  void attach(NetClient* who) noexcept override { client = who; }
  SendStatus send(const NetOffload& /*o*/,
                  std::span<const std::span<std::byte>> frame) noexcept override {
    std::size_t size = 0;
    for (const auto piece : frame) {
      size += piece.size();
    }
    sizes.push_back(size);
    meddle();
    return SendStatus::sent;
  }
  Received receive(NetOffload& o, std::span<const std::span<std::byte>> pieces) noexcept override {
    std::size_t at = 0;
    o = next_offload;
    for (const auto piece : pieces) {
      const std::size_t part = std::min(piece.size(), next.size() - at);
      std::copy_n(next.begin() + static_cast<std::ptrdiff_t>(at), part, piece.begin());
      at += part;
    }
    next.clear();
    meddle();
    return {.size = at, .truncated = false};
  }
  void want_receive(bool on) noexcept override { wanted = on; }
  void accept_offloads(bool /*c*/, bool /*g*/) noexcept override {}
  void set_promiscuous(bool /*on*/) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return true; }
  [[nodiscard]] const Counters& counters() const noexcept override { return counters_; }
  [[nodiscard]] std::string_view name() const noexcept override { return "meddling"; }
  bool wanted = false;

 private:
  Counters counters_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_hostile_moments)

BOOST_FIXTURE_TEST_CASE(a_million_doorbells_and_switches_cost_nothing_that_stays, Hostile) {
  const std::size_t wants = net.wants;
  for (unsigned i = 0; i < 20000; ++i) {
    driver.set(D::TDT, 0);
    driver.set(D::RCTL, i % 2 == 0 ? 0 : D::RCTL_EN | D::RCTL_UPE);
    driver.set(D::ICS, 0xffffffff);
    driver.set(D::IMS, i % 2 == 0 ? 0xffffffff : 0);
  }
  BOOST_TEST(net.wants - wants <= 2U);
  BOOST_TEST(!guest.timers().next_deadline().has_value());
  BOOST_TEST(guest.sim_irqs().redundant() == 0U);
  for (unsigned i = 0; i < 1000; ++i) {
    driver.phy(0, 0x1340);
  }
  BOOST_TEST((driver.phy(1) & 4U) != 0U);
  alive();
}

BOOST_FIXTURE_TEST_CASE(the_backend_hears_once_of_many_changes_of_filters, Hostile) {
  guest.set_auto_work(false);
  for (unsigned i = 0; i < 1001; ++i) {
    driver.set(D::RCTL, D::RCTL_EN | (i % 2 == 0 ? D::RCTL_UPE : 0));
    driver.set(D::RA + 8, i);
    driver.set(D::MTA, i);
  }
  guest.run_work();
  guest.set_auto_work(true);
  BOOST_TEST(net.promiscuous == std::vector<bool>{true});
  alive();
}

BOOST_FIXTURE_TEST_CASE(a_tail_that_goes_back_ends_the_pass, Hostile) {
  guest.set_auto_work(false);
  for (unsigned i = 0; i < 40; ++i) {
    driver.put_legacy(D::kTxBuffers, 60, D::EOP | D::RS);
  }
  driver.ring_doorbell();
  BOOST_TEST(guest.work().run_one());
  BOOST_TEST(guest.work().run_one());
  driver.set(D::TDT, 2);  // behind the head: a whole lap, but for what was sent
  for (unsigned i = 0; i < 200 && guest.work().run_one(); ++i) {
  }
  BOOST_TEST(driver.get(D::TDH) == 2U);
  BOOST_TEST(guest.work().empty());
  guest.set_auto_work(true);
  alive();
}

BOOST_FIXTURE_TEST_CASE(ring_registers_may_change_while_everything_is_on, Hostile) {
  for (unsigned i = 0; i < 200; ++i) {
    driver.put_legacy(D::kTxBuffers, 60, i % 3 == 0 ? D::RS : D::EOP | D::RS);
    driver.ring_doorbell();
    driver.set(i % 2 == 0 ? D::TDBAH : D::RDBAH, i % 5);
    driver.set(i % 2 == 0 ? D::TDLEN : D::RDLEN, i * 128);
    driver.set(D::RA + 15 * 8, i);
    driver.set(D::RA + 15 * 8 + 4, 0x80000000U | i);
    if (net.waiting() < 4) {
      arrive(frame_to_us(100));
    }
    BOOST_TEST(guest.work().empty());
    BOOST_TEST(e1000::validate(card->state()));
  }
  // Rings above 4 GiB are no memory; from those below nothing comes but what was put there.
  BOOST_TEST(card->chip().counters().master_aborts != 0U);
  BOOST_TEST(!net.sent.empty());
  for (const auto& frame : net.sent) {
    BOOST_TEST(frame.bytes.size() % 60 == 0U);
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(reset_at_any_moment_stops_all_dma_before_it_is_answered, Hostile) {
  const Bytes payload = payload_of(8000);
  for (unsigned units = 0; units < 12; ++units) {
    driver.open_tx(64);
    driver.open_rx(64);
    guest.set_auto_work(false);
    driver.put_legacy(D::kTxBuffers, 60, D::EOP | D::RS);
    put_long_datagram(driver, payload);
    driver.ring_doorbell();
    net.arrive(frame_to_us(100));
    net.arrive(frame_to_us(100));
    for (unsigned i = 0; i < units; ++i) {
      (void)guest.work().run_one();
    }
    driver.set(D::CTRL, D::CTRL_RST);
    const std::size_t sent = net.sent.size();
    const Bytes before{guest.ram().begin(), guest.ram().end()};
    guest.run_work();
    guest.advance(10ms);
    BOOST_TEST(net.sent.size() == sent);
    BOOST_TEST(std::equal(before.begin(), before.end(), guest.ram().begin()));
    guest.set_auto_work(true);
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(unplug_at_any_moment_leaves_nothing_behind, OneCard) {
  for (unsigned units = 0; units < 8; ++units) {
    driver.map();
    driver.open_tx(64);
    driver.open_rx(64);
    driver.set(D::RDTR, 100);
    driver.set(D::ITR, 1000);
    driver.set(D::IMS, 0xffffffff);
    guest.set_auto_work(false);
    net.room = 2;
    for (unsigned i = 0; i < 4; ++i) {
      driver.put_legacy(D::kTxBuffers, 60, D::EOP | D::RS);
    }
    driver.ring_doorbell();
    net.arrive(frame_to_us(100));
    net.arrive(frame_to_us(100));
    for (unsigned i = 0; i < units; ++i) {
      (void)guest.work().run_one();
    }
    card->unplug({.nics = true});
    card->unplug({.nics = true});
    BOOST_TEST((net.client == nullptr));
    BOOST_TEST(!net.wanted);
    BOOST_TEST(!driver.irq());
    BOOST_TEST(guest.work().empty());
    BOOST_TEST(!guest.timers().next_deadline().has_value());
    BOOST_TEST(guest.config_read(kBdf, 0, 4) == 0xffffffffU);
    BOOST_TEST(driver.get(D::STATUS) == 0xffffffffU);
    BOOST_TEST(guest.claims().mmio().empty());
    BOOST_TEST(guest.claims().errors() == 0U);
    card->resume();
    guest.run_work();
    card.reset();
    guest.set_auto_work(true);
    card = make_card(guest, net);
  }
}

BOOST_FIXTURE_TEST_CASE(without_bus_mastering_nothing_moves, Hostile) {
  guest.config_write(kBdf, 4, 2, 3);
  driver.send(frame_to(kOther, 60));
  arrive(frame_to_us(100));
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(driver.get(D::RDH) == 0U);
  guest.config_write(kBdf, 4, 2, 7);
  guest.run_work();
  BOOST_TEST(net.sent.size() == 1U);
  BOOST_TEST(driver.take().bytes.size() == 100U);
}

BOOST_AUTO_TEST_CASE(descriptors_that_change_after_they_were_read_do_not_matter) {
  rig::SimGuest guest;
  MeddlingNet net;
  const auto card = make_card(guest, net);
  D driver{guest, kBdf};
  driver.map();
  driver.open_tx(64);
  driver.open_rx(64, D::RCTL_SECRC);
  std::mt19937 random{1};
  // At every send and receive another processor fills rings and buffers with rubbish.
  net.meddle = [&] {
    for (unsigned i = 0; i < 64 * 16; i += 4) {
      guest.poke(D::kTxRing + i, static_cast<std::uint32_t>(random()));
      guest.poke(D::kRxRing + i, static_cast<std::uint32_t>(random()));
    }
    for (unsigned i = 0; i < 4096; i += 4) {
      guest.poke(D::kTxBuffers + i, static_cast<std::uint32_t>(random()));
      guest.poke(D::kRxBuffers + i, static_cast<std::uint32_t>(random()));
    }
  };
  for (unsigned i = 0; i < 20; ++i) {
    driver.put_legacy(D::kTxBuffers, 100 + i, D::EOP | D::RS);
  }
  driver.ring_doorbell();
  BOOST_REQUIRE(net.sizes.size() == 20U);
  for (unsigned i = 0; i < 20; ++i) {
    BOOST_TEST(net.sizes[i] == 100 + i);
  }
  const Flow f;
  for (unsigned round = 0; round < 200; ++round) {
    net.next = unfinished(f, payload_of(20000), true);
    net.next_offload = {.needs_checksum = true,
                        .checksum_valid = false,
                        .ecn = false,
                        .gso = Gso::tcp4,
                        .header_length = 66,
                        .segment_size = 1448,
                        .checksum_start = 34,
                        .checksum_offset = 16};
    if (net.wanted) {
      net.client->on_receivable();
    }
    guest.run_work();
    driver.set(D::RDT, static_cast<std::uint32_t>(random() % 64));
    driver.set(D::TDT, static_cast<std::uint32_t>(random() % 64));
  }
}

namespace {

/// A driver that has lost its mind, and a host that sends it what it likes.
struct Random : Hostile {
  std::uint32_t random() { return static_cast<std::uint32_t>(engine()); }
  std::uint32_t pick(std::uint32_t n) { return random() % n; }

  /// Mostly plausible ones, so that the walk gets somewhere.
  void write_descriptors() {
    for (unsigned i = 0; i < 128; ++i) {
      guest.poke(0x30000 + i * 16, pick(8) == 0 ? (std::uint64_t{random()} << 20U | random())
                                                : D::kTxBuffers + pick(0x10000));
      guest.poke(0x30000 + i * 16 + 8,
                 std::uint64_t{random()} << 32U | std::uint64_t{pick(256)} << 24U |
                     std::uint64_t{pick(3)} << 20U | pick(pick(4) == 0 ? 0x100000 : 2000));
    }
  }
  void transmit() {
    driver.set(D::TDBAL, 0x30000);
    driver.set(D::TDLEN, 0x800);
    driver.set(D::TCTL, D::TCTL_EN | D::TCTL_PSP);
    driver.set(D::TDT, pick(130));
  }
  void receive() {
    driver.set(D::RDBAL, 0x30000);
    driver.set(D::RDLEN, 0x800);
    driver.set(D::RCTL, (random() | D::RCTL_EN | D::RCTL_UPE) & ~(pick(4) != 0 ? D::RCTL_LBM : 0U));
    driver.set(D::RDT, pick(130));
  }
  void host_sends() {
    if (net.waiting() >= 8) {
      return;
    }
    NetOffload o;
    o.needs_checksum = pick(2) == 0;
    o.gso = static_cast<Gso>(pick(3));
    o.checksum_start = static_cast<std::uint16_t>(pick(4) == 0 ? random() : 34);
    o.checksum_offset = static_cast<std::uint16_t>(pick(4) == 0 ? random() : 16);
    o.segment_size = static_cast<std::uint16_t>(pick(4) == 0 ? random() : 1448);
    arrive(unfinished(Flow{}, payload_of(pick(60000)), true), o);
  }
  void set_a_register() {
    static const std::vector<std::uint32_t> kHot{
        D::CTRL, D::EECD, D::EERD,   D::MDIC, D::ICS,    D::IMS,   D::RCTL,   D::RDBAL, D::RDLEN,
        D::RDH,  D::RDT,  D::RDTR,   D::RADV, D::TCTL,   D::TDBAL, D::TDLEN,  D::TDH,   D::TDT,
        D::TIDV, D::ITR,  D::RXCSUM, D::VET,  D::TXDCTL, D::RA,    D::RA + 4, D::ICR,   D::TADV};
    driver.set(kHot[pick(static_cast<std::uint32_t>(kHot.size()))], random());
  }
  void touch_registers() {
    switch (pick(5)) {
      case 0:
        guest.mmio_write(D::kBar0 + pick(0x20000 - 8), std::uint8_t{1} << pick(4), random());
        break;
      case 1:
        (void)guest.mmio_read(D::kBar0 + pick(0x20000 - 8), std::uint8_t{1} << pick(4));
        break;
      case 2:
        transmit();
        break;
      case 3:
        receive();
        break;
      default:
        set_a_register();
        break;
    }
  }
  void do_anything() {
    switch (pick(8)) {
      case 0:
        host_sends();
        break;
      case 1:
        net.make_room(pick(20));
        guest.run_work();
        break;
      case 2:
        guest.advance(std::chrono::microseconds{pick(100)});
        break;
      default:
        touch_registers();
        break;
    }
  }

  std::mt19937 engine{20260101};
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(random_accesses_with_random_rings_stay_within_bounds, Random) {
  for (unsigned step = 0; step < 30000; ++step) {
    if (step % 64 == 0) {
      write_descriptors();
    }
    do_anything();
    net.sent.clear();
    net.offered.clear();
  }
  BOOST_TEST(e1000::validate(card->state()));
  driver.map();
  net.set_link(true);
  driver.phy(0, 0x1140);
  alive();
}

/// How long an access can take: it never waits for the host, since frames are sent and taken by
/// deferred work, in one call of each unit, and between units every vCPU is looked after.
BOOST_FIXTURE_TEST_CASE(no_access_reaches_the_host_and_a_unit_of_work_is_one_call, Random) {
  guest.set_auto_work(false);
  std::size_t sent = 0;
  std::size_t received = 0;
  for (unsigned step = 0; step < 5000; ++step) {
    if (step % 64 == 0) {
      write_descriptors();
    }
    if (pick(4) == 0 && net.waiting() < 8) {
      net.arrive(frame_to_us(60 + pick(1500)));
    }
    net.offered.clear();
    net.calls = 0;
    touch_registers();
    BOOST_REQUIRE(net.calls == 0U);
    BOOST_REQUIRE(net.offered.empty());
    for (unsigned unit = 0; unit < 300 && guest.work().run_one(); ++unit) {
      BOOST_REQUIRE(net.calls + net.offered.size() <= 1);
      BOOST_REQUIRE(net.sent.size() <= bounds::kFramesPerSend);
      net.calls = 0;
      sent += net.sent.size();
      received += net.offered.size();
      net.sent.clear();
      net.offered.clear();
    }
  }
  BOOST_TEST(sent > 100U);
  BOOST_TEST(received > 100U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
