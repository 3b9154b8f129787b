// SPDX-License-Identifier: MIT
// Causes, mask, pin; and the four ways to have fewer interrupts.
#include "tests/unit/devices/e1000/e1000_rig.h"

namespace dm::test {

using D = E1000Driver;

BOOST_AUTO_TEST_SUITE(e1000_interrupt)

BOOST_FIXTURE_TEST_CASE(causes_are_latched_whatever_the_mask_and_reading_takes_them, OneCard) {
  driver.set(D::ICS, 0x85);
  BOOST_TEST(!driver.irq());
  BOOST_TEST(driver.get(D::ICS) == 0x85U);  // looking there takes nothing
  driver.set(D::IMS, 0x80);
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.get(D::IMS) == 0x80U);
  BOOST_TEST(driver.get(D::ICR) == 0x85U);
  BOOST_TEST(!driver.irq());
  BOOST_TEST(driver.get(D::ICR) == 0U);
  driver.set(D::ICS, 0x81);
  driver.set(D::ICR, 0x80);
  BOOST_TEST(!driver.irq());
  BOOST_TEST(driver.get(D::ICR) == 0x01U);
  driver.set(D::ICS, 0x80);
  driver.set(D::IMC, 0xffffffff);
  BOOST_TEST(!driver.irq());
  BOOST_TEST(driver.get(D::IMC) == 0U);
  BOOST_TEST(driver.get(D::IMS) == 0U);
  BOOST_TEST(guest.sim_irqs().redundant() == 0U);
}

BOOST_FIXTURE_TEST_CASE(itr_keeps_assertions_apart_and_never_holds_a_cause_back, OneCard) {
  driver.set(D::IMS, 0xff);
  driver.set(D::ITR, 976);  // 249.856 us
  driver.set(D::ICS, 1);
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.get(D::ICR) == 1U);
  guest.advance(100us);
  driver.set(D::ICS, 2);
  BOOST_TEST(!driver.irq());
  BOOST_TEST(driver.get(D::ICS) == 2U);
  guest.advance(149us);
  BOOST_TEST(!driver.irq());
  guest.advance(1us);
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.get(D::ICR) == 2U);
  // Taken before its time: no interrupt.
  driver.set(D::ICS, 2);
  BOOST_TEST(driver.get(D::ICR) == 2U);
  guest.advance(1ms);
  BOOST_TEST(!driver.irq());
  // Quiet for long: at once.
  driver.set(D::ICS, 2);
  BOOST_TEST(driver.irq());
  (void)driver.get(D::ICR);
  driver.set(D::ICS, 2);
  BOOST_TEST(!driver.irq());
  driver.set(D::ITR, 0);
  BOOST_TEST(driver.irq());
}

BOOST_FIXTURE_TEST_CASE(a_storm_of_doorbells_is_one_interrupt_an_interval, OneCard) {
  driver.open_tx();
  driver.set(D::IMS, 0xff);
  driver.set(D::ITR, 195);  // 49.92 us
  unsigned interrupts = 0;
  for (unsigned i = 0; i < 1000; ++i) {
    driver.send(frame_to(kOther, 60));
    if (driver.irq()) {
      ++interrupts;
      (void)driver.get(D::ICR);
    }
    guest.advance(1us);
  }
  BOOST_TEST(interrupts >= 20U);
  BOOST_TEST(interrupts <= 21U);
  BOOST_TEST(guest.sim_irqs().redundant() == 0U);
}

