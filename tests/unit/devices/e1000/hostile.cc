// SPDX-License-Identifier: MIT
// Guests that mean harm: every case has run away, overflowed or aborted in some other emulator.
#include "tests/unit/devices/e1000/hostile_rig.h"
#include "tests/unit/devices/e1000/packets.h"

#include <array>
#include <cstring>
#include <functional>

namespace dm::test {

using D = E1000Driver;

namespace {

constexpr D::Context kGood{.ipcss = 14,
                           .ipcso = 24,
                           .ipcse = 33,
                           .tucss = 34,
                           .tucso = 50,
                           .tucse = 0,
                           .paylen = 3000,
                           .tucmd = D::TU_TCP | D::TU_IP | D::TU_TSE,
                           .hdrlen = 54,
                           .mss = 1000};

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_hostile)

// Sections 3.2.6 and 3.4: head and tail are descriptors of the ring. One that is not is kept as it
// was written, and nothing is fetched, moved or reported. The tail of a ring may be its size, which
// some drivers write.
BOOST_FIXTURE_TEST_CASE(rings_whose_numbers_make_no_sense_stand_still, Hostile) {
  arrive(frame_to_us(100));
  while (!driver.take().bytes.empty()) {
  }
  const auto counts = [this] {
    const auto& c = card->chip().counters();
    return std::array{c.tx_parts, c.tx_dropped, c.rx_filtered, c.rx_dropped, c.master_aborts};
  };
  unsigned stood = 0;
  for (const std::uint32_t length : {0U, 0x80U, 0x1000U, 0xfff80U}) {
    const std::uint32_t size = length / 16;
    for (const std::uint32_t head : {0U, 7U, 8U, 0xffffU}) {
      for (const std::uint32_t tail : {0U, 8U, 9U, 0xfff8U, 0xffffU}) {
        BOOST_TEST_CONTEXT(size << " descriptors, head " << head << ", tail " << tail) {
          const bool moves = head < size && tail <= size;
          driver.set(D::TDH, head);
          driver.set(D::TDT, tail);
          driver.set(D::RDH, head);
          driver.set(D::RDT, tail);
          net.make_room(1000);
          const std::size_t sent = net.sent.size();
          const std::size_t waiting = net.waiting();
          const auto counted = counts();
          (void)driver.get(D::ICR);
          if (!moves) {
            ++stood;
            driver.set(D::TDLEN, length);
            driver.set(D::TDT, tail);
            BOOST_TEST(net.sent.size() == sent);
            BOOST_TEST(driver.get(D::TDH) == head);
            BOOST_TEST(driver.get(D::TDT) == tail);
            driver.set(D::RDLEN, length);
            driver.set(D::RDT, tail);
            arrive(frame_to_us(100));
            BOOST_TEST(net.waiting() == waiting + 1);
            BOOST_TEST(driver.get(D::RDH) == head);
            BOOST_TEST(driver.get(D::RDT) == tail);
            BOOST_TEST(driver.get(D::ICR) == 0U);
            BOOST_TEST((guest.config_read(kBdf, 0x06, 2) & 0x2000U) == 0U);
            BOOST_TEST((counts() == counted));
          }
          BOOST_TEST(guest.work().empty());
          driver.set(D::TDLEN, 0);
          driver.set(D::RDLEN, 0);
        }
      }
    }
  }
  BOOST_TEST(stood == 55U);
  alive();
}

BOOST_FIXTURE_TEST_CASE(rings_outside_of_ram_stop_and_show_a_master_abort, Hostile) {
  driver.set(D::TDBAL, D::kBar0);  // its own registers
  driver.set(D::TDT, 5);
  driver.set(D::RDBAL, D::kBar0 + 0x3000);
  arrive(frame_to_us(100));
  driver.set(D::TDBAH, 0xffffffff);
  driver.set(D::TDBAL, 0xfffffff0);
  driver.set(D::TDT, 60);
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(driver.get(D::TDH) == 0U);
  BOOST_TEST(driver.get(D::RDH) == 0U);
  BOOST_TEST((guest.config_read(kBdf, 0x06, 2) & 0x2000U) != 0U);
  guest.config_write(kBdf, 0x06, 2, 0x2000);
  BOOST_TEST((guest.config_read(kBdf, 0x06, 2) & 0x2000U) == 0U);
  alive();
}

BOOST_FIXTURE_TEST_CASE(buffers_on_its_own_registers_are_never_reached, Hostile) {
  // A frame from the doorbell, and frames onto the doorbell, in loopback too.
  driver.put_legacy(D::kBar0 + D::TDT, 100, D::EOP | D::RS);
  driver.put_legacy(0xffffffffffffff00U, 65535, D::EOP | D::RS);
  driver.ring_doorbell();
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(driver.tx_status(0) == D::DD);
  BOOST_TEST(driver.tx_status(1) == D::DD);
  for (unsigned i = 0; i < 63; ++i) {
    guest.poke(D::kRxRing + i * 16, std::uint64_t{D::kBar0} + D::TDT);
  }
  driver.set(D::RDH, 0);
  arrive(frame_to_us(100));
  BOOST_TEST(driver.rx_status(0).status == (D::DD | D::RX_EOP | D::RX_IXSM));
  Bytes doorbells(1000);
  for (std::size_t i = 14; i < doorbells.size(); ++i) {
    doorbells[i] = std::byte{3};
  }
  driver.put_memory(D::kTxBuffers, doorbells);
  std::uint32_t slot = 2;
  for (const bool by_phy : {false, true}) {  // both loopbacks: A6, CVE-2021-3416
    driver.phy(0, by_phy ? 0x4140 : 0x1140);
    driver.set(D::RCTL, D::RCTL_EN | D::RCTL_UPE | (by_phy ? 0U : D::RCTL_LBM));
    for (unsigned i = 0; i < 20; ++i) {
      driver.put_legacy(D::kTxBuffers, 1000, D::EOP | D::RS);
    }
    driver.ring_doorbell();
    slot += 20;
    BOOST_TEST(driver.get(D::TDT) == slot);
    BOOST_TEST(driver.get(D::TDH) == slot);
    BOOST_TEST(driver.get(D::RDH) == slot - 1);
  }
  BOOST_TEST(net.sent.empty());
  driver.phy(0, 0x1140);
  alive();
}

BOOST_FIXTURE_TEST_CASE(a_ring_of_null_buffers_is_used_up_and_no_more, Hostile) {
  for (unsigned i = 0; i < 64; ++i) {
    guest.poke(D::kRxRing + i * 16, std::uint64_t{0});
  }
  driver.set(D::RDH, 0);
  arrive(frame_to_us(100));
  BOOST_TEST(driver.get(D::RDH) == 63U);
  BOOST_TEST(net.waiting() == 1U);
  BOOST_TEST(!net.wanted);
  // Every other one.
  driver.open_rx(64);
  for (unsigned i = 0; i < 64; i += 2) {
    guest.poke(D::kRxRing + i * 16, std::uint64_t{0});
  }
  driver.set(D::RDH, 0);
  arrive(frame_to_us(101));
  BOOST_TEST(driver.rx_status(0).status == D::DD);
  BOOST_TEST((driver.rx_status(1).status & D::RX_EOP) != 0);
  alive();
}

BOOST_FIXTURE_TEST_CASE(no_frame_leaves_the_buffers_it_was_given, Hostile) {  // A1, XSA-41
  constexpr std::uint32_t kApart = 4096;
  constexpr std::uint32_t kCount = 256;
  const Bytes canary(kCount * kApart, std::byte{0xc5});
  for (const std::uint32_t rctl : {0U, D::RCTL_SBP, D::RCTL_LPE, D::RCTL_SBP | D::RCTL_LPE}) {
    for (const std::uint32_t room : {256U, 2048U}) {
      for (const std::size_t size : {1518U, 1519U, 1522U, 4096U, 16380U, 16381U, 60000U, 70000U}) {
        driver.open_rx(kCount, D::RCTL_SECRC | rctl, room);
        driver.put_memory(0x600000, canary);
        for (std::uint32_t i = 0; i < kCount; ++i) {
          guest.poke(D::kRxRing + i * 16, std::uint64_t{0x600000} + i * kApart);
        }
        driver.set(D::RDH, 0);
        arrive(frame_to_us(size));
        const bool fits = size <= 1518 || (rctl != 0 && size <= 16380);
        BOOST_TEST(driver.get(D::RDH) == (fits ? (size + room - 1) / room : 0));
        bool kept = true;
        for (std::uint32_t i = 0; i < kCount; ++i) {
          const std::size_t behind = 0x600000 + i * kApart + room;
          kept =
              kept && std::memcmp(guest.ram().data() + behind, canary.data(), kApart - room) == 0;
        }
        BOOST_TEST(kept);
      }
    }
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(a_packet_without_an_end_stops_growing, Hostile) {
  driver.open_tx(1024);
  for (unsigned round = 0; round < 4; ++round) {
    for (unsigned i = 0; i < 300; ++i) {
      driver.put_legacy(D::kTxBuffers, 65535, D::RS);
    }
    driver.ring_doorbell();
  }
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(driver.tx_status(100) == D::DD);  // what is thrown away is reported
  driver.put_legacy(D::kTxBuffers, 100, D::EOP | D::RS);
  driver.put_legacy(D::kTxBuffers, 100, D::EOP | D::RS);
  driver.ring_doorbell();
  BOOST_TEST(net.sent.size() == 1U);  // up to EOP it is one packet
  alive();
}

BOOST_FIXTURE_TEST_CASE(many_small_fragments_are_one_packet_up_to_a_limit, Hostile) {
  driver.open_tx(1024);
  const Bytes frame = frame_to(kOther, 1280);
  driver.put_memory(D::kTxBuffers, frame);
  for (unsigned i = 0; i < 128; ++i) {
    // Never next to each other in memory.
    driver.put_memory(0x200000 + i * 64, std::span{frame}.subspan(i * 10, 10));
    driver.put_data(0x200000 + i * 64, 10, i == 127 ? D::EOP | D::RS : 0);
  }
  driver.ring_doorbell();
  BOOST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(same(net.sent[0].bytes, frame));
  for (unsigned i = 0; i < 129; ++i) {
    driver.put_data(0x200000, 10, i == 128 ? D::EOP | D::RS : 0);
  }
  driver.ring_doorbell();
  BOOST_TEST(net.sent.size() == 1U);
  alive();
}

BOOST_FIXTURE_TEST_CASE(segmentation_requests_that_make_no_sense_are_dropped_and_reported,
                        Hostile) {
  using C = D::Context;
  const std::vector<std::function<void(C&)>> kWrongs{
      [](C& c) { c.mss = 0; },
      [](C& c) { c.mss = 65535; },
      [](C& c) { c.hdrlen = 0; },
      [](C& c) { c.hdrlen = 13; },
      [](C& c) { c.hdrlen = 33; },
      [](C& c) { c.hdrlen = 53; },
      [](C& c) { c.hdrlen = 255; },
      [](C& c) { c.ipcss = 255; },
      [](C& c) { c.ipcss = 35; },
      [](C& c) { c.ipcso = 53; },
      [](C& c) { c.ipcso = 255; },
      [](C& c) { c.tucss = 35; },
      [](C& c) { c.tucss = 255; },
      [](C& c) { c.tucso = 53; },
      [](C& c) { c.tucso = 255; },
      [](C& c) { c.ipcss = 0; },
      [](C& c) { c.tucss = 0; },
      [](C& c) {
        c.tucmd = D::TU_TCP | D::TU_TSE;  // IPv6, of which the header has not all
        c.ipcss = 15;
      },
  };
  for (const auto& wrong : kWrongs) {
    C c = kGood;
    wrong(c);
    const std::uint32_t slot = driver.tx_slot();
    segment(c, 3054);
    BOOST_TEST(net.sent.empty());
    BOOST_TEST(driver.tx_status((slot + 1) % 64) == D::DD);
    net.sent.clear();
  }
  BOOST_TEST(driver.get(0x40fc) == kWrongs.size());  // TSCTFC
  segment(kGood, 53);                                // the header longer than the packet
  segment(kGood, 10);
  segment(kGood, 0);
  BOOST_TEST(net.sent.empty());
  segment(kGood, 54);  // no payload at all
  BOOST_TEST(net.sent.size() == 1U);
  BOOST_TEST(net.sent[0].bytes.size() == 60U);
  alive();
}

BOOST_FIXTURE_TEST_CASE(checksum_offsets_outside_of_the_packet_ask_for_nothing, Hostile) {
  const Bytes frame = frame_to(kOther, 60);
  driver.put_memory(D::kTxBuffers, frame);
  for (const unsigned css : {0U, 13U, 59U, 60U, 255U}) {
    for (const unsigned cso : {0U, 58U, 59U, 60U, 254U, 255U}) {
      for (const unsigned cse : {0U, 1U, 59U, 65535U}) {
        net.sent.clear();
        driver.put_context({.ipcss = static_cast<std::uint8_t>(css),
                            .ipcso = static_cast<std::uint8_t>(cso),
                            .ipcse = static_cast<std::uint16_t>(cse),
                            .tucss = static_cast<std::uint8_t>(css),
                            .tucso = static_cast<std::uint8_t>(cso),
                            .tucse = static_cast<std::uint16_t>(cse),
                            .paylen = 0xfffff,
                            .tucmd = 0,
                            .hdrlen = 255,
                            .mss = 0});
        driver.put_data(D::kTxBuffers, 60, D::EOP | D::RS, D::TXSM | D::IXSM);
        driver.put_legacy(D::kTxBuffers, 60, D::EOP | D::RS | D::IC, static_cast<std::uint8_t>(cso),
                          static_cast<std::uint8_t>(css));
        driver.ring_doorbell();
        BOOST_REQUIRE(net.sent.size() == 2U);
        for (const auto& sent : net.sent) {
          BOOST_TEST(sent.bytes.size() == 60U);
          const auto& o = sent.offload;
          BOOST_TEST((!o.needs_checksum || o.checksum_start + o.checksum_offset + 2 <= 60));
        }
      }
    }
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(tiny_and_huge_frames_are_dropped_with_or_without_a_tag, Hostile) {
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  for (const std::uint32_t size : {0U, 1U, 4U, 12U, 13U, 16377U, 65535U}) {
    driver.put_legacy(D::kTxBuffers, size, D::EOP | D::RS | D::VLE);
    driver.put_legacy(D::kTxBuffers, size, D::EOP);  // no IFCS
    driver.put_data(D::kTxBuffers, size, D::EOP | D::RS | D::VLE, 3);
  }
  driver.put_data(D::kTxBuffers, 0xfffff, D::EOP | D::RS);
  driver.ring_doorbell();
  BOOST_TEST(net.sent.empty());
  driver.put_legacy(D::kTxBuffers, 14, D::EOP | D::RS | D::VLE);
  driver.put_legacy(D::kTxBuffers, 16376, D::EOP | D::RS | D::VLE);
  driver.ring_doorbell();
  BOOST_TEST(net.sent.size() == 2U);
  alive();
}

BOOST_FIXTURE_TEST_CASE(descriptor_types_mix_and_reserved_ones_pass, Hostile) {
  driver.put_memory(D::kTxBuffers, frame_to(kOther, 300));
  driver.put_legacy(D::kTxBuffers, 100, D::RS);
  driver.put_data(D::kTxBuffers + 100, 100, D::RS | D::TSE, 3);
  for (std::uint64_t type = 2; type < 16; ++type) {
    driver.put_tx(D::kTxBuffers,
                  100 | type << 20U | std::uint64_t{D::DEXT | D::EOP | D::RS} << 24U);
  }
  driver.put_legacy(D::kTxBuffers + 200, 100, D::EOP | D::RS | D::IC, 50, 34);
  driver.ring_doorbell();
  BOOST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(net.sent[0].bytes.size() == 300U);
  for (std::uint32_t i = 0; i < 17; ++i) {
    BOOST_TEST(driver.tx_status(i) == D::DD);
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(short_frames_that_claim_a_tag_are_looked_at_no_further_than_they_go,
                        Hostile) {
  driver.set(D::VET, 0x8100);
  driver.set(D::CTRL, D::CTRL_VME);
  for (const std::uint32_t size : {256U, 2048U}) {
    driver.open_rx(64, D::RCTL_SECRC | D::RCTL_VFE, size);
    driver.set(D::VFTA, 0xffffffff);
    for (std::size_t bytes = 14; bytes < 80; ++bytes) {
      Bytes frame = frame_to(kMac, bytes, 0x8100);
      if (bytes >= 16) {
        put_be16(frame, 14, 3);
      }
      arrive(frame);
      const auto got = driver.take();
      const bool stripped = (got.last.status & D::RX_VP) != 0;
      BOOST_TEST(stripped == (bytes >= 18));
      BOOST_TEST(got.bytes.size() == std::max<std::size_t>(60, bytes) - (stripped ? 4 : 0));
    }
  }
  alive();
}

BOOST_FIXTURE_TEST_CASE(the_eeproms_clock_may_run_for_ever, Hostile) {
  driver.eecd(D::EECD_REQ | D::EECD_CS);
  driver.shift_out(6, 3);
  driver.shift_out(0x3f, 6);
  for (unsigned i = 0; i < 65; ++i) {
    BOOST_TEST(driver.shift_in() == driver.read_eeprom((0x3f + i) % 64));
  }
  driver.eecd(D::EECD_REQ);
  driver.eecd(D::EECD_REQ | D::EECD_CS);
  for (unsigned i = 0; i < 2000; ++i) {
    driver.shift_out(0xffffffff, 32);
  }
  alive();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
