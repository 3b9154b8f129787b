// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>

using namespace dm;
using drivers::IdeDriver;
using test::kBuffer;
using test::OneDisk;
using test::patterns;
using test::Prd;
using test::same;
using test::stamp;

namespace {

/// Saved on one machine, gone on with on another that has the same disk.
struct Moved {
  explicit Moved(OneDisk& from) : machine{{&from.disk, nullptr, nullptr, nullptr}} {
    test::carry_over(from.machine, machine);
  }
  test::IdeMachine machine;
  IdeDriver& ide = machine.ide0;
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(ide_state, OneDisk)

BOOST_AUTO_TEST_CASE(a_read_goes_on_in_the_middle_of_a_sector) {
  stamp(disk, 10, 20);
  ide.lba28(0, 10, 20);
  ide.command(0x20);
  auto got = ide.read_data(3);
  guest.rep_ins(ide.data_port(), 2, 0x10000, 100);
  Moved to{*this};
  BOOST_TEST((to.ide.alt_status() & ide.DRQ) != 0);
  to.machine.guest.rep_ins(0x1f0, 2, 0x10000 + 200, 156);
  const auto sector = test::memory(to.machine.guest, 0x10000, 512);
  got.insert(got.end(), sector.begin(), sector.end());
  const auto rest = to.ide.read_data(16);
  got.insert(got.end(), rest.begin(), rest.end());
  BOOST_TEST(same(got, patterns(10, 20)));
  BOOST_TEST(to.ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_write_goes_on_with_blocks_gathered_before) {
  ide.lba28(0, 10, 20);
  ide.command(0x30);
  const auto data = patterns(10, 20, 4);
  ide.write_data(std::span{data}.first(5 * 512));
  Moved to{*this};
  to.ide.write_data(std::span{data}.subspan(5 * 512));
  BOOST_TEST(to.ide.wait() == 0x50);
  BOOST_TEST(same(test::image(disk, 10, 20), data));
}

BOOST_AUTO_TEST_CASE(a_dma_command_that_waits_for_the_start_is_started_on_the_other_side) {
  stamp(disk, 10, 8);
  give_read(10, 8);
  Moved to{*this};
  BOOST_TEST((to.ide.alt_status() & ide.BSY) != 0);
  BOOST_TEST(to.ide.run_dma(true).bm == 0x04);
  BOOST_TEST(same(test::memory(to.machine.guest, kBuffer, 4096), patterns(10, 8)));
}

BOOST_AUTO_TEST_CASE(a_bus_master_that_waits_for_the_command_serves_it_on_the_other_side) {
  stamp(disk, 10, 8);
  const Prd prd{kBuffer, 4096};
  ide.prepare_dma({&prd, 1});
  ide.bm_command(9);
  ide.bm_table(0x1234);  // the address was latched before
  Moved to{*this};
  to.ide.lba28(0, 10, 8);
  to.ide.command(0xc8);
  BOOST_TEST(to.ide.poll_dma().bm == 0x04);
  BOOST_TEST(same(test::memory(to.machine.guest, kBuffer, 4096), patterns(10, 8)));
}

BOOST_AUTO_TEST_CASE(settling_finishes_what_is_in_flight) {
  stamp(disk, 10, 8);
  disk.hold();
  start_read(10, 8);
  Moved to{*this};
  BOOST_TEST(disk.pending() == 0U);
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(10, 8)));
  BOOST_TEST(to.ide.poll_dma().bm == 0x04);
  BOOST_TEST(to.machine.guest.work().empty());
}

BOOST_AUTO_TEST_CASE(settings_selection_and_a_held_reset_survive) {
  ide.select(0, 3);
  ide.out(2, 8);
  ide.command(0xc6);
  ide.out(1, 0x82);
  ide.command(0xef);
  ide.control(ide.SRST | ide.nIEN);
  Moved to{*this};
  BOOST_TEST(to.ide.alt_status() == ide.BSY);
  to.ide.control(0);
  BOOST_TEST(to.ide.status() == 0x50);
  BOOST_TEST((to.ide.identify(0)[85] & 0x20U) == 0U);
  BOOST_TEST(to.machine.guest.config_read(ide.kBdf, 4, 2) == 7U);
  BOOST_TEST(to.ide.bm_status() == ide.bm_status());  // the window is where it was
}

BOOST_AUTO_TEST_CASE(a_pending_interrupt_is_taken_over_without_an_edge) {
  ide.command(0x10);
  BOOST_TEST(ide.irq());
  Moved to{*this};
  BOOST_TEST(to.ide.edges() == 0);  // Xen has restored its own copy of the level
  (void)to.ide.status();
  to.ide.command(0x10);
  BOOST_TEST(to.ide.irq());
}

BOOST_AUTO_TEST_CASE(an_unplugged_disk_stays_unplugged) {
  BOOST_TEST(machine.controller->unplug({.ide_disks = true}));
  rig::ScriptedBlock other{disk.info.size};
  test::IdeMachine to{{&other, nullptr, nullptr, nullptr}};
  BOOST_TEST(load(to, save(machine)));
  BOOST_TEST(!other.is_open());
  BOOST_TEST(to.ide0.status() == 0);
}

BOOST_AUTO_TEST_CASE(a_state_of_another_population_or_a_smaller_disk_is_refused) {
  ide.lba28(0, kSectors - 10, 10);
  ide.command(0x20);
  (void)ide.read_data(1);
  const auto bytes = save(machine);
  test::IdeMachine none{{}};
  BOOST_TEST(!load(none, bytes));
  rig::ScriptedBlock small{1 << 20};
  test::IdeMachine smaller{{&small, nullptr, nullptr, nullptr}};
  const auto before = save(smaller);
  BOOST_TEST(!load(smaller, bytes));
  BOOST_TEST(save(smaller) == before);
}

BOOST_AUTO_TEST_CASE(impossible_numbers_are_refused) {  // B25
  ide.lba28(0, 10, 20);
  ide.command(0x20);
  machine.controller->pause();
  const auto good = machine.controller->state();
  BOOST_TEST(validate(good));
  const std::vector<std::function<void(ide::ControllerState&)>> bad{
      [](auto& s) { s.drives[0].disk.end = 8194; },
      [](auto& s) { s.drives[0].disk.pos = s.drives[0].disk.end; },
      [](auto& s) { s.drives[0].disk.pos = 0xfffffffe; },
      [](auto& s) { s.drives[0].disk.pos = 1; },
      [](auto& s) { s.drives[0].disk.end = 513; },
      [](auto& s) { s.drives[0].disk.multiple = 17; },
      [](auto& s) { s.drives[0].disk.multiple = 3; },
      [](auto& s) { s.drives[0].disk.heads = 0; },
      [](auto& s) { s.drives[0].disk.sectors = 0; },
      [](auto& s) { s.drives[0].disk.remaining = 65537; },
      [](auto& s) { s.drives[0].disk.lba = ~0ULL; },
      [](auto& s) { s.drives[0].disk.dma_mode = 0x45; },
      [](auto& s) { s.drives[0].disk.smart.newest = 22; },
      [](auto& s) { s.drives[0].disk.phase = ata::Phase::work; },
      [](auto& s) { s.drives[0].disk.phase = ata::Phase::data_out; },
      [](auto& s) { s.drives[0].disk.phase = static_cast<ata::Phase>(77); },
      [](auto& s) { s.drives[0].disk.command = 0xe7; },
      [](auto& s) { s.drives[0].kind = static_cast<ata::DriveKind>(9); },
      [](auto& s) { s.channels[1].selected = 2; },
      [](auto& s) { s.channels[0].control = 0x10; },
      [](auto& s) { s.channels[0].control = 0x04; },
      [](auto& s) { s.drives[0].disk.phase = ata::Phase::reset; },
      [](auto& s) { s.channels[0].bus_master.command = 0x02; },
      [](auto& s) { s.channels[0].bus_master.status = 0x80; },
      [](auto& s) { s.channels[0].bus_master.table = 2; },
      [](auto& s) { s.channels[0].bus_master.armed = true; },
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    auto state = good;
    bad[i](state);
    BOOST_TEST(!validate(state), "case " << i);
    BOOST_TEST(!machine.controller->restore(state), "case " << i);
  }
  BOOST_TEST(machine.controller->restore(good));
}

BOOST_DATA_TEST_CASE(mutated_bytes_are_refused_or_harmless,
                     boost::unit_test::data::xrange(4),
                     seed) {
  stamp(disk, 10, 20);
  ide.lba28(0, 10, 20);
  ide.command(seed % 2 == 0 ? 0x20 : 0x30);
  if (seed % 2 == 0) {
    (void)ide.read_data(3);
  }
  const auto bytes = save(machine);
  std::uint64_t x = 88172645463325252ULL + static_cast<unsigned>(seed);
  const auto random = [&x](std::uint64_t below) {
    x ^= x << 13U;
    x ^= x >> 7U;
    x ^= x << 17U;
    return x % below;
  };
  for (int i = 0; i < 150; ++i) {
    auto mutated = bytes;
    for (auto n = random(4) + 1; n != 0; --n) {
      mutated[random(std::min<std::size_t>(mutated.size(), 900))] =
          static_cast<std::byte>(random(256));
    }
    if (random(8) == 0) {
      mutated.resize(random(mutated.size()));
    }
    rig::ScriptedBlock copy{kSectors * 512};
    test::IdeMachine to{{&copy, nullptr, nullptr, nullptr}};
    (void)load(to, mutated);
    for (int k = 0; k < 20; ++k) {
      to.guest.rep_ins(0x1f0, 2, 0x10000, 256);
      to.guest.rep_outs(0x1f0, 2, 0x10000, 256);
    }
    to.ide0.bm_command(0);
    to.ide0.soft_reset();
    to.ide0.select(0);
    const auto s = to.ide0.status();
    BOOST_REQUIRE((s == 0x50 || s == 0));
    for (const auto& entry : copy.log) {
      BOOST_REQUIRE(within(0, copy.info.size, entry.offset, entry.length));
    }
  }
}

// The hypervisor has restored the level by itself: what we say meanwhile would stay.
BOOST_AUTO_TEST_CASE(a_restore_sends_no_interrupt_when_a_drive_had_been_unplugged) {
  rig::ScriptedBlock second{1 << 20};
  test::IdeMachine from{{&disk, &second, nullptr, nullptr}};
  from.guest.outb(0x3f6, 0x02);  // nIEN: the interrupt stays inside
  from.guest.outb(0x1f6, 0xe0);
  from.guest.outb(0x1f7, 0xe7);  // FLUSH CACHE ends with INTRQ
  BOOST_TEST(from.controller->unplug({.ide_secondary_disks = true}));
  const auto bytes = save(from);
  rig::ScriptedBlock third{1 << 20};
  test::IdeMachine to{{&disk, &third, nullptr, nullptr}};
  BOOST_TEST_REQUIRE(load(to, bytes));
  BOOST_TEST(to.guest.isa_edges(14) == 0U);
  BOOST_TEST(save(to) == bytes);
}

BOOST_AUTO_TEST_SUITE_END()
