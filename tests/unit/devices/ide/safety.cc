// SPDX-License-Identifier: MIT
// Resets, stops and unplug with I/O in flight, and late completions.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using drivers::IdeDriver;
using test::kBuffer;
using test::OneDisk;
using test::patterns;
using test::Prd;
using test::same;
using test::stamp;
using test::TwoDisks;

namespace {

void start_pio_write(IdeDriver& ide, std::uint32_t lba, unsigned sectors, std::uint64_t salt) {
  ide.lba28(0, lba, sectors);
  ide.command(0x30);
  ide.write_data(patterns(lba, sectors, salt));
}
}  // namespace

BOOST_FIXTURE_TEST_SUITE(ide_reset_in_flight, OneDisk)

BOOST_AUTO_TEST_CASE(srst_during_a_write_lets_it_land_where_it_belongs) {  // B1, CVE-2023-5088
  stamp(disk, 0, 60);
  disk.hold();
  start_pio_write(ide, 50, 2, 9);
  BOOST_REQUIRE(disk.pending() == 1U);
  ide.soft_reset();
  BOOST_TEST(disk.pending() == 0U);  // drained before the registers were cleared
  BOOST_TEST(ide.in(3) == 1);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(ide.edges() == 1);  // that of the first block; none for the command that was cut off
  BOOST_TEST(same(test::image(disk, 0, 50), patterns(0, 50)));
  BOOST_TEST(same(test::image(disk, 50, 2), patterns(50, 2, 9)));
  BOOST_TEST(same(test::image(disk, 52, 8), patterns(52, 8)));
}

BOOST_AUTO_TEST_CASE(a_completion_that_comes_after_the_reset_changes_nothing) {  // B1
  stamp(disk, 0, 60);
  disk.hold();
  disk.break_drain();
  start_pio_write(ide, 50, 1, 9);
  ide.soft_reset();
  BOOST_TEST(ide.status() == 0x50);
  BOOST_REQUIRE(disk.pending() == 1U);
  // The next command waits: the old request still owns its buffer.
  ide.lba28(0, 55, 1);
  ide.command(0x30);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  guest.poke<std::uint64_t>(0x30000, ~0ULL);
  guest.rep_outs(ide.data_port(), 2, 0x30000, 4);
  const auto edges = ide.edges();
  disk.complete();
  guest.run_work();
  BOOST_TEST(ide.edges() == edges);
  BOOST_TEST((ide.alt_status() & (ide.BSY | ide.DRQ)) == ide.DRQ);
  disk.hold(false);
  ide.write_data(patterns(55, 1, 10));
  BOOST_TEST(ide.wait() == 0x50);
  BOOST_TEST(machine.disk_at(0).counters().stale == 1U);
  BOOST_TEST(same(test::image(disk, 0, 50), patterns(0, 50)));
  BOOST_TEST(same(test::image(disk, 50, 1), patterns(50, 1, 9)));
  BOOST_TEST(same(test::image(disk, 51, 4), patterns(51, 4)));
  BOOST_TEST(same(test::image(disk, 55, 1), patterns(55, 1, 10)));
}

BOOST_AUTO_TEST_CASE(a_late_dma_read_only_gives_its_memory_back) {  // B1, B27
  stamp(disk, 0, 60);
  disk.hold();
  disk.break_drain();
  start_read(8, 8);
  BOOST_REQUIRE(disk.pending() == 1U);
  ide.soft_reset();
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST((ide.bm_status() & (ide.ACTIVE | ide.INTR)) == 0);
  ide.command(0xec);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  disk.complete();
  guest.run_work();
  BOOST_TEST((ide.bm_status() & ide.ACTIVE) == 0);
  disk.hold(false);
  BOOST_TEST(ide.read_data(1).size() == 512U);
  guest.memory().invalidate();
  BOOST_TEST(guest.memory().mapped_windows() == 0U);  // nothing is held any more
}

BOOST_AUTO_TEST_CASE(srst_during_a_pio_read_drops_its_data) {  // B27
  stamp(disk, 0, 60);
  disk.hold();
  ide.lba28(0, 10, 4);
  ide.command(0x20);
  ide.soft_reset();
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(guest.inw(ide.data_port()) == 0);
  disk.hold(false);
  ide.lba28(0, 20, 1);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(1), patterns(20, 1)));
}