// ITR 0: there is no interval, and each change of the pin is an operation of Xen. What bounds them
// is that the pin falls by an access only, and has to fall before it rises.
BOOST_FIXTURE_TEST_CASE(an_access_changes_the_pin_once_at_most, OneCard) {
  driver.set(D::ITR, 0);
  driver.set(D::IMS, 0xff);
  driver.open_rx();
  driver.open_tx();
  (void)driver.get(D::ICR);
  const auto rises = [&] { return guest.sim_irqs().intx_edges(kBdf.device, 0); };
  std::uint64_t before = rises();
  for (unsigned i = 0; i < 1000; ++i) {
    driver.set(D::ICS, 0xff);  // and nobody takes them
    arrive(frame_to_us(100));
    driver.send(frame_to(kOther, 60));
    (void)driver.take();
  }
  BOOST_TEST(rises() == before + 1);
  before = rises();
  for (unsigned i = 0; i < 1000; ++i) {
    (void)driver.get(D::ICR);
    driver.set(D::ICS, 0xff);
    driver.set(D::IMC, 0xff);
    driver.set(D::IMS, 0xff);
  }
  BOOST_TEST(rises() == before + 2000);  // of 4000 accesses
  BOOST_TEST(guest.sim_irqs().redundant() == 0U);
}

BOOST_FIXTURE_TEST_CASE(rdtr_waits_for_silence_and_radv_for_no_longer, OneCard) {
  driver.open_rx();
  driver.set(D::IMS, D::RXT0);
  driver.set(D::RDTR, 32);  // 32.768 us
  driver.set(D::RADV, 128);
  arrive(frame_to_us(100));
  BOOST_TEST(!driver.take().bytes.empty());  // the frame is there, the cause is not
  BOOST_TEST(driver.get(D::ICR) == 0U);
  guest.advance(32us);
  BOOST_TEST(!driver.irq());
  guest.advance(1us);
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.get(D::ICR) == D::RXT0);
  // One every 20 us: RADV's 131.072 us decide.
  unsigned waited = 0;
  for (; waited < 20 && !driver.irq(); ++waited) {
    arrive(frame_to_us(100));
    guest.advance(20us);
  }
  BOOST_TEST(waited == 7U);
  (void)driver.get(D::ICR);
  arrive(frame_to_us(100));
  driver.set(D::RDTR, 32 | 1U << 31U);  // flush
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.get(D::RDTR) == 32U);
  (void)driver.get(D::ICR);
  guest.advance(1ms);
  BOOST_TEST(!driver.irq());
}

BOOST_FIXTURE_TEST_CASE(tidv_delays_only_what_asks_for_it, OneCard) {
  driver.open_tx();
  driver.set(D::IMS, D::TXDW);
  driver.set(D::TIDV, 8);   // 8.192 us
  driver.set(D::TADV, 32);  // 32.768 us
  driver.send(frame_to(kOther, 60), D::EOP | D::RS);
  BOOST_TEST(driver.irq());
  (void)driver.get(D::ICR);
  driver.send(frame_to(kOther, 60), D::EOP | D::RS | D::IDE);
  BOOST_TEST(driver.tx_status(1) == D::DD);
  BOOST_TEST(!driver.irq());
  guest.advance(8us);
  BOOST_TEST(!driver.irq());
  guest.advance(1us);
  BOOST_TEST(driver.irq());
  (void)driver.get(D::ICR);
  unsigned waited = 0;
  for (; waited < 20 && !driver.irq(); ++waited) {
    driver.send(frame_to(kOther, 60), D::EOP | D::RS | D::IDE);
    guest.advance(5us);
  }
  BOOST_TEST(waited == 7U);
}

