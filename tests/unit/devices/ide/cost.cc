// SPDX-License-Identifier: MIT
// What one port access may make the host do, and what is left of a command that the bus master
// stops half-way.
#include "tests/unit/devices/ide/units_rig.h"

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace dm;
using drivers::IdeDriver;
using test::ByUnits;
using test::kBuffer;
using test::patterns;
using test::Prd;
using test::put_trim_ranges;
using test::regions;
using test::same;
using test::stamp;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ide_cost, ByUnits)

BOOST_AUTO_TEST_CASE(a_stopped_bus_master_ends_its_command_after_the_request_in_flight) {
  stamp(disk, 0, 4096);
  for (const bool write : {false, true}) {
    for (unsigned units = 0; units < 4; ++units) {
      for (const bool held : {false, true}) {
        disk.hold(held);
        ide.lba48(0, 0, 0);  // 65536 sectors, 32 MiB
        start(write ? 0x35 : 0x25, regions(512));
        run(units);
        const auto before = disk.log.size();
        ide.bm_command(0);
        BOOST_TEST(disk.log.size() - before <= 1U);
        BOOST_TEST(disk.pending() == 0U);
        BOOST_TEST(guest.work().empty());
        BOOST_TEST((ide.bm_status() & (ide.ACTIVE | ide.INTR)) == ide.INTR);
        BOOST_TEST(ide.irq());
        BOOST_TEST(ide.status() == (ide.DRDY | ide.DSC | ide.ERR));
        BOOST_TEST(ide.error() == 0x04);  // ABRT
        BOOST_TEST(ide.lba48_now() == disk.log.back().offset / 512 + 2048);
        disk.hold(false);
      }
    }
  }
  BOOST_TEST(worst_request() == 1U);
  guest.set_auto_work(true);
  const Prd prd{kBuffer, 4096};
  BOOST_TEST(ide.write_dma(0, 20, 8, {&prd, 1}).bm == 0x04);
}

BOOST_AUTO_TEST_CASE(a_short_transfer_that_is_stopped_at_once_is_done) {
  stamp(disk, 2, 8);
  const Prd prd{kBuffer, 4096};
  ide.lba48(0, 2, 8);
  start(0x25, {&prd, 1});
  ide.bm_command(0);
  BOOST_TEST(ide.bm_status() == 0x04);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(2, 8)));
}

BOOST_AUTO_TEST_CASE(a_stopped_trim_discards_one_range_more) {
  put_trim_ranges(guest);
  const Prd prd{kBuffer, 4096};
  for (unsigned units = 0; units < 5; ++units) {
    ide.select(0, 0x40);
    ide.out(1, 1);
    ide.out(2, 8);
    start(0x06, {&prd, 1});
    run(units);
    const auto before = disk.log.size();
    ide.bm_command(0);
    BOOST_TEST(disk.log.size() - before <= 1U);
    BOOST_TEST(ide.status() == (ide.DRDY | ide.DSC | ide.ERR));
    BOOST_TEST(ide.error() == 0x04);
    BOOST_TEST(guest.work().empty());
  }
  BOOST_TEST(worst_request() == 1U);
}

BOOST_AUTO_TEST_CASE(no_access_to_any_port_makes_more_than_one_request) {
  // Each command, some units, then each of the ways to end it.
  const std::vector<std::function<void()>> ends{
      [&] { ide.bm_command(0); },
      [&] { guest.config_write(ide.kBdf, 4, 2, 0); },
      [&] { guest.config_write(ide.kBdf, 4, 2, 3); },
      [&] { ide.soft_reset(); },
      [&] { ide.command(0x90); },
      [&] { ide.command(0x08); },
      [&] { ide.bm_status(0x67); },
      [&] { ide.select(1); },
      [&] { guest.rep_outs(ide.bm_port(), 1, kBuffer + 0x100, 4096); },
  };
  put_trim_ranges(guest);
  for (const unsigned opcode : {0x20U, 0x24U, 0x25U, 0x29U, 0x30U, 0x34U, 0x35U, 0x39U, 0x06U,
                                0x42U, 0xc4U, 0xc5U, 0xe7U, 0xb0U, 0xefU}) {
    for (const auto& end : ends) {
      for (unsigned units = 0; units < 4; ++units) {
        guest.config_write(ide.kBdf, 4, 2, 7);
        ide.soft_reset();
        ide.lba48(0, 0, 0);
        ide.out(1, opcode == 0xb0 ? 0xd0 : opcode == 0xef ? 0x82 : 1);
        ide.out(2, opcode == 0x06 ? 8 : 0);
        start(opcode, regions(512));
        run(units);
        const auto before = disk.log.size();
        end();
        BOOST_REQUIRE_LE(disk.log.size() - before, 1U);
      }
    }
  }
  BOOST_TEST(worst_request() <= 1U);
  BOOST_TEST(guest.work().meter().worst_unit().image_requests == 1U);
  BOOST_TEST(guest.work().meter().worst_unit().bytes <= kMiB);
}

