// SPDX-License-Identifier: MIT
// The registers of the bus master: start, stop, status, and no bus mastering at all.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/unit_test.hpp>

using namespace dm;
using test::kBuffer;
using test::OneDisk;
using test::patterns;
using test::Prd;
using test::same;
using test::stamp;

BOOST_FIXTURE_TEST_SUITE(ide_bus_master, OneDisk)

BOOST_AUTO_TEST_CASE(no_busmaster) {
  // QEMU's ide-test /ide/bmdma/no_busmaster: nothing can be fetched, so the table reads as zeros
  // and data goes nowhere.
  ide.enable(3);
  const std::vector<Prd> prds(512, Prd{0, 0});
  std::memset(guest.ram().data(), 0x5a, 0x4000);
  ide.bm_command(0);
  ide.bm_status(6);
  ide.bm_table(0x8000);
  ide.lba28(0, 0, 0);
  ide.command(0xc8);
  const auto r = ide.run_dma(true);
  BOOST_TEST(r.bm == 0x05);
  BOOST_TEST(r.status == 0x50);
  BOOST_TEST(std::to_integer<int>(guest.ram()[0]) == 0x5a);
}

BOOST_AUTO_TEST_CASE(a_write_without_bus_mastering_never_reaches_the_disk) {
  stamp(disk, 5, 1);
  ide.enable(3);
  const Prd prd{kBuffer, 512};
  const auto r = ide.write_dma(0, 5, 1, {&prd, 1});
  BOOST_TEST(r.bm == (ide.INTR | ide.BM_ERROR));
  BOOST_TEST(r.status == 0x51);
  BOOST_TEST(r.error == ide.ABRT);
  BOOST_TEST(same(test::image(disk, 5, 1), patterns(5, 1)));
  BOOST_TEST(disk.log.empty());
}

BOOST_AUTO_TEST_CASE(bm_status_bits_clear_by_writing_ones_and_keep_the_capable_bits) {
  ide.bm_status(0x60);
  BOOST_TEST(ide.bm_status() == 0x60);
  ide.command(0x10);  // a PIO-class interrupt latches too
  BOOST_TEST(ide.bm_status() == 0x64);
  ide.bm_status(0x60);
  BOOST_TEST(ide.bm_status() == 0x64);
  ide.bm_status(0x24);
  BOOST_TEST(ide.bm_status() == 0x20);
  BOOST_TEST(ide.irq());  // the line is the drive's business
  ide.bm_status(0x9b);
  BOOST_TEST(ide.bm_status() == 0x00);
}

BOOST_AUTO_TEST_CASE(bm_interrupt_bit_latches_edges_only) {
  ide.command(0x10);
  ide.bm_status(4);
  BOOST_TEST(ide.bm_status() == 0);
  (void)ide.status();
  BOOST_TEST(ide.bm_status() == 0);
  ide.control(ide.nIEN);
  ide.command(0x10);
  BOOST_TEST(ide.bm_status() == 0);
  ide.control(0);
  BOOST_TEST(ide.bm_status() == 4);
}

BOOST_AUTO_TEST_CASE(bus_master_registers_take_any_width) {
  guest.outl(0xc004, 0x12345677);
  BOOST_TEST(guest.inl(0xc004) == 0x12345674U);
  BOOST_TEST(guest.inw(0xc006) == 0x1234);
  guest.outb(0xc005, 0xaa);
  BOOST_TEST(guest.inl(0xc004) == 0x1234aa74U);
  guest.outw(0xc006, 0x5678);
  BOOST_TEST(guest.inl(0xc004) == 0x5678aa74U);
  BOOST_TEST(guest.inb(0xc001) == 0xff);
  BOOST_TEST(guest.inb(0xc003) == 0xff);
  guest.outb(0xc000, 0xf8);
  BOOST_TEST(guest.inb(0xc000) == 0x08);
  guest.outb(0xc008, 0x08);
  BOOST_TEST(guest.inl(0xc008) == 0xff00ff08U);
  BOOST_TEST(guest.inb(0xc000) == 0x08);
  guest.outl(0xc006, 0xffffffff);  // crosses into the secondary channel
  BOOST_TEST(guest.inl(0xc004) == 0xffffaa74U);
}

