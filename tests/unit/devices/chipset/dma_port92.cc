// SPDX-License-Identifier: MIT
// The DMA controllers (Intel 231466-005, 290550-002) and port 92.
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <initializer_list>

namespace dm::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(chipset_dma, Machine)

BOOST_AUTO_TEST_CASE(seabios_sets_the_cascade_up) {
  guest.outb(0x0d, 0);
  guest.outb(0xda, 0);
  guest.outb(0xd6, 0xc0);
  guest.outb(0xd4, 0x00);
  BOOST_TEST(guest.inb(0x0f) == 0x0f);
  BOOST_TEST(guest.inb(0xde) == 0x0e);
}

BOOST_AUTO_TEST_CASE(address_and_count_go_through_the_flip_flop) {
  guest.outb(0x0c, 0);
  guest.outb(0x04, 0x34);
  guest.outb(0x04, 0x12);
  guest.outb(0x05, 0xff);
  guest.outb(0x05, 0x01);
  BOOST_TEST(guest.inb(0x04) == 0x34);
  BOOST_TEST(guest.inb(0x04) == 0x12);
  BOOST_TEST(guest.inb(0x05) == 0xff);
  guest.outb(0x0c, 0);  // in the middle: the low byte again
  BOOST_TEST(guest.inb(0x05) == 0xff);
  BOOST_TEST(guest.inb(0x05) == 0x01);
  BOOST_TEST(guest.inb(0x06) == 0x00);
}

BOOST_AUTO_TEST_CASE(the_two_chips_have_a_flip_flop_each) {
  guest.outb(0x0c, 0);
  guest.outb(0xd8, 0);
  guest.outb(0x00, 0x11);  // now the first one is at its high byte
  guest.outb(0xc4, 0x22);
  guest.outb(0xc4, 0x33);
  guest.outb(0x00, 0x44);
  BOOST_TEST(guest.inb(0xc4) == 0x22);
  BOOST_TEST(guest.inb(0xc4) == 0x33);
  BOOST_TEST(guest.inw(0x00) == 0x0011);  // port 0: low byte; port 1, the count: high byte
}

BOOST_AUTO_TEST_CASE(all_channels_are_apart) {
  guest.outb(0x0c, 0);
  guest.outb(0xd8, 0);
  for (std::uint16_t i = 0; i < 8; ++i) {
    for (const unsigned byte : {0x10U, 0x80U}) {
      guest.outb(i, static_cast<std::uint8_t>(byte + i));
      guest.outb(static_cast<std::uint16_t>(0xc0 + 2 * i),
                 static_cast<std::uint8_t>(byte + 8U + i));
    }
  }
  for (std::uint16_t i = 0; i < 8; ++i) {
    for (const unsigned byte : {0x10U, 0x80U}) {
      BOOST_TEST(guest.inb(i) == byte + i);
      BOOST_TEST(guest.inb(static_cast<std::uint16_t>(0xc0 + 2 * i)) == byte + 8U + i);
    }
  }
}

BOOST_AUTO_TEST_CASE(masks_can_be_set_one_by_one_all_at_once_and_cleared) {
  BOOST_TEST(guest.inb(0x0f) == 0x0f);
  guest.outb(0x0e, 0);
  BOOST_TEST(guest.inb(0x0f) == 0x00);
  guest.outb(0x0a, 0x06);
  BOOST_TEST(guest.inb(0x0f) == 0x04);
  guest.outb(0x0a, 0x02);
  BOOST_TEST(guest.inb(0x0f) == 0x00);
  guest.outb(0x0f, 0xf5);
  BOOST_TEST(guest.inb(0x0f) == 0x05);
  guest.outb(0x0d, 0);
  BOOST_TEST(guest.inb(0x0f) == 0x0f);
  BOOST_TEST(guest.inb(0xde) == 0x0f);
}

BOOST_AUTO_TEST_CASE(status_and_temporary_registers_read_zero) {
  guest.outb(0x08, 0xff);  // command
  guest.outb(0x09, 0x07);  // software request
  guest.outb(0x0b, 0xff);  // mode
  for (const std::uint16_t port :
       std::initializer_list<std::uint16_t>{0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0xd0, 0xda}) {
    BOOST_TEST(guest.inb(port) == 0);
  }
}

BOOST_AUTO_TEST_CASE(page_registers_are_storage) {
  for (std::uint16_t port = 0x80; port < 0x90; ++port) {
    BOOST_TEST(guest.inb(port) == 0);
    guest.outb(port, static_cast<std::uint8_t>(port ^ 0xffU));
  }
  BOOST_TEST(guest.inl(0x84) == 0x78797a7b);
  BOOST_TEST(guest.inw(0x8f) == 0xff70);  // the next port is nobody's
  guest.outl(0x8e, 0x44332211);           // and a write over the end reaches two of them
  BOOST_TEST(guest.inw(0x8e) == 0x2211);
}

BOOST_AUTO_TEST_CASE(odd_ports_of_the_second_chip_are_aliases) {
  guest.outb(0xdf, 0x03);
  BOOST_TEST(guest.inb(0xde) == 0x03);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(chipset_port_92, Machine)

BOOST_AUTO_TEST_CASE(a20_is_kept) {
  BOOST_TEST(guest.inb(0x92) == 0x00);
  guest.outb(0x92, 0x02);
  BOOST_TEST(guest.inb(0x92) == 0x02);
  guest.outb(0x92, 0xfc);
  BOOST_TEST(guest.inb(0x92) == 0x00);
  BOOST_TEST(guest.shutdowns().empty());
}

// SECURITY.md D13
BOOST_AUTO_TEST_CASE(bit_0_going_up_resets_once) {
  guest.outb(0x92, 0x03);
  guest.outb(0x92, 0x03);
  guest.outb(0x92, 0x01);
  BOOST_TEST(rebooted_once());
}

BOOST_AUTO_TEST_CASE(neighbours_are_not_claimed) {
  BOOST_TEST(guest.inb(0x91) == 0xff);
  BOOST_TEST(guest.inb(0x93) == 0xff);
  BOOST_TEST(guest.inw(0x92) == 0xff00);
  guest.outw(0x92, 0xff02);
  BOOST_TEST(guest.inb(0x92) == 0x02);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