BOOST_AUTO_TEST_CASE(a_disk_leaves_after_the_request_in_flight) {
  stamp(disk, 0, 16);
  disk.hold();
  ide.lba48(0, 0, 0);
  start(0x35, regions(512));
  run(1);
  BOOST_TEST(disk.pending() == 1U);
  BOOST_TEST(machine.controller->unplug({.ide_disks = true}));
  BOOST_TEST(disk.log.size() == 1U);
  BOOST_TEST(disk.flushes_now == 1U);
  BOOST_TEST(!disk.is_open());
  BOOST_TEST((ide.bm_status() & ide.ACTIVE) == 0);
}

BOOST_AUTO_TEST_CASE(a_table_on_pages_that_are_not_there_maps_a_window_or_two) {
  // Across the edge of two windows, neither of which has its page there.
  const std::uint32_t table = 0x3ff000 + 0x800;
  guest.sim_memory().set_present(0x3ff, false);
  guest.sim_memory().set_present(0x400, false);
  for (int i = 0; i < 20; ++i) {
    ide.prepare_dma({});
    ide.bm_table(table);
    ide.lba48(0, 0, 0);
    ide.command(0x25);
    ide.bm_command(9);
    const auto before = guest.sim_memory().calls();
    guest.run_work();
    BOOST_TEST(guest.sim_memory().calls() - before <= (i == 0 ? 2U : 0U));
    BOOST_TEST(ide.bm_status() == (ide.INTR | ide.BM_ERROR));
    BOOST_TEST(ide.status() == 0x51);
  }
}

// Mappings: each region lies across the edge of two windows that nothing else is in.

namespace {
struct Scattered {
  rig::ScriptedBlock disk{64 * kMiB};
  test::IdeMachine machine{{&disk, nullptr, nullptr, nullptr}, test::kManyWindows};
  rig::SimGuest& guest = machine.guest;
  IdeDriver& ide = machine.ide0;
  Scattered() {
    ide.enable();
    guest.set_auto_work(false);
  }
  /// READ DMA, WRITE DMA or DATA SET MANAGEMENT of `count` sectors.
  void start(unsigned opcode, unsigned count, std::span<const Prd> prds) {
    ide.soft_reset();
    ide.prepare_dma(prds);
    ide.lba48(0, 0, count);
    ide.out(1, 1);
    ide.command(opcode);
    ide.bm_command(opcode == 0x25 ? 9 : 1);
  }
  [[nodiscard]] std::uint64_t maps() { return guest.sim_memory().calls(); }
};
}  // namespace

BOOST_FIXTURE_TEST_CASE(a_stop_maps_no_more_than_any_request, Scattered) {
  for (const unsigned opcode : {0x25U, 0x35U, 0x06U}) {
    for (const bool absent : {false, true}) {
      guest.sim_memory().set_present(2 * test::kWindow / 4096, !absent);
      for (unsigned units = 0; units < 3; ++units) {
        start(opcode, opcode == 0x06 ? 8 : 256, test::edges(256, opcode == 0x06 ? 16 : 512));
        guest.send({.type = 8});  // INVALIDATE
        for (unsigned i = 0; i < units; ++i) {
          (void)guest.work().run_one();
        }
        const auto before = maps();
        ide.bm_command(0);
        BOOST_TEST(maps() - before <= bounds::kMapsPerRequest);
        BOOST_TEST(guest.work().empty());
        BOOST_TEST((ide.bm_status() & (ide.ACTIVE | ide.INTR)) == ide.INTR);
      }
    }
  }
  BOOST_TEST(guest.work().meter().worst_request().maps == bounds::kMapsPerRequest - 1);
}

BOOST_FIXTURE_TEST_CASE(a_stopped_transfer_has_moved_what_it_says, Scattered) {
  stamp(disk, 0, 256);
  start(0x25, 256, test::edges(256, 512));
  ide.bm_command(0);
  BOOST_TEST(ide.status() == (ide.DRDY | ide.DSC | ide.ERR));
  BOOST_TEST(ide.lba48_now() == 1U);
  BOOST_TEST(same(test::memory(guest, 2 * test::kWindow - 256, 512), patterns(0, 1)));
  BOOST_TEST(same(test::memory(guest, 4 * test::kWindow - 256, 512), std::vector<std::byte>(512)));
}

BOOST_FIXTURE_TEST_CASE(a_unit_maps_no_more_than_its_bound, Scattered) {
  for (const unsigned opcode : {0x25U, 0x35U, 0x06U}) {
    start(opcode, 8, test::edges(512, 8));
    guest.run_work();
    BOOST_TEST(guest.work().meter().worst_unit().maps <= bounds::kMapsPerUnit);
  }
  BOOST_TEST(guest.work().meter().worst_unit().maps > 256U);
}

BOOST_AUTO_TEST_SUITE_END()
