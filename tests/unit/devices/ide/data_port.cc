// SPDX-License-Identifier: MIT
// The data port: widths, runs, and accesses that have nothing to move.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/unit_test.hpp>

using namespace dm;
using test::OneDisk;
using test::patterns;
using test::salted;
using test::same;
using test::stamp;

BOOST_FIXTURE_TEST_SUITE(ide_data_port, OneDisk)

BOOST_AUTO_TEST_CASE(the_data_port_without_drq_or_in_the_wrong_direction_moves_nothing) {  // B18
  disk.stamp(7);
  BOOST_TEST(guest.inw(0x1f0) == 0);
  guest.outw(0x1f0, 0xffff);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  guest.outw(0x1f0, 0xffff);
  guest.outl(0x1f0, 0xffffffff);
  guest.poke<std::uint64_t>(0x30000, ~0ULL);
  guest.rep_outs(0x1f0, 2, 0x30000, 4);
  BOOST_TEST(same(ide.read_data(1), patterns(7, 1)));
  BOOST_TEST(guest.inl(0x1f0) == 0U);
  ide.lba28(0, 8, 1);
  ide.command(0x30);
  for (int i = 0; i < 300; ++i) {
    BOOST_TEST(guest.inw(0x1f0) == 0);
  }
  guest.rep_ins(0x1f0, 2, 0x30000, 256);
  ide.write_data(salted(8, 1));
  BOOST_TEST(ide.wait() == 0x50);
  BOOST_TEST(same(test::image(disk, 8, 1), salted(8, 1)));
}

BOOST_AUTO_TEST_CASE(a_dword_at_the_last_word_gives_that_word_and_zeros) {  // B18
  disk.stamp(7);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  guest.rep_ins(0x1f0, 2, 0x10000, 255);
  std::uint16_t last = 0;
  std::memcpy(&last, patterns(7, 1).data() + 510, 2);
  BOOST_TEST(guest.inl(0x1f0) == last);
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_dword_run_over_an_odd_number_of_words_stays_inside_the_block) {
  stamp(disk, 7, 1);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  (void)guest.inw(0x1f0);
  guest.ram()[0x10000 + 512] = std::byte{0x77};
  guest.rep_ins(0x1f0, 4, 0x10000, 128);  // two bytes more than there are
  const auto got = test::memory(guest, 0x10000, 512);
  const auto want = patterns(7, 1);
  BOOST_TEST(same(std::span{got}.first(510), std::span{want}.subspan(2)));
  BOOST_TEST(std::to_integer<int>(got[510]) == 0);
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_longer_than_the_data_reads_zeros_at_its_end) {
  stamp(disk, 7, 1);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  std::memset(guest.ram().subspan(0x10000, 4096).data(), 0x55, 4096);
  guest.rep_ins(0x1f0, 2, 0x10000, 2048);
  const auto got = test::memory(guest, 0x10000, 4096);
  BOOST_TEST(same(std::span{got}.first(512), patterns(7, 1)));
  BOOST_TEST(same(std::span{got}.subspan(512), std::vector<std::byte>(4096 - 512)));
}

BOOST_AUTO_TEST_CASE(a_run_over_several_blocks_takes_them_all) {
  stamp(disk, 7, 8);
  ide.lba28(0, 7, 8);
  ide.command(0x20);
  guest.rep_ins(0x1f0, 2, 0x10000, 2048);
  BOOST_TEST(same(test::memory(guest, 0x10000, 4096), patterns(7, 8)));
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_descending_run_fills_memory_downwards) {
  stamp(disk, 7, 1);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  guest.rep_ins(0x1f0, 2, 0x10000 + 510, 256, true);
  const auto got = test::memory(guest, 0x10000, 512);
  const auto want = patterns(7, 1);
  for (unsigned i = 0; i < 256; ++i) {
    BOOST_REQUIRE((got[2 * i] == want[510 - 2 * i] && got[2 * i + 1] == want[511 - 2 * i]));
  }
}

BOOST_AUTO_TEST_SUITE_END()
