// SPDX-License-Identifier: MIT
// As cost.cc, for a CD-ROM drive.
#include "tests/unit/devices/ide/atapi_rig.h"

#include <boost/test/unit_test.hpp>

#include <cstring>

using namespace dm;
using drivers::AtapiDriver;
using test::kBuffer;
using test::OneCd;
using test::regions;

namespace {
struct CdCosts : OneCd {
  CdCosts() { guest.set_auto_work(false); }
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(atapi_cost, CdCosts)

BOOST_AUTO_TEST_CASE(a_stopped_read_ends_after_one_request_with_bus_mastering_on_or_off) {
  for (const unsigned pci_command : {7U, 3U}) {
    for (const bool raw : {false, true}) {
      for (unsigned units = 0; units < 4; ++units) {
        guest.config_write(ide.kBdf, 4, 2, pci_command);
        ide.prepare_dma(regions(128));
        cd.send(raw ? AtapiDriver::read_cd(0, kBlocks, 0xf8) : AtapiDriver::read12(0, kBlocks), 1,
                0);
        ide.bm_command(9);
        for (unsigned i = 0; i < units; ++i) {
          (void)guest.work().run_one();
        }
        const auto before = disc.log.size();
        ide.bm_command(0);
        BOOST_TEST(disc.log.size() - before <= 1U);
        BOOST_TEST(guest.work().empty());
        BOOST_TEST((ide.bm_status() & ide.ACTIVE) == 0);
        if ((ide.status() & ide.ERR) != 0) {  // else all of it was moved, or dropped
          guest.set_auto_work(true);
          BOOST_TEST((cd.sense() == Sense{0x0b, 0x4b, 0}));
          guest.set_auto_work(false);
        } else {
          BOOST_TEST(!raw);
        }
      }
    }
  }
  BOOST_TEST(guest.work().meter().worst_request().image_requests == 1U);
}

BOOST_AUTO_TEST_CASE(raw_frames_are_copied_within_the_bounds_on_mappings) {
  rig::ScriptedBlock scratched{std::uint64_t{kBlocks} * 2048};
  scratched.info.read_only = true;
  test::CdMachine m{&scratched, nullptr, test::kManyWindows};
  (void)m.cd.ready();
  m.guest.set_auto_work(false);
  const auto start = [&](unsigned frames, std::span<const Prd> prds) {
    m.ide.soft_reset();
    m.ide.prepare_dma(prds);
    m.cd.send(AtapiDriver::read_cd(0, frames, 0xf8), 1, 0);
    m.ide.bm_command(9);
  };
  start(27, test::edges(512, 128));
  m.guest.run_work();
  BOOST_TEST((m.ide.bm_status() & m.ide.BM_ERROR) != 0);
  start(27, test::edges(128, 512));
  m.guest.run_work();
  BOOST_TEST((m.ide.bm_status() & (m.ide.INTR | m.ide.BM_ERROR)) == m.ide.INTR);
  BOOST_TEST(m.guest.work().meter().worst_unit().maps <= bounds::kMapsPerUnit);
  BOOST_TEST(m.guest.work().meter().worst_unit().maps > 128U);
  // What is in flight when the guest stops the bus master, or turns the machine off.
  for (const bool off : {false, true}) {
    scratched.hold();
    start(27, test::edges(128, 512));
    (void)m.guest.work().run_one();
    (void)m.guest.work().run_one();
    BOOST_TEST(scratched.pending() == 1U);
    m.guest.send({.type = 8});  // INVALIDATE
    const auto before = m.guest.sim_memory().calls();
    if (off) {
      BOOST_TEST(m.controller->flush());
    } else {
      m.ide.bm_command(0);
    }
    BOOST_TEST(m.guest.sim_memory().calls() - before <= bounds::kMapsPerRequest);
    BOOST_TEST((m.ide.status() & m.ide.ERR) != 0);
    scratched.hold(false);
  }
}

BOOST_AUTO_TEST_CASE(without_bus_mastering_more_than_a_table_holds_is_too_much) {
  rig::ScriptedBlock large{std::uint64_t{300'000} * 2048};
  large.info.read_only = true;
  test::CdMachine m{&large};
  (void)m.cd.ready();
  guest.config_write(ide.kBdf, 4, 2, 3);
  m.guest.config_write(ide.kBdf, 4, 2, 3);
  const auto r = m.cd.packet_dma(AtapiDriver::read_cd(0, 300'000, 0xf8), {});
  BOOST_TEST((r.bm & (ide.ACTIVE | ide.INTR)) == 0);
  BOOST_TEST(large.log.empty());
}

BOOST_AUTO_TEST_CASE(reads_that_are_stopped_anywhere_go_on_in_another_machine) {
  const auto want = blocks(3, 900);
  for (const bool raw : {false, true}) {
    for (unsigned units = 0; units < 9; ++units) {
      ide.prepare_dma(regions(64));
      const unsigned count = raw ? 100 : 900;
      cd.send(raw ? AtapiDriver::read_cd(3, count, 0xf8) : AtapiDriver::read12(3, count), 1, 0);
      ide.bm_command(9);
      for (unsigned i = 0; i < units; ++i) {
        (void)guest.work().run_one();
      }
      const auto before = disc.log.size();
      machine.controller->pause();
      BOOST_TEST(disc.log.size() == before);
      test::CdMachine to{&disc};
      test::carry_over(machine, to);
      BOOST_TEST(to.guest.work().empty());
      to.controller->resume();
      to.guest.run_work();
      BOOST_TEST((to.ide.bm_status() & ide.INTR) != 0);
      BOOST_TEST(to.ide.wait() == 0x50);
      const auto* const ram = to.guest.ram().data() + kBuffer;
      for (unsigned i = 0; i < count; ++i) {
        const std::size_t at = raw ? std::size_t{i} * 2352 + 16 : std::size_t{i} * 2048;
        BOOST_REQUIRE(std::memcmp(ram + at, want.data() + std::size_t{i} * 2048, 2048) == 0);
      }
      ide.soft_reset();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_read_by_pio_that_is_stopped_before_its_fetch_goes_on) {
  const auto want = blocks(9, 40);
  cd.send(AtapiDriver::read10(9, 40), 0, 4096);
  machine.controller->pause();
  BOOST_TEST(disc.log.empty());
  const auto state = machine.controller->state();
  test::CdMachine to{&disc};
  BOOST_TEST_REQUIRE(to.controller->restore(state));
  to.controller->resume();
  to.guest.run_work();
  BOOST_TEST((to.cd.finish_pio().data == want));
}

BOOST_AUTO_TEST_CASE(a_disc_that_was_changed_under_a_stopped_read_is_not_read_on) {
  rig::ScriptedBlock same_size{std::uint64_t{kBlocks} * 2048};
  cd.send(AtapiDriver::read10(9, 40), 0, 4096);
  machine.controller->pause();
  BOOST_TEST(drive.eject(true));
  drive.insert(same_size.open());
  const auto state = machine.controller->state();
  test::CdMachine to{&same_size};
  BOOST_TEST_REQUIRE(to.controller->restore(state));
  to.controller->resume();
  to.guest.run_work();
  BOOST_TEST(same_size.log.empty());
  BOOST_TEST(to.cd.finish_pio().status == 0x51);
  BOOST_TEST((to.cd.sense() == Sense{6, 0x28, 0}));
  BOOST_TEST(drive.eject(true));  // before the image that it is
}

BOOST_AUTO_TEST_CASE(a_packet_from_pages_that_are_not_there_maps_a_window_or_two) {
  guest.sim_memory().set_present(0x3ff, false);
  guest.sim_memory().set_present(0x400, false);
  ide.select(0);
  ide.command(0xa0);
  const auto before = guest.sim_memory().calls();
  guest.rep_outs(ide.data_port(), 2, 0x3ffffc, 6);
  BOOST_TEST(guest.sim_memory().calls() - before <= 4U);
}

BOOST_AUTO_TEST_CASE(a_forced_eject_breaks_the_lock_for_the_discs_that_follow) {
  guest.set_auto_work(true);
  BOOST_TEST(cd.packet(cdb({0x1e, 0, 0, 0, 1})).ok());  // PREVENT
  BOOST_TEST(!drive.eject(false));
  BOOST_TEST(drive.eject(true));
  BOOST_TEST(!drive.locked());
  rig::ScriptedBlock next{std::uint64_t{kBlocks} * 2048};
  drive.insert(next.open());
  BOOST_TEST(!drive.locked());
  BOOST_TEST(drive.eject(false));
  drive.insert(disc.open());
  (void)cd.ready();  // a new disc
  BOOST_TEST(cd.packet(cdb({0x1e, 0, 0, 0, 1})).ok());
  BOOST_TEST(drive.locked());
  BOOST_TEST(drive.eject(true));
  const auto state = machine.controller->state();
  test::CdMachine to{nullptr};
  BOOST_TEST_REQUIRE(to.controller->restore(state));
  BOOST_TEST(!to.drive->locked());
}

BOOST_AUTO_TEST_SUITE_END()