BOOST_AUTO_TEST_CASE(start_without_a_command_waits_and_stop_ends_it) {  // B21
  const Prd prd{kBuffer, 512};
  ide.prepare_dma({&prd, 1});
  ide.bm_command(9);
  BOOST_TEST(ide.bm_status() == ide.ACTIVE);
  ide.bm_command(9);  // the same value again changes nothing
  BOOST_TEST(ide.bm_status() == ide.ACTIVE);
  ide.bm_command(0);
  BOOST_TEST(ide.bm_status() == 0);
  // A command without a start waits with BSY; a stop is nothing to it.
  stamp(disk, 2, 1);
  ide.lba28(0, 2, 1);
  ide.command(0xc8);
  ide.bm_command(0);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  BOOST_TEST(disk.log.empty());
  BOOST_TEST(ide.run_dma(true).bm == 0x04);
}

BOOST_AUTO_TEST_CASE(a_start_serves_one_command) {
  const Prd prd{kBuffer, 1024};
  ide.prepare_dma({&prd, 1});
  ide.lba28(0, 2, 1);
  ide.command(0xc8);
  ide.bm_command(9);
  BOOST_TEST(ide.bm_status() == 0x05);  // longer: stays active
  (void)ide.status();
  ide.lba28(0, 3, 1);
  ide.command(0xc8);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  ide.bm_command(0);
  ide.bm_status(4);
  BOOST_TEST(ide.run_dma(true).bm == 0x05);
}

BOOST_AUTO_TEST_CASE(start_latches_the_table_address) {  // B21
  stamp(disk, 2, 1);
  guest.set_auto_work(false);
  const Prd first{kBuffer, 512};
  const Prd second{kBuffer + 0x1000, 512};
  ide.prepare_dma({&first, 1});
  ide.put_prds(0x9000, {&second, 1});
  ide.lba28(0, 2, 1);
  ide.command(0xc8);
  ide.bm_command(9);
  ide.bm_table(0x9000);
  guest.run_work();
  BOOST_TEST(same(test::memory(guest, kBuffer, 512), patterns(2, 1)));
  BOOST_TEST(same(test::memory(guest, kBuffer + 0x1000, 512), std::vector<std::byte>(512)));
}

BOOST_AUTO_TEST_CASE(a_storm_of_starts_and_stops_changes_no_data) {  // B21
  stamp(disk, 2, 8);
  const Prd prd{kBuffer, 4096};
  for (int i = 0; i < 1000; ++i) {
    guest.set_auto_work(i % 3 == 0);
    ide.prepare_dma({&prd, 1});
    if (i % 2 == 0) {
      ide.lba28(0, 2, 8);
      ide.command(0xc8);
    }
    ide.bm_command(9);
    ide.bm_command(i % 5 == 0 ? 0 : 9);
    ide.bm_command(0);
    ide.soft_reset();
  }
  guest.set_auto_work(true);
  guest.run_work();
  BOOST_TEST(same(test::image(disk, 2, 8), patterns(2, 8)));
  BOOST_TEST(ide.read_dma(0, 2, 8, {&prd, 1}).bm == 0x04);
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(2, 8)));
}

BOOST_AUTO_TEST_CASE(stopping_waits_until_nothing_moves_any_more) {
  stamp(disk, 2, 8);
  disk.hold();
  start_read(2, 8);
  BOOST_TEST(disk.pending() == 1U);
  ide.bm_command(0);
  BOOST_TEST(disk.pending() == 0U);
  BOOST_TEST(ide.bm_status() == 0x04);
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(2, 8)));
}

BOOST_AUTO_TEST_CASE(losing_bus_mastering_half_way_stops_the_data) {  // B24
  guest.set_auto_work(false);
  stamp(disk, 0, 4096);
  std::vector<Prd> prds;
  for (unsigned i = 0; i < 32; ++i) {
    prds.push_back({kBuffer + i * 65536, 65536});
  }
  ide.prepare_dma(prds);
  ide.lba48(0, 8192, 4096);
  ide.command(0x35);
  ide.bm_command(1);
  BOOST_TEST(guest.work().run_one());
  BOOST_TEST(disk.log.size() == 1U);
  guest.config_write(ide.kBdf, 4, 2, 3);
  guest.run_work();
  BOOST_TEST(ide.bm_status() == (ide.INTR | ide.BM_ERROR));
  BOOST_TEST(ide.status() == 0x51);
  BOOST_TEST(disk.log.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
