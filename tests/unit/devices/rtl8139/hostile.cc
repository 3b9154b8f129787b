// SPDX-License-Identifier: MIT
// Guests that mean harm. The numbers are those of tests/unit/SECURITY.md.
#include "tests/unit/devices/nic/packets.h"
#include "tests/unit/devices/rtl8139/rtl8139_rig.h"

namespace dm::test {

using D = Rtl8139Driver;

namespace {

struct Hostile : OneRtl {
  Hostile() { driver.open_plus(D::RXCHK | D::RXVLAN); }
  void again() {
    driver.set8(D::CR, D::RST);
    driver.open_plus(D::RXCHK | D::RXVLAN);
    net.sent.clear();
    net.make_room(100000);
  }
  /// The card still does its work.
  void alive() {
    again();
    driver.send(frame_to(kOther, 200));
    BOOST_TEST(net.sent.size() == 1U);
    arrive(frame_to_us(300));
    BOOST_TEST(same(driver.take().value().bytes, frame_to_us(300)));
    card->pause();
    BOOST_TEST(rtl8139::validate(card->state()));
    card->resume();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rtl8139_hostile)

BOOST_FIXTURE_TEST_CASE(headers_that_lie_put_no_byte_more_on_the_wire, Hostile) {
  const Bytes good = packet({}, payload_of(100));
  for (const unsigned first : {0x40U, 0x44U, 0x4fU, 0x55U, 0x45U}) {
    for (const std::uint32_t total : {0U, 1U, 19U, 20U, 39U, 153U, 0xffffU}) {
      for (const unsigned offset : {0x00U, 0x40U, 0xf0U, 0x50U}) {
        Bytes bad = good;
        bad[14] = static_cast<std::byte>(first);
        put_be16(bad, 16, total);
        bad[34 + 12] = static_cast<std::byte>(offset);
        net.sent.clear();
        driver.send(bad, D::IPCS | D::TCPCS);
        BOOST_TEST_REQUIRE(net.sent.size() == 1U);
        BOOST_TEST(net.sent[0].bytes.size() == bad.size());
        driver.send(bad, D::LGSEN | 50U << 16U);
        for (const auto& frame : net.sent) {
          BOOST_TEST(frame.bytes.size() <= bad.size());
        }
      }
    }
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(a_ring_that_never_gives_back_ends_each_pass, Hostile) {
  // The ring of one, in the card's own registers and beyond RAM: nothing is read.
  for (const std::uint32_t where : {D::kBar1, 0xfffffff0U, 0x7fffff00U}) {
    driver.set32(D::TSAD, where);
    driver.poll();
    BOOST_TEST(guest.work().empty());
    driver.set32(D::RDSAR, where);
    arrive(frame_to_us(100));
    BOOST_TEST(guest.work().empty());
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(an_mss_of_none_or_one_is_no_flood, Hostile) {
  const Flow f{};
  driver.put_memory(D::kTxBuffers, for_segmentation(f, payload_of(60000)));
  for (const std::uint32_t mss : {0U, 1U, 58U}) {
    net.sent.clear();
    driver.put(D::kTxBuffers, 60066, D::FS | D::LS | D::LGSEN | mss << 16U);
    driver.poll();
    BOOST_TEST(net.sent.empty());
    BOOST_TEST((driver.take_causes() & D::TER) != 0U);
  }
  net.sent.clear();
  driver.put(D::kTxBuffers, 60066, D::FS | D::LS | D::LGSEN | 59U << 16U);
  driver.poll();
  BOOST_TEST(net.sent.size() == 16U);  // 64 segments each
  alive();
}

BOOST_FIXTURE_TEST_CASE(packets_without_beginning_or_end_are_thrown_away, Hostile) {
  driver.put(D::kTxBuffers, 100, D::LS);
  driver.poll();
  BOOST_TEST((driver.tx_status(0) & D::OWN) == 0U);
  driver.put(D::kTxBuffers, 100, D::FS);
  driver.put(D::kTxBuffers, 100, D::FS | D::LS);
  driver.poll();
  BOOST_TEST(net.sent.size() == 1U);
  again();
  for (unsigned i = 0; i < 64; ++i) {
    driver.put(D::kTxBuffers, 65535, i == 0 ? D::FS : 0);
  }
  driver.poll();
  BOOST_TEST(net.sent.empty());
  for (unsigned i = 0; i < 64; ++i) {
    BOOST_TEST((driver.tx_status(i) & D::OWN) == 0U);
  }
  again();
  for (unsigned i = 0; i < 64; ++i) {
    driver.put(D::kTxBuffers, 0, D::FS | D::LS);
  }
  driver.poll();
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(guest.work().empty());
  alive();
}

BOOST_FIXTURE_TEST_CASE(loopback_onto_its_own_registers_ends, Hostile) {
  driver.set32(D::TCR, 0x60000);
  driver.set32(D::RCR, D::AAP);
  for (unsigned i = 0; i < 64; ++i) {
    guest.poke(D::kRxRing + i * 16 + 8, std::uint64_t{D::kBar1} + D::TPPOLL);
  }
  for (unsigned i = 0; i < 100; ++i) {
    driver.send(frame_to(kOther, 100));
  }
  BOOST_TEST(guest.work().empty());
  BOOST_TEST(card->chip().counters().master_aborts != 0U);
  alive();
}

BOOST_FIXTURE_TEST_CASE(the_tally_dump_reaches_only_ram_and_always_ends, Hostile) {
  for (const std::uint32_t where : {D::kBar1, 0xffffffc0U, 0x00ffffc0U}) {
    driver.set32(D::TSD + 4, 0);
    driver.set32(D::TSD, where | 8U);
    BOOST_TEST((driver.get32(D::TSD) & 8U) == 0U);
  }
  guest.config_write(kBdf, 0x04, 2, 0x0003);
  guest.poke(D::kTally, std::uint64_t{77});
  driver.set32(D::TSD, static_cast<std::uint32_t>(D::kTally) | 8U);
  BOOST_TEST(guest.peek<std::uint64_t>(D::kTally) == 77U);  // no bus master
  guest.config_write(kBdf, 0x04, 2, 0x0007);
  alive();
}

BOOST_FIXTURE_TEST_CASE(a_classic_ring_anywhere_and_a_pointer_of_any_value_lead_nowhere, Hostile) {
  driver.set8(D::CR, D::RST);
  for (const std::uint32_t where : {0xfffffff0U, D::kBar1, 0x00fffff1U, 0x00800003U}) {
    for (const std::uint32_t code : {0U, 3U}) {
      for (const std::uint32_t capr : {0U, 1U, 0x1fffU, 0x8000U, 0xffffU, 0x0004U}) {
        driver.open_classic(code, (capr & 1U) != 0 ? D::WRAP : 0);
        driver.set32(D::RBSTART, where);
        driver.set16(D::CAPR, capr);
        for (unsigned i = 0; i < 12; ++i) {
          arrive(frame_to_us(1500));
        }
        driver.set32(D::RCR, (3 - code) << 11U | D::APM);  // the size under way
        arrive(frame_to_us(200));
        BOOST_TEST(guest.work().empty());
        card->pause();
        BOOST_TEST(rtl8139::validate(card->state()));
        card->resume();
        driver.set8(D::CR, D::RST);
      }
    }
  }
  while (net.waiting() != 0) {
    driver.open_plus();
    guest.run_work();
    driver.set8(D::CR, D::RST);
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(descriptors_too_short_for_a_frame_stay, Hostile) {
  for (const std::uint32_t size : {0U, 1U, 4U, 59U, 63U}) {
    guest.poke(D::kRxRing, D::OWN | size);
    arrive(frame_to_us(100));
    BOOST_TEST((guest.peek<std::uint32_t>(D::kRxRing) & D::OWN) != 0U);
  }
  BOOST_TEST(driver.get32(D::MPC) == 5U);
  driver.give_back(0);
  alive();
}

BOOST_FIXTURE_TEST_CASE(a_timer_of_the_smallest_interval_is_no_storm, Hostile) {
  driver.set32(D::TIMER, 1);
  driver.set16(D::IMR, D::TIMEOUT);
  for (unsigned i = 0; i < 100; ++i) {
    driver.set32(D::TCTR, 0);
    driver.set16(D::ISR, 0xffff);
    guest.advance(1us);
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(modes_that_change_in_the_middle_of_all_do_no_harm, Hostile) {
  const Flow f{};
  driver.put_memory(D::kTxBuffers, for_segmentation(f, payload_of(60000)));
  net.make_room(1);
  driver.put(D::kTxBuffers, 60066, D::FS | D::LS | D::LGSEN | 100U << 16U);
  driver.poll();
  BOOST_TEST(card->chip().state().tx_sent != 0U);
  driver.set16(D::CPCR, D::CPRX);
  BOOST_TEST(card->chip().state().tx_sent == 0U);
  for (unsigned i = 0; i < 4; ++i) {
    driver.send_classic(i, frame_to(kOther, 100));
  }
  driver.set32(D::TCR, 0x60000);
  driver.set16(D::CPCR, D::CPTX);
  driver.poll();
  driver.set16(D::CPCR, D::CPTX | D::CPRX);
  driver.set32(D::RCR, D::AAP);
  net.make_room(1000);
  guest.run_work();
  alive();
}

BOOST_FIXTURE_TEST_CASE(wires_of_the_eeprom_in_any_order_keep_it_whole, Hostile) {
  for (unsigned i = 0; i < 5000; ++i) {
    driver.set8(D::CFG9346, 0x80U | (i * 2654435761U >> 24U & 0x0eU));
    if (i % 500 == 0) {
      card->pause();
      BOOST_TEST(rtl8139::validate(card->state()));
      card->resume();
    }
  }
  driver.set8(D::CFG9346, 0x88);
  for (unsigned i = 0; i < 1000; ++i) {  // clocks without an end
    driver.set8(D::CFG9346, 0x8e);
    driver.set8(D::CFG9346, 0x8a);
  }
  driver.set8(D::CFG9346, 0);
  alive();
}

BOOST_FIXTURE_TEST_CASE(storms_of_doorbells_and_filters_reach_no_host, Hostile) {
  guest.set_auto_work(false);
  const std::size_t wants = net.wants;
  const std::size_t told = net.promiscuous.size();
  for (unsigned i = 0; i < 1000; ++i) {
    driver.set8(D::TPPOLL, 0x40);
    driver.set32(D::RCR, i % 2 == 0 ? D::AAP : 0);
    driver.set32(D::MAR, i);
    driver.set8(D::CR, i % 2 == 0 ? 0 : D::RE | D::TE);
    (void)driver.get16(D::ISR);
    driver.set16(D::IMR, i);
  }
  BOOST_TEST(net.wants <= wants + 1);
  BOOST_TEST(net.promiscuous.size() == told);
  BOOST_TEST(net.calls == 0U);
  guest.set_auto_work(true);
  guest.run_work();
  alive();
}

BOOST_FIXTURE_TEST_CASE(a_link_that_flaps_is_one_cause, Hostile) {
  for (unsigned i = 0; i < 100; ++i) {
    net.set_link(i % 2 != 0);
    driver.set16(D::BMCR, 0x8200);
  }
  BOOST_TEST(driver.take_causes() == D::PUN);
  alive();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
