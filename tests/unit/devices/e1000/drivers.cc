// SPDX-License-Identifier: MIT
// What real drivers do to find out whether the card works: the register, EEPROM, interrupt,
// loopback and link tests of Linux' `ethtool -t`, and the ways of iPXE, FreeBSD and OS/2.
#include "tests/unit/devices/e1000/packets.h"

#include <functional>

namespace dm::test {

using D = E1000Driver;

namespace {

struct Tested : OneCard {
  /// Writes four patterns and wants `mask` of them back.
  void pattern(std::uint32_t reg, std::uint32_t mask, std::uint32_t write) {
    for (const std::uint32_t p : {0x5a5a5a5aU, 0xa5a5a5a5U, 0U, 0xffffffffU}) {
      driver.set(reg, write & p);
      BOOST_TEST(driver.get(reg) == (write & p & mask), "register " << reg << ", pattern " << p);
    }
  }
  void set_and_check(std::uint32_t reg, std::uint32_t mask, std::uint32_t write) {
    driver.set(reg, write & mask);
    BOOST_TEST((driver.get(reg) & mask) == (write & mask));
  }
  void reset() {
    driver.set_indirect(D::CTRL, driver.get(D::CTRL) | D::CTRL_RST);
    guest.advance(5ms);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_drivers)

BOOST_FIXTURE_TEST_CASE(ethtools_register_test_passes, Tested) {
  reset();
  constexpr std::uint32_t kToggle = 0xfffff833;
  const std::uint32_t before = driver.get(D::STATUS);
  driver.set(D::STATUS, kToggle);
  BOOST_TEST((driver.get(D::STATUS) & kToggle) == (before & kToggle));
  driver.set(D::STATUS, before);
  constexpr std::uint32_t kAll = 0xffffffff;
  pattern(D::FCAL, kAll, kAll);
  pattern(D::FCAH, 0x0000ffff, kAll);
  pattern(D::FCT, 0x0000ffff, kAll);
  pattern(D::VET, 0x0000ffff, kAll);
  pattern(D::RDTR, 0x0000ffff, kAll);
  pattern(D::RDBAH, kAll, kAll);
  pattern(D::RDLEN, 0x000fff80, 0x000fffff);
  pattern(D::RDH, 0x0000ffff, 0x0000ffff);
  pattern(D::RDT, 0x0000ffff, 0x0000ffff);
  pattern(D::FCRTH, 0x0000fff8, 0x0000fff8);
  pattern(D::FCTTV, 0x0000ffff, 0x0000ffff);
  pattern(D::TIPG, 0x3fffffff, 0x3fffffff);
  pattern(D::TDBAH, kAll, kAll);
  pattern(D::TDLEN, 0x000fff80, 0x000fffff);
  set_and_check(D::RCTL, kAll, 0);
  set_and_check(D::RCTL, 0x06dfb3fe, 0x003ffffb);
  set_and_check(D::TCTL, kAll, 0);
  set_and_check(D::RCTL, 0x06dfb3fe, kAll);
  pattern(D::RDBAL, 0xfffffff0, kAll);
  pattern(D::TXCW, 0xc000ffff, 0x0000ffff);
  pattern(D::TDBAL, 0xfffffff0, kAll);
  pattern(D::TIDV, 0x0000ffff, 0x0000ffff);
  for (std::uint32_t i = 0; i < 16; ++i) {
    pattern(D::RA + i * 8 + 4, 0x8003ffff, kAll);
  }
  for (std::uint32_t i = 0; i < 128; ++i) {
    pattern(D::MTA + i * 4, kAll, kAll);
  }
  reset();
  BOOST_TEST(driver.get(D::RA + 4) == 0x80005634U);
}

BOOST_FIXTURE_TEST_CASE(ethtools_interrupt_test_passes, Tested) {
  driver.set(D::IMC, 0xffffffff);
  std::uint32_t seen = 0;
  const auto wait = [&] {
    (void)driver.get(D::STATUS);
    guest.advance(10ms);
    if (driver.irq()) {
      seen |= driver.get(D::ICR);
    }
  };
  wait();
  for (unsigned i = 0; i < 10; ++i) {
    const std::uint32_t mask = 1U << i;
    seen = 0;
    driver.set(D::IMC, mask);
    driver.set(D::ICS, mask);
    wait();
    BOOST_TEST((seen & mask) == 0U, "masked cause " << i);
    seen = 0;
    driver.set(D::IMS, mask);
    driver.set(D::ICS, mask);
    wait();
    BOOST_TEST((seen & mask) != 0U, "cause " << i);
    seen = 0;
    driver.set(D::IMC, ~mask & 0x7fffU);
    driver.set(D::ICS, ~mask & 0x7fffU);
    wait();
    BOOST_TEST(seen == 0U, "other causes than " << i);
  }
}

BOOST_FIXTURE_TEST_CASE(ethtools_loopback_test_passes, Tested) {
  reset();
  constexpr std::uint32_t kCount = 256;
  driver.open_tx(kCount);
  Bytes frame(1024, std::byte{0xff});
  std::fill_n(frame.begin() + 512, 511, std::byte{0xaa});
  frame[522] = std::byte{0xbe};
  frame[524] = std::byte{0xaf};
  driver.open_rx(kCount, D::RCTL_BAM);
  // The PHY into loopback, as e1000_integrated_phy_loopback does it.
  driver.phy(16, 0x0808);
  driver.phy(0, 0x9140);
  driver.phy(0, 0x8140);
  driver.phy(0, 0x4140);
  driver.set(D::CTRL, (driver.get(D::CTRL) & ~0x300U) | 0x800U | 0x1000U | 0x200U | 0x80U | 1U);
  driver.phy(29, 0x001f);
  driver.phy(30, 0x8ffc);
  driver.phy(29, 0x001a);
  driver.phy(30, 0x8ff0);
  driver.put_memory(D::kTxBuffers, frame);
  for (unsigned round = 0; round < 10; ++round) {
    for (unsigned i = 0; i < 64; ++i) {
      driver.put_legacy(D::kTxBuffers, 1024, D::EOP | D::IFCS | 0x10);
    }
    driver.ring_doorbell();
    // The test does not give buffers back: after 255 frames it looks at the old ones.
    for (unsigned i = 0; i < 64; ++i) {
      const auto at =
          guest.ram().subspan(D::kRxBuffers + std::size_t{(round * 64 + i) % kCount} * 2048, 1024);
      if (round * 64 + i < kCount - 1) {
        BOOST_TEST(same(at, frame));
      }
    }
  }
  BOOST_TEST(driver.get(D::RDH) == kCount - 1);
  BOOST_TEST(net.sent.empty());
  BOOST_TEST((driver.get(D::ICR) & D::RXO) != 0U);
  driver.phy(0, static_cast<std::uint16_t>(driver.phy(0) & ~0x4000U));
  driver.phy(0, static_cast<std::uint16_t>(driver.phy(0) | 0x8000U));
  BOOST_TEST((driver.get(D::STATUS) & D::STATUS_LU) != 0U);  // and the link test
}

BOOST_FIXTURE_TEST_CASE(loopback_by_rctl_keeps_the_world_out_and_segments_too, Tested) {
  driver.open_tx(256);
  driver.open_rx(128, D::RCTL_SECRC | D::RCTL_LBM);
  const Flow f;
  const Bytes payload = payload_of(20000);
  driver.put_memory(D::kTxBuffers, for_segmentation(f, payload));
  driver.put_context({.ipcss = 14,
                      .ipcso = 24,
                      .ipcse = 33,
                      .tucss = 34,
                      .tucso = 50,
                      .tucse = 0,
                      .paylen = 20000,
                      .tucmd = D::TU_TCP | D::TU_IP | D::TU_TSE,
                      .hdrlen = 66,
                      .mss = 1448});
  driver.put_data(D::kTxBuffers, 20066, D::EOP | D::RS | D::TSE, D::TXSM | D::IXSM);
  driver.ring_doorbell();
  arrive(frame_to_us(100));
  for (const auto& wanted : segments(f, payload, 1448)) {
    BOOST_TEST(same(driver.take().bytes, wanted));
  }
  BOOST_TEST(driver.take().bytes.empty());
  driver.put_memory(D::kTxBuffers, unfinished(f, payload_of(99), true));
  driver.put_legacy(D::kTxBuffers, 165, D::EOP | D::RS | D::IC, 50, 34);
  driver.ring_doorbell();
  BOOST_TEST(same(driver.take().bytes, packet(f, payload_of(99))));
  BOOST_TEST(net.sent.empty());
  driver.set(D::RCTL, D::RCTL_EN | D::RCTL_SECRC);
  guest.run_work();
  BOOST_TEST(driver.take().bytes.size() == 100U);  // the host kept it
}

BOOST_FIXTURE_TEST_CASE(ipxe_finds_its_way, Tested) {
  // intel_probe: address from RAL0/RAH0; failing that, EERD decides the layout.
  driver.set(D::CTRL, D::CTRL_RST);
  guest.advance(20ms);
  BOOST_TEST((driver.get(D::STATUS) & D::STATUS_LU) != 0U);
  BOOST_TEST(driver.get(D::RA) == 0x123e1600U);
  driver.set(D::EERD, 1);
  BOOST_TEST((driver.get(D::EERD) & 0x02U) == 0U);
  BOOST_TEST((driver.get(D::EERD) & 0x10U) != 0U);
  // intel_open: rings of 16, and their enable bits polled.
  for (const std::uint32_t dctl : {D::TXDCTL, D::RXDCTL}) {
    driver.set(dctl, 0);
    BOOST_TEST((driver.get(dctl) & 1U << 25U) == 0U);
    driver.set(dctl, 1U << 25U);
    BOOST_TEST((driver.get(dctl) & 1U << 25U) != 0U);
  }
  driver.open_tx(16);
  driver.open_rx(16, D::RCTL_UPE | D::RCTL_MPE | D::RCTL_BAM | D::RCTL_SECRC);
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_SLU);
  (void)driver.get(D::ICR);
  for (unsigned i = 0; i < 100; ++i) {
    driver.send(frame_to(kOther, 60 + i));
    arrive(frame_to(kOther, 70 + i));
    // intel_poll: nothing happens without a cause in ICR.
    const std::uint32_t icr = driver.get(D::ICR);
    BOOST_TEST((icr & D::TXDW) != 0U);
    BOOST_TEST((icr & (D::RXT0 | D::RXO)) != 0U);
    BOOST_TEST(driver.take().bytes.size() == 70 + i);
  }
  BOOST_TEST(net.sent.size() == 100U);
  BOOST_TEST(!driver.irq());
}

BOOST_FIXTURE_TEST_CASE(freebsd_resets_reads_the_eeprom_and_the_phy_strictly, Tested) {
  driver.set(D::IMC, 0xffffffff);
  driver.set(D::RCTL, 0);
  driver.set(D::TCTL, D::TCTL_PSP);
  driver.set_indirect(D::CTRL, driver.get(D::CTRL) | D::CTRL_RST);
  guest.advance(5ms);
  driver.set(D::MANC, driver.get(D::MANC) & ~0x2000U);
  BOOST_TEST((driver.get(D::MANC) & 0x2001U) == 0U);
  std::uint16_t sum = 0;
  for (unsigned i = 0; i < 64; ++i) {
    sum = static_cast<std::uint16_t>(sum + driver.read_eeprom_by_wire(i));
  }
  BOOST_TEST(sum == 0xbaba);
  BOOST_TEST((driver.phy(2) == 0x0141));
  BOOST_TEST((driver.phy(3) & 0xfff0U) == 0x0c20U);
  driver.set(D::VET, 0);
  driver.set(D::VET, 0x8100);
  for (std::uint32_t i = 0; i < 128; ++i) {
    driver.set(D::VFTA + i * 4, 0);
    (void)driver.get(D::STATUS);
  }
  for (std::uint32_t reg = 0x4000; reg <= 0x40fc; reg += 4) {
    BOOST_TEST(driver.get(reg) == 0U);
  }
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_PHY_RST);
  BOOST_TEST((driver.get(D::CTRL) & D::CTRL_PHY_RST) == 0U);
  BOOST_TEST(driver.phy(0) == 0x1140);
}

BOOST_FIXTURE_TEST_CASE(a_tail_of_the_rings_size_gives_every_descriptor_once, Tested) {
  driver.open_rx(8);
  driver.set(D::RDT, 0);
  driver.set(D::RDH, 0);
  driver.set(D::RDT, 8);
  for (unsigned i = 0; i < 12; ++i) {
    arrive(frame_to_us(100 + i));
  }
  BOOST_TEST(net.waiting() == 4U);
  for (unsigned i = 0; i < 8; ++i) {
    BOOST_TEST(driver.take(false).bytes.size() == 100 + i);
  }
}

BOOST_FIXTURE_TEST_CASE(registers_of_the_82542_are_where_they_were, Tested) {
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> kAliases{
      {0x0040, D::RA},    {0x0044, D::RA + 4}, {0x0108, D::RDTR},  {0x0110, D::RDBAL},
      {0x0114, D::RDBAH}, {0x0118, D::RDLEN},  {0x0120, D::RDH},   {0x0128, D::RDT},
      {0x0160, D::FCRTH}, {0x0200, D::MTA},    {0x0420, D::TDBAL}, {0x0424, D::TDBAH},
      {0x0428, D::TDLEN}, {0x0430, D::TDH},    {0x0438, D::TDT},   {0x0440, D::TIDV},
      {0x03fc, 0x53fc},   {0x0600, D::VFTA},   {0x00bc, 0x547c},   {0x07fc, 0x57fc}};
  for (const auto& [old, now] : kAliases) {
    driver.set(old, 0x80);
    BOOST_TEST(driver.get(now) == 0x80U);
    driver.set(now, 0);
    BOOST_TEST(driver.get(old) == 0U);
  }
  driver.set(0x0004, D::CTRL_SLU | D::CTRL_VME);
  BOOST_TEST(driver.get(D::CTRL) == (D::CTRL_SLU | D::CTRL_VME));
}

BOOST_FIXTURE_TEST_CASE(other_widths_than_four_bytes, Tested) {
  driver.set(D::MTA, 0x44332211);
  driver.set(D::MTA + 4, 0x88776655);
  const std::uint32_t mta = D::kBar0 + D::MTA;
  BOOST_TEST(guest.mmio_read(mta + 1, 1) == 0x22U);
  BOOST_TEST(guest.mmio_read(mta + 2, 2) == 0x4433U);
  BOOST_TEST(guest.mmio_read(mta, 8) == 0x8877665544332211U);
  guest.mmio_write(mta + 3, 1, 0xaa);
  guest.mmio_write(mta, 2, 0xbbcc);
  BOOST_TEST(driver.get(D::MTA) == 0xaa33bbccU);
  guest.mmio_write(mta, 8, 0x0102030405060708U);
  BOOST_TEST(driver.get(D::MTA) == 0x05060708U);
  BOOST_TEST(driver.get(D::MTA + 4) == 0x01020304U);
  // Registers that act are written whole.
  guest.mmio_write(D::kBar0 + D::ICS, 1, 0x04);
  guest.mmio_write(D::kBar0 + D::CTRL + 3, 1, 0x04);
  BOOST_TEST(driver.get(D::ICR) == 0U);
  BOOST_TEST(driver.get(D::MTA) == 0x05060708U);
  driver.set(D::ICS, 0x00000304);
  BOOST_TEST(guest.mmio_read(D::kBar0 + D::ICR + 1, 1) == 0x03U);
  BOOST_TEST(driver.get(D::ICR) == 0U);
}

BOOST_FIXTURE_TEST_CASE(what_is_not_there_reads_zero_and_is_counted, Tested) {
  for (const std::uint32_t reg : {0x0100cU, 0x5ffcU, 0x6000U, 0x7ffcU, 0x8020U, 0xfffcU}) {
    BOOST_TEST(driver.get(reg) == 0U);
    driver.set(reg, 0xffffffff);
    BOOST_TEST(driver.get(reg) == 0U);
  }
  BOOST_TEST(card->chip().counters().unknown_accesses == 18U);
  for (const std::uint32_t reg : {0x8000U, 0x8018U, 0x9000U, 0x9ffcU, 0x10000U, 0x1fffcU}) {
    driver.set(reg, 0xffffffff);
    BOOST_TEST(driver.get(reg) == 0U);
  }
  BOOST_TEST(card->chip().counters().unknown_accesses == 18U);
  // The window: beyond the registers nothing, and dwords only.
  for (const std::uint32_t reg : {0x20000U, 0x80000U, 0xffffffffU}) {
    BOOST_TEST(driver.get_indirect(reg) == 0U);
    driver.set_indirect(reg, 0xffffffff);
  }
  guest.outl(D::kBar1, D::MTA);
  guest.outb(D::kBar1 + 4, 0xff);
  guest.outl(D::kBar1 + 8, 0xff);
  BOOST_TEST(guest.inl(D::kBar1 + 8) == 0U);
  BOOST_TEST(guest.inl(D::kBar1) == D::MTA);
  BOOST_TEST(driver.get(D::MTA) == 0U);
  driver.set_indirect(D::MTA, 0x11223344);
  BOOST_TEST(driver.get(D::MTA) == 0x11223344U);
}

BOOST_FIXTURE_TEST_CASE(counters_stick_at_the_top, Tested) {
  auto state = card->state();
  state.file.word[0x4080 / 4] = 0xffffffff;
  state.file.word[0x4090 / 4] = 0xffffffff;
  state.file.word[0x4094 / 4] = 0xffffffff;
  state.file.word[0x40d8 / 4] = 0xfffffffe;
  card->pause();
  BOOST_TEST(card->restore(state));
  card->resume();
  driver.open_tx();
  driver.send(frame_to(kOther, 60));
  driver.send(frame_to(kOther, 60));
  BOOST_TEST(driver.get(0x4080) == 0xffffffffU);
  BOOST_TEST(driver.get(0x4090) == 0xffffffffU);
  BOOST_TEST(driver.get(0x4094) == 0xffffffffU);
  BOOST_TEST(driver.get(0x40d8) == 0xffffffffU);
}

BOOST_FIXTURE_TEST_CASE(software_may_write_the_eeprom_once_it_has_enabled_that, Tested) {
  const auto begin = [&] {
    driver.eecd(D::EECD_REQ);
    driver.eecd(D::EECD_REQ | D::EECD_CS);
  };
  const auto write = [&] {
    begin();
    driver.shift_out(5, 3);
    driver.shift_out(0x20, 6);
    driver.shift_out(0xcafe, 16);
    begin();
    BOOST_TEST((driver.get(D::EECD) & D::EECD_DO) != 0U);  // ready
  };
  const std::uint16_t before = driver.read_eeprom(0x20);
  write();
  BOOST_TEST(driver.read_eeprom(0x20) == before);
  begin();
  driver.shift_out(0x13, 5);  // EWEN
  driver.shift_out(0, 4);
  write();
  BOOST_TEST(driver.read_eeprom(0x20) == 0xcafe);
  begin();
  driver.shift_out(0x10, 5);  // EWDS
  driver.shift_out(0, 4);
  // Reading on goes to the next word.
  begin();
  driver.shift_out(6, 3);
  driver.shift_out(0x3f, 6);
  BOOST_TEST(driver.shift_in() == driver.read_eeprom(0x3f));
  BOOST_TEST(driver.shift_in() == driver.read_eeprom(0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