BOOST_AUTO_TEST_CASE(srst_between_the_blocks_of_a_write_forgets_the_rest) {
  stamp(disk, 0, 60);
  ide.lba28(0, 20, 8);
  ide.command(0x30);
  ide.write_data(patterns(20, 3, 5));
  ide.soft_reset();
  guest.run_work();
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(same(test::image(disk, 23, 37), patterns(23, 37)));
  BOOST_TEST(same(test::image(disk, 0, 20), patterns(0, 20)));
}

BOOST_AUTO_TEST_CASE(srst_before_the_deferred_work_has_begun_does_no_io) {
  guest.set_auto_work(false);
  const Prd prd{kBuffer, 512};
  for (const unsigned opcode : {0xc8U, 0xcaU, 0x20U, 0xe7U, 0x40U}) {
    ide.prepare_dma({&prd, 1});
    ide.lba28(0, 5, 1);
    ide.command(opcode);
    ide.bm_command(9);
    ide.soft_reset();
    guest.run_work();
    BOOST_TEST(ide.status() == 0x50);
  }
  BOOST_TEST(disk.log.empty());
}

BOOST_AUTO_TEST_CASE(srst_during_a_flush_waits_for_it) {
  disk.hold();
  ide.command(0xe7);
  ide.soft_reset();
  BOOST_TEST(disk.pending() == 0U);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(!ide.irq());
}

BOOST_AUTO_TEST_CASE(stopping_a_transfer_that_a_backend_will_not_give_back_fails_the_command) {
  disk.hold();
  disk.break_drain();
  const Prd prd{kBuffer, 4096};
  start_read(8, 8);
  ide.bm_command(0);
  BOOST_TEST((ide.bm_status() & ide.ACTIVE) == 0);
  BOOST_TEST(ide.status() == (ide.DRDY | ide.DSC | ide.DF | ide.ERR));
  disk.break_drain(false);
  disk.complete_all();
  disk.hold(false);
  BOOST_TEST(ide.read_dma(0, 8, 8, {&prd, 1}).bm == 0x04);
}

BOOST_AUTO_TEST_CASE(a_reset_at_every_point_of_every_command_leaves_a_working_drive) {
  // The command write, n units of work, then SRST, with the completion held or not.
  stamp(disk, 0, 600);
  const std::vector<Prd> prds(4, Prd{kBuffer, 65536});
  for (const unsigned opcode :
       {0x20U, 0x24U, 0x25U, 0x29U, 0x40U, 0x42U, 0xc4U, 0xc8U, 0xe7U, 0xecU, 0xe0U}) {
    for (unsigned units = 0; units < 4; ++units) {
      for (const bool held : {false, true}) {
        disk.hold(held);
        guest.set_auto_work(false);
        ide.prepare_dma(prds);
        ide.lba48(0, 8, 300);
        ide.command(opcode);
        ide.bm_command(9);
        for (unsigned i = 0; i < units; ++i) {
          (void)guest.work().run_one();
        }
        ide.soft_reset();
        guest.set_auto_work(true);
        disk.hold(false);
        BOOST_REQUIRE_EQUAL(ide.status(), 0x50);
        BOOST_REQUIRE_EQUAL(disk.pending(), 0U);
        ide.lba28(0, 17, 1);
        ide.command(0x20);
        BOOST_REQUIRE(same(ide.read_data(1), patterns(17, 1)));
      }
    }
  }
  BOOST_TEST(same(test::image(disk, 0, 600), patterns(0, 600)));
}

