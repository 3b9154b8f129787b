// SPDX-License-Identifier: MIT
// What drivers look at before they touch a ring.
#include "tests/unit/devices/e1000/e1000_rig.h"

namespace dm::test {

using D = E1000Driver;

BOOST_AUTO_TEST_SUITE(e1000_identity)

BOOST_FIXTURE_TEST_CASE(configuration_space_is_that_of_an_82540em, OneCard) {
  BOOST_TEST(guest.config_read(kBdf, 0x00, 4) == 0x100e8086);
  BOOST_TEST(guest.config_read(kBdf, 0x08, 4) >> 8U == 0x020000);
  BOOST_TEST(guest.config_read(kBdf, 0x0e, 1) == 0x00);
  BOOST_TEST(guest.config_read(kBdf, 0x2c, 4) == 0x001e8086);
  BOOST_TEST(guest.config_read(kBdf, 0x3d, 1) == 1);
  guest.config_write(kBdf, 0x10, 4, 0xffffffff);
  BOOST_TEST(guest.config_read(kBdf, 0x10, 4) == 0xfffe0000);
  guest.config_write(kBdf, 0x14, 4, 0xffffffff);
  BOOST_TEST(guest.config_read(kBdf, 0x14, 4) == 0xffffffc1);
}

BOOST_FIXTURE_TEST_CASE(linux_probes_it_and_finds_its_address, OneCard) {
  BOOST_TEST(driver.probe() == kMac);
  BOOST_TEST((driver.get(D::STATUS) & D::STATUS_LU) != 0);
  BOOST_TEST(driver.get(D::RA) == 0x123e1600);
  BOOST_TEST(driver.get(D::RA + 4) == 0x80005634);
}

BOOST_FIXTURE_TEST_CASE(a_reset_through_the_io_window_really_resets, OneCard) {
  driver.open_tx();
  driver.open_rx();
  driver.set(D::IMS, 0xffffffff);
  driver.set(D::ICS, D::LSC);
  driver.set(D::VET, 0x9100);
  driver.set(D::MTA, 0x12345678);
  driver.set(D::PBA, 0x28);
  driver.phy(16, 0x0123);
  BOOST_TEST(driver.irq());
  driver.set_indirect(D::CTRL, driver.get_indirect(D::CTRL) | D::CTRL_RST);
  BOOST_TEST(!driver.irq());
  BOOST_TEST(driver.get(D::ICR) == 0);
  BOOST_TEST(driver.get(D::IMS) == 0);
  BOOST_TEST((driver.get(D::TCTL) & D::TCTL_EN) == 0);
  BOOST_TEST((driver.get(D::RCTL) & D::RCTL_EN) == 0);
  BOOST_TEST(driver.get(D::TDLEN) == 0);
  BOOST_TEST(driver.get(D::VET) == 0x8100);
  BOOST_TEST(driver.get(D::MTA) == 0);
  BOOST_TEST((driver.get(D::CTRL) & D::CTRL_RST) == 0);
  // Kept: the packet buffer's split, the PHY. Loaded again: the address.
  BOOST_TEST(driver.get(D::PBA) == 0x00180028);
  BOOST_TEST(driver.phy(16) == 0x0123);
  BOOST_TEST(driver.get(D::RA + 4) == 0x80005634);
  BOOST_TEST((driver.get(D::STATUS) & D::STATUS_LU) != 0);
  BOOST_TEST(guest.config_read(kBdf, 0x10, 4) == D::kBar0);
}

BOOST_FIXTURE_TEST_CASE(the_eeprom_reads_alike_by_both_ways, OneCard) {
  std::uint16_t sum = 0;
  for (unsigned i = 0; i < 64; ++i) {
    const std::uint16_t word = driver.read_eeprom(i);
    BOOST_TEST(driver.read_eeprom_by_wire(i) == word);
    sum = static_cast<std::uint16_t>(sum + word);
  }
  BOOST_TEST(sum == 0xbaba);
  BOOST_TEST(driver.read_eeprom(0x0d) == 0x100e);
  BOOST_TEST(driver.read_eeprom(0x0b) == 0x001e);
  BOOST_TEST(driver.read_eeprom(0x40) == 0);
  BOOST_TEST(driver.read_eeprom(0xff) == 0);
}

BOOST_FIXTURE_TEST_CASE(the_phy_answers_at_address_1_only, OneCard) {
  BOOST_TEST(driver.phy(2) == 0x0141);
  BOOST_TEST((driver.phy(3) & 0xfff0) == 0x0c20);
  BOOST_TEST((driver.mdic(2, 2, 0, 0) & 1U << 30U) != 0);
  BOOST_TEST((driver.mdic(2, 31, 0) & 1U << 30U) != 0);
  BOOST_TEST((driver.mdic(0, 2, 0) & 1U << 30U) == 0);
  BOOST_TEST(driver.phy(1) == 0x796d);
  BOOST_TEST((driver.phy(17) & 0xac00) == 0xac00);
}

BOOST_FIXTURE_TEST_CASE(the_phys_reset_and_restart_bits_clear_themselves, OneCard) {
  driver.phy(16, 0x0808);
  driver.phy(0, 0x9340);
  BOOST_TEST(driver.phy(0) == 0x1140);
  BOOST_TEST(driver.phy(16) == 0x0360);
  driver.phy(0, 0x8140);  // without negotiation
  BOOST_TEST(driver.phy(0) == 0x0140);
  BOOST_TEST((driver.phy(1) & 0x24) == 0x04);
  BOOST_TEST((driver.get(D::STATUS) & D::STATUS_LU) != 0U);
}

BOOST_AUTO_TEST_CASE(eight_cards_work_beside_each_other) {
  rig::SimGuest guest;
  std::array<rig::ScriptedNet, 8> nets;
  std::vector<std::unique_ptr<e1000::E1000>> cards;
  for (std::uint8_t i = 0; i < 8; ++i) {
    const PciBdf where{.device = static_cast<std::uint8_t>(4 + i)};
    cards.push_back(make_card(guest, nets.at(i), where));
    guest.config_write(where, 0x10, 4, D::kBar0 + i * 0x20000U);
    guest.config_write(where, 0x14, 4, D::kBar1 + i * 0x40U);
    guest.config_write(where, 0x04, 2, 7);
  }
  for (std::uint8_t i = 0; i < 8; ++i) {
    const std::uint64_t base = D::kBar0 + i * 0x20000U;
    guest.mmio_write(base + D::IMS, 4, D::LSC);
    nets.at(i).set_link(false);
    for (std::uint8_t j = 0; j < 8; ++j) {
      BOOST_TEST(guest.intx(4U + j, 0) == (j == i));
    }
    BOOST_TEST(guest.mmio_read(base + D::ICR, 4) == D::LSC);
  }
}

BOOST_AUTO_TEST_CASE(a_slot_that_is_taken_is_refused_with_a_message) {
  rig::SimGuest guest;
  rig::ScriptedNet net;
  const auto card = make_card(guest, net);
  rig::ScriptedNet other;
  const auto second = e1000::E1000::create(
      {.where = kBdf, .mac = kMac, .rom = {}},
      {guest.pci(), guest.irqs(), guest.memory(), guest.timers(), guest.work(), other});
  BOOST_TEST(!second.has_value());
  BOOST_TEST((other.client == nullptr));
}

BOOST_AUTO_TEST_CASE(the_rom_is_behind_its_own_bar) {
  rig::SimGuest guest;
  rig::ScriptedNet net;
  const std::vector<std::byte> rom{std::byte{0x55}, std::byte{0xaa}};
  const auto card = e1000::E1000::create(
      {.where = kBdf, .mac = kMac, .rom = rom},
      {guest.pci(), guest.irqs(), guest.memory(), guest.timers(), guest.work(), net});
  BOOST_REQUIRE(card.has_value());
  guest.config_write(kBdf, 0x30, 4, 0xf3000001);
  guest.config_write(kBdf, 0x04, 2, 7);
  BOOST_TEST(guest.mmio_read(0xf3000000, 2) == 0xaa55U);
}

BOOST_FIXTURE_TEST_CASE(a_machine_reset_brings_everything_back, OneCard) {
  driver.open_tx();
  driver.set(D::PBA, 0x20);
  driver.phy(0, 0x4140);
  driver.set(D::IMS, 0xff);
  driver.set(D::ICS, 0xff);
  card->reset();
  BOOST_TEST(!driver.irq());
  BOOST_TEST(guest.config_read(kBdf, 0x10, 4) == 0U);
  BOOST_TEST(driver.get(D::STATUS) == 0xffffffffU);
  driver.map();
  BOOST_TEST(driver.get(D::PBA) == 0x00100030U);
  BOOST_TEST(driver.phy(0) == 0x1140);
  BOOST_TEST(driver.probe() == kMac);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
