// SPDX-License-Identifier: MIT
#include "tests/unit/devices/e1000/e1000_rig.h"

namespace dm::test {

using D = E1000Driver;

BOOST_AUTO_TEST_SUITE(e1000_receive)

BOOST_FIXTURE_TEST_CASE(a_frame_for_us_lands_in_the_guests_buffer_and_interrupts, OneCard) {
  driver.open_rx();
  driver.set(D::IMS, D::RXT0);
  const Bytes frame = frame_to_us(1000);
  arrive(frame);
  BOOST_TEST(driver.irq());
  BOOST_TEST(driver.get(D::ICR) == D::RXT0);
  const auto got = driver.take();
  BOOST_TEST(same(got.bytes, frame));
  BOOST_TEST(got.last.status == (D::DD | D::RX_EOP | D::RX_IXSM));
  BOOST_TEST(got.last.errors == 0);
  BOOST_TEST(card->chip().counters().rx_moved == 0U);
  BOOST_TEST(driver.get(D::RDH) == 1U);
}

BOOST_FIXTURE_TEST_CASE(frames_of_every_size_arrive_whole, OneCard) {
  driver.open_rx();
  for (std::size_t size = 14; size <= 1518; size += size < 200 ? 1 : 13) {
    Bytes frame = frame_to_us(size);
    arrive(frame);
    const auto got = driver.take();
    frame.resize(std::max<std::size_t>(size, 60));
    BOOST_TEST(same(got.bytes, frame));
  }
  BOOST_TEST(card->chip().counters().rx_moved == 0U);
}

BOOST_FIXTURE_TEST_CASE(the_four_bytes_of_fcs_are_there_unless_stripped, OneCard) {
  driver.open_rx(64, D::RCTL_BAM);
  arrive(frame_to_us(100));
  Bytes frame = frame_to_us(100);
  frame.resize(104);
  BOOST_TEST(same(driver.take().bytes, frame));
}

BOOST_FIXTURE_TEST_CASE(nothing_is_asked_of_the_host_while_the_guest_has_no_buffers, OneCard) {
  driver.open_rx(8);
  for (unsigned i = 0; i < 20; ++i) {
    arrive(frame_to_us(100 + i));
  }
  BOOST_TEST(net.waiting() == 13U);
  BOOST_TEST(!net.wanted);
  for (unsigned i = 0; i < 20; ++i) {
    const auto got = driver.take();
    BOOST_TEST(same(got.bytes, frame_to_us(100 + i)));
  }
  BOOST_TEST(net.waiting() == 0U);
  BOOST_TEST(net.wanted);
}

BOOST_FIXTURE_TEST_CASE(only_wanted_frames_get_through, OneCard) {
  driver.open_rx(64, D::RCTL_SECRC);
  arrive(frame_to(kOther, 100));
  arrive(frame_to(kBroadcast, 100));
  const std::array<std::uint8_t, 6> group{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03};
  arrive(frame_to(group, 100));
  BOOST_TEST(driver.take().bytes.empty());
  driver.set(D::RCTL, D::RCTL_EN | D::RCTL_SECRC | D::RCTL_BAM);
  arrive(frame_to(kBroadcast, 101));
  BOOST_TEST(driver.take().bytes.size() == 101U);
  // The hash: 12 bits of the address's last two bytes from bit 4 on.
  const std::uint32_t hash = (0x0302U >> 4U) & 0xfffU;
  driver.set(D::MTA + (hash >> 5U) * 4, 1U << (hash & 31U));
  arrive(frame_to(group, 102));
  const auto by_hash = driver.take();
  BOOST_TEST(by_hash.bytes.size() == 102U);
  BOOST_TEST((by_hash.last.status & D::RX_PIF) != 0);
  driver.set(D::RCTL, D::RCTL_EN | D::RCTL_SECRC | D::RCTL_UPE);
  arrive(frame_to(kOther, 103));
  BOOST_TEST(driver.take().bytes.size() == 103U);
  BOOST_TEST(net.promiscuous == std::vector<bool>{true});
}

BOOST_FIXTURE_TEST_CASE(a_jumbo_frame_takes_as_many_buffers_as_it_needs, OneCard) {
  driver.open_rx(64, D::RCTL_BAM | D::RCTL_SECRC | D::RCTL_LPE);
  for (const std::size_t size : {1519U, 2048U, 2049U, 9014U, 16380U}) {
    const Bytes frame = frame_to_us(size);
    arrive(frame);
    const auto got = driver.take();
    BOOST_TEST(same(got.bytes, frame));
    BOOST_TEST(got.descriptors == (size + 2047) / 2048);
  }
  BOOST_TEST(card->chip().counters().rx_moved == 0U);
  arrive(frame_to_us(16381));
  BOOST_TEST(driver.take().bytes.empty());
}

BOOST_FIXTURE_TEST_CASE(a_ring_that_has_never_been_filled_is_empty_and_rctl_stalls_nothing,
                        OneCard) {
  driver.open_rx(8);
  driver.set(D::RCTL, 0);
  driver.set(D::RDH, 0);
  driver.set(D::RDT, 0);
  driver.set(D::RCTL, D::RCTL_EN | D::RCTL_BAM | D::RCTL_SECRC);
  arrive(frame_to_us(100));
  BOOST_TEST(driver.get(D::RDH) == 0U);
  driver.set(D::RDT, 7);
  BOOST_TEST(driver.take().bytes.size() == 100U);
  driver.set(D::RCTL, D::RCTL_EN | D::RCTL_BAM | D::RCTL_SECRC | D::RCTL_MPE);
  arrive(frame_to_us(101));
  BOOST_TEST(driver.take().bytes.size() == 101U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