BOOST_AUTO_TEST_CASE(destruction_with_io_in_flight_waits_for_it) {
  rig::ScriptedBlock other{1 << 20};
  {
    test::IdeMachine m{{&other, nullptr, nullptr, nullptr}};
    m.ide0.enable();
    other.hold();
    const Prd prd{kBuffer, 4096};
    m.ide0.prepare_dma({&prd, 1});
    m.ide0.lba28(0, 8, 8);
    m.ide0.command(0xc8);
    m.ide0.bm_command(9);
    BOOST_TEST(other.pending() == 1U);
  }
  BOOST_TEST(other.drains >= 1U);
  BOOST_TEST(!other.is_open());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(ide_unplug, TwoDisks)

BOOST_AUTO_TEST_CASE(unplug_makes_data_durable_closes_the_images_and_the_drives_are_gone) {
  start_pio_write(ide, 50, 2, 9);
  BOOST_TEST(ide.wait() == 0x50);
  BOOST_TEST(machine.controller->unplug({.ide_disks = true}));
  BOOST_TEST(!disk.is_open());
  BOOST_TEST(!slave.is_open());
  BOOST_TEST(disk.flushes_now == 1U);
  disk.power_cut();
  BOOST_TEST(same(test::image(disk, 50, 2), patterns(50, 2, 9)));
  for (unsigned unit = 0; unit < 2; ++unit) {
    ide.select(unit);
    for (unsigned reg = 1; reg < 8; ++reg) {
      BOOST_TEST(ide.in(reg) == 0);
    }
  }
  BOOST_TEST(!ide.irq());
  BOOST_TEST(machine.controller->drive(0) == nullptr);
  BOOST_TEST(machine.controller->unplug({.ide_disks = true}));  // again: nothing
  BOOST_TEST(disk.flushes_now == 1U);
}

BOOST_AUTO_TEST_CASE(unplug_with_a_dma_write_in_flight_lets_it_finish_first) {  // XSA-139
  disk.hold();
  test::put_memory(guest, kBuffer, patterns(70, 8, 3));
  const Prd prd{kBuffer, 4096};
  ide.prepare_dma({&prd, 1});
  ide.lba28(0, 70, 8);
  ide.command(0xca);
  ide.bm_command(1);
  BOOST_REQUIRE(disk.pending() == 1U);
  BOOST_TEST(machine.controller->unplug({.ide_disks = true}));
  BOOST_TEST(disk.pending() == 0U);
  disk.power_cut();
  BOOST_TEST(same(test::image(disk, 70, 8), patterns(70, 8, 3)));
  BOOST_TEST((ide.bm_status() & ide.ACTIVE) == 0);
  BOOST_TEST(!ide.irq());
  guest.run_work();
  guest.memory().invalidate();
  BOOST_TEST(guest.memory().mapped_windows() == 0U);
}

BOOST_AUTO_TEST_CASE(unplug_lowers_the_line) {
  ide.command(0x10);
  BOOST_TEST(ide.irq());
  BOOST_TEST(machine.controller->unplug({.ide_disks = true}));
  BOOST_TEST(!ide.irq());
}

BOOST_AUTO_TEST_CASE(the_primary_master_may_stay) {
  stamp(disk, 5, 1);
  BOOST_TEST(machine.controller->unplug({.ide_secondary_disks = true}));
  BOOST_TEST(disk.is_open());
  BOOST_TEST(!slave.is_open());
  ide.lba28(0, 5, 1);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(1), patterns(5, 1)));
  ide.select(1);
  BOOST_TEST(ide.status() == 0);
}

BOOST_AUTO_TEST_CASE(a_flush_that_fails_at_unplug_is_told) {
  slave.fail_flushes();
  BOOST_TEST(!machine.controller->unplug({.ide_disks = true}));
  BOOST_TEST(!slave.is_open());
}

BOOST_AUTO_TEST_CASE(everything_can_be_done_to_a_controller_without_drives) {  // B5, D18
  BOOST_TEST(machine.controller->unplug({.ide_disks = true}));
  const Prd prd{kBuffer, 4096};
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    ide.prepare_dma({&prd, 1});
    ide.lba48(opcode & 1U, 5, 8);
    ide.command(opcode);
    ide.bm_command(9);
    ide.bm_command(0);
    (void)guest.inl(ide.data_port());
    guest.outl(ide.data_port(), opcode);
    ide.soft_reset();
  }
  ide.bm_command(9);
  BOOST_TEST(ide.bm_status() == ide.ACTIVE);
  ide.bm_command(0);
  BOOST_TEST(ide.bm_status() == 0);
  machine.controller->pause();
  BOOST_TEST(machine.controller->flush());
  BOOST_TEST(ide.edges() == 0);
}

BOOST_AUTO_TEST_CASE(data_of_one_drive_never_shows_in_the_other) {  // B20
  stamp(disk, 5, 1);
  ide.lba28(0, 5, 1);
  ide.command(0x20);
  guest.rep_ins(ide.data_port(), 2, 0x10000, 100);
  ide.select(1);  // ignored: the master has DRQ
  ide.command(0xec);
  guest.rep_ins(ide.data_port(), 2, 0x10000 + 200, 156);
  BOOST_TEST(same(test::memory(guest, 0x10000, 512), patterns(5, 1)));
  BOOST_TEST(slave.log.empty());
}

BOOST_AUTO_TEST_SUITE_END()
