// SPDX-License-Identifier: MIT
// 0xCF8-0xCFF: Intel 290549-001 (CONFADD, CONFDATA), Intel 290550-002 (RCR).
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

namespace dm::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(chipset_config_ports, Machine)

BOOST_AUTO_TEST_CASE(linux_finds_mechanism_1) {
  guest.outb(0xcfb, 0x01);
  const std::uint32_t before = guest.inl(0xcf8);
  guest.outl(0xcf8, 0x80000000);
  BOOST_TEST(guest.inl(0xcf8) == 0x80000000);
  guest.outl(0xcf8, before);
  BOOST_TEST(guest.inl(0xcf8) == before);
}

BOOST_AUTO_TEST_CASE(mechanism_2_is_absent) {
  guest.outb(0xcfb, 0x00);
  guest.outb(0xcf8, 0x00);
  guest.outb(0xcfa, 0x00);
  BOOST_TEST(guest.inb(0xcf8) != 0x00);
  BOOST_TEST(guest.inb(0xcfa) != 0x00);
}

BOOST_AUTO_TEST_CASE(narrow_writes_do_not_disturb_the_latch) {
  guest.outl(0xcf8, 0x80001234);
  guest.outb(0xcf8, 0xff);
  guest.outb(0xcf9, 0x00);
  guest.outb(0xcfa, 0xff);
  guest.outb(0xcfb, 0xff);
  guest.outw(0xcf8, 0xffff);
  guest.outw(0xcfa, 0xffff);
  BOOST_TEST(guest.inl(0xcf8) == 0x80001234);
  BOOST_TEST(guest.shutdowns().empty());
}

BOOST_AUTO_TEST_CASE(narrow_reads_see_no_latch) {
  guest.outl(0xcf8, 0x80000000);
  BOOST_TEST(guest.inb(0xcf8) == 0xff);
  BOOST_TEST(guest.inb(0xcfb) == 0xff);
  BOOST_TEST(guest.inw(0xcf8) == 0xffff);
}

BOOST_AUTO_TEST_CASE(data_reads_ones_and_drops_writes_while_the_enable_bit_is_clear) {
  guest.outl(0xcf8, 0x00000800);
  BOOST_TEST(guest.inl(0xcfc) == 0xffffffff);
  BOOST_TEST(guest.inw(0xcfe) == 0xffff);
  BOOST_TEST(guest.inb(0xcff) == 0xff);
  guest.outl(0xcf8, 0x00000860);
  guest.outl(0xcfc, 0x05050505);
  BOOST_TEST(cfg(kIsa, 0x60, 4) == 0x80808080);
}

// After a migration Xen's own latch is clear while ours is not: the access in between comes here.
BOOST_AUTO_TEST_CASE(data_is_served_by_our_latch_where_xen_has_lost_its_own) {
  guest.outl(0xcf8, 0x80000800);
  BOOST_TEST(guest.inl(0xcfc) == 0x70008086);
  BOOST_TEST(guest.inw(0xcfe) == 0x7000);
  guest.outl(0xcf8, 0x80000860);
  guest.outb(0xcfd, 0x0a);
  BOOST_TEST(cfg(kIsa, 0x61, 1) == 0x0a);
  guest.outl(0xcf8, 0x80010800);  // bus 1
  BOOST_TEST(guest.inl(0xcfc) == 0xffffffff);
  guest.outl(0xcf8, 0x8000f800);  // nobody there
  BOOST_TEST(guest.inl(0xcfc) == 0xffffffff);
}

// SECURITY.md D5
BOOST_AUTO_TEST_CASE(accesses_across_the_data_ports_are_cut_into_bytes) {
  guest.outl(0xcf8, 0x800008fc);
  BOOST_TEST(guest.inw(0xcff) == 0xff00);  // the last register, and a port nobody has
  BOOST_TEST(guest.inl(0xcfd) == 0xff000000);
  guest.outw(0xcff, 0xffff);
  guest.outl(0xcfd, 0xffffffff);
  BOOST_TEST(guest.inl(0xcfa) == 0x0000ffff);
  BOOST_TEST(cfg(kIsa, 0, 4) == 0x70008086);
}

BOOST_AUTO_TEST_CASE(a_string_of_configuration_reads_is_answered_item_by_item) {
  guest.outl(0xcf8, 0x80000000);
  guest.rep_ins(0xcfc, 4, 0x1000, 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    BOOST_TEST(guest.peek<std::uint32_t>(0x1000 + 4 * i) == 0x12378086);
  }
}

BOOST_AUTO_TEST_CASE(writing_2_then_6_to_cf9_resets_once) {
  guest.outb(0xcf9, 0x02);
  BOOST_TEST(guest.shutdowns().empty());
  BOOST_TEST(guest.inb(0xcf9) == 0x02);
  guest.outb(0xcf9, 0x06);
  BOOST_TEST(rebooted_once());
}

BOOST_AUTO_TEST_CASE(six_alone_resets) {
  guest.outb(0xcf9, 0x06);
  BOOST_TEST(rebooted_once());
}

BOOST_AUTO_TEST_CASE(a_soft_reset_resets_too) {
  guest.outb(0xcf9, 0x04);
  BOOST_TEST(rebooted_once());
  BOOST_TEST(guest.inb(0xcf9) == 0x00);
}

BOOST_AUTO_TEST_CASE(reset_control_answers_to_bytes_only) {
  BOOST_TEST(guest.inb(0xcf9) == 0x00);
  guest.outw(0xcf9, 0x0606);
  guest.outl(0xcf8, 0x80000600);
  guest.outw(0xcf8, 0x0600);
  BOOST_TEST(guest.shutdowns().empty());
  guest.outb(0xcf9, 0xf9);  // every other bit
  BOOST_TEST(guest.shutdowns().empty());
  BOOST_TEST(guest.inb(0xcf9) == 0x00);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
