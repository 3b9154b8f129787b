// SPDX-License-Identifier: MIT
// What is read ahead for PIO.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/unit_test.hpp>

using namespace dm;
using test::OneDisk;
using test::patterns;
using test::salted;
using test::same;
using test::stamp;

BOOST_FIXTURE_TEST_SUITE(ide_read_ahead, OneDisk)

BOOST_AUTO_TEST_CASE(sequential_reads_cost_one_backend_read_for_64_kib) {
  // SeaBIOS and boot loaders read a kernel with single commands of a few sectors; each must not
  // cost a system call.
  stamp(disk, 2048, 1024);
  for (unsigned at = 0; at < 1024; at += 8) {
    ide.lba28(0, 2048 + at, 8);
    ide.command(0x20);
    BOOST_TEST(same(ide.read_data(8), patterns(2048 + at, 8)));
  }
  BOOST_TEST(disk.log.size() <= 10U);
  for (const auto& entry : disk.log) {
    BOOST_TEST(entry.length <= 65536U);
  }
}

BOOST_AUTO_TEST_CASE(a_long_command_reads_64_kib_at_a_time) {
  stamp(disk, 0, 256);
  ide.lba28(0, 0, 0);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(256), patterns(0, 256)));
  BOOST_TEST(disk.log.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_hit_is_offered_before_the_command_write_is_answered) {
  guest.set_auto_work(false);
  ide.lba28(0, 0, 1);
  ide.command(0x20);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  guest.run_work();
  (void)ide.read_data(1);
  ide.lba28(0, 1, 1);
  ide.command(0x20);
  guest.run_work();
  (void)ide.read_data(1);
  ide.lba28(0, 2, 1);
  ide.command(0x20);
  BOOST_TEST((ide.alt_status() & ide.DRQ) != 0);
}

BOOST_AUTO_TEST_CASE(reading_ahead_never_passes_the_end_of_the_disk) {
  stamp(disk, kSectors - 20, 20);
  for (unsigned at = 0; at < 20; ++at) {
    ide.lba28(0, static_cast<std::uint32_t>(kSectors - 20 + at), 1);
    ide.command(0x20);
    BOOST_TEST(same(ide.read_data(1), patterns(kSectors - 20 + at, 1)));
  }
}

BOOST_AUTO_TEST_CASE(a_write_empties_the_read_ahead) {
  stamp(disk, 100, 16);
  for (unsigned at = 0; at < 3; ++at) {
    ide.lba28(0, 100 + at, 1);
    ide.command(0x20);
    (void)ide.read_data(1);
  }
  ide.lba28(0, 104, 1);
  ide.command(0x30);
  ide.write_data(salted(104, 1));
  BOOST_TEST(ide.wait() == 0x50);
  ide.lba28(0, 104, 1);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(1), salted(104, 1)));
  // By DMA too.
  const drivers::IdeDriver::Prd prd{0x20000, 512};
  test::put_memory(guest, 0x20000, patterns(105, 1, 9));
  BOOST_TEST(ide.write_dma(0, 105, 1, {&prd, 1}).status == 0x50);
  ide.lba28(0, 105, 1);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(1), patterns(105, 1, 9)));
}

BOOST_AUTO_TEST_CASE(a_bad_sector_fails_only_the_command_that_asks_for_it) {
  for (const bool silent : {false, true}) {
    disk.heal();
    disk.hide_progress(silent);
    stamp(disk, 200, 16);
    disk.fail_at(206);
    for (unsigned at = 0; at < 6; ++at) {
      ide.lba28(0, 200 + at, 1);
      ide.command(0x20);
      BOOST_TEST(same(ide.read_data(1), patterns(200 + at, 1)));
    }
    ide.lba28(0, 206, 1);
    ide.command(0x20);
    BOOST_TEST(ide.wait() == 0x51);
    BOOST_TEST(ide.irq());
    BOOST_TEST(ide.error() == ide.UNC);
    BOOST_TEST(ide.lba28_now() == 206);
    ide.lba28(0, 207, 1);
    ide.command(0x20);
    BOOST_TEST(same(ide.read_data(1), patterns(207, 1)));
  }
}

BOOST_AUTO_TEST_CASE(a_read_error_names_the_failing_sector_after_the_good_ones) {
  stamp(disk, 300, 10);
  disk.fail_at(304);
  ide.lba48(0, 300, 10);
  ide.command(0x24);
  BOOST_TEST(same(ide.read_data(4), patterns(300, 4)));
  BOOST_TEST(ide.wait() == 0x51);
  BOOST_TEST(ide.error() == ide.UNC);
  BOOST_TEST(ide.lba48_now() == 304);
}

BOOST_AUTO_TEST_SUITE_END()