BOOST_FIXTURE_TEST_CASE(a_delay_that_itr_covers_takes_no_timer_of_its_own, OneCard) {
  driver.open_tx();
  driver.open_rx();
  driver.set(D::IMS, D::TXDW | D::RXT0);
  driver.set(D::ITR, 195);  // 49.92 us
  driver.set(D::TIDV, 8);
  driver.set(D::RDTR, 8);
  driver.set(D::ICS, D::TXDW);
  BOOST_TEST(driver.irq());
  driver.send(frame_to(kOther, 60), D::EOP | D::RS | D::IDE);
  arrive(frame_to_us(100));
  BOOST_TEST(!guest.timers().next_deadline().has_value());  // the pin is up anyhow
  BOOST_TEST(driver.get(D::ICR) == (D::TXDW | D::TXQE | D::RXT0));
  guest.advance(10us);
  driver.send(frame_to(kOther, 60), D::EOP | D::RS | D::IDE);
  BOOST_TEST((driver.get(D::ICS) & D::TXDW) != 0U);
  guest.advance(39us);
  BOOST_TEST(!driver.irq());
  guest.advance(1us);
  BOOST_TEST(driver.irq());
  (void)driver.get(D::ICR);
  guest.advance(45us);  // 5 us of ITR's interval are left: the delay is longer
  driver.send(frame_to(kOther, 60), D::EOP | D::RS | D::IDE);
  BOOST_TEST((driver.get(D::ICS) & D::TXDW) == 0U);
  guest.advance(8us);
  BOOST_TEST(!driver.irq());
  guest.advance(1us);
  BOOST_TEST(driver.irq());
}

BOOST_FIXTURE_TEST_CASE(few_descriptors_left_are_told_of, OneCard) {
  driver.open_rx(16);
  driver.set(D::IMS, D::RXDMT0);
  for (unsigned i = 0; i < 6; ++i) {
    arrive(frame_to_us(100));
  }
  BOOST_TEST(!driver.irq());  // 9 of 16
  arrive(frame_to_us(100));
  BOOST_TEST(driver.irq());  // 8: half
}

BOOST_FIXTURE_TEST_CASE(the_link_comes_and_goes_with_the_hosts, OneCard) {
  (void)driver.get(D::ICR);
  driver.set(D::IMS, D::LSC);
  BOOST_TEST(driver.phy(1) == 0x796d);
  net.set_link(false);
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.get(D::ICR) == D::LSC);
  BOOST_TEST((driver.get(D::STATUS) & D::STATUS_LU) == 0U);
  BOOST_TEST(driver.phy(1) == 0x7949);
  BOOST_TEST((driver.phy(17) & 0x0400) == 0);
  net.set_link(false);
  BOOST_TEST(!driver.irq());
  net.set_link(true);
  BOOST_TEST(driver.get(D::ICR) == D::LSC);
  BOOST_TEST((driver.get(D::STATUS) & D::STATUS_LU) != 0U);
  BOOST_TEST(driver.phy(1) == 0x796d);
  net.set_link(false);
  net.set_link(true);
  BOOST_TEST(driver.phy(1) == 0x7969);  // it had been down: shown once
  BOOST_TEST(driver.phy(1) == 0x796d);
}

BOOST_FIXTURE_TEST_CASE(powering_the_phy_down_takes_the_link_down, OneCard) {
  driver.open_tx();
  (void)driver.get(D::ICR);
  driver.phy(0, 0x1940);
  BOOST_TEST(driver.get(D::ICR) == D::LSC);
  BOOST_TEST((driver.get(D::STATUS) & D::STATUS_LU) == 0U);
  driver.send(frame_to(kOther, 60));
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(driver.tx_status(0) == D::DD);
  driver.phy(0, 0x1140);
  BOOST_TEST((driver.get(D::ICR) & D::LSC) != 0U);
  driver.phy(0, 0x1340);  // negotiate anew: done at once
  BOOST_TEST(driver.phy(0) == 0x1140);
  BOOST_TEST((driver.phy(1) & 0x24) == 0x20);
  BOOST_TEST((driver.phy(1) & 0x24) == 0x24);
  BOOST_TEST((driver.get(D::ICR) & D::LSC) != 0U);
}

BOOST_FIXTURE_TEST_CASE(the_first_ctrl_write_after_a_reset_reports_the_link, OneCard) {
  driver.set(D::CTRL, D::CTRL_RST);
  BOOST_TEST(driver.get(D::ICR) == 0U);
  driver.set(D::CTRL, D::CTRL_SLU);
  BOOST_TEST(driver.get(D::ICR) == D::LSC);
  driver.set(D::CTRL, D::CTRL_SLU);
  BOOST_TEST(driver.get(D::ICR) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
