// SPDX-License-Identifier: MIT
// What is left of a command that is stopped half-way by QMP's stop or for a saved state.
#include "tests/unit/devices/ide/units_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
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
using test::salted;
using test::same;
using test::stamp;

BOOST_FIXTURE_TEST_SUITE(ide_half_done, ByUnits)

namespace {
struct Command {
  unsigned opcode;
  unsigned sectors;
  bool dma;
  bool writes;
  unsigned units;  ///< enough for all of it, with a unit more for each word that is asked for
};
std::ostream& operator<<(std::ostream& out, const Command& c) {
  return out << std::hex << c.opcode << std::dec << ", " << c.sectors << " sectors";
}
constexpr Command kCommands[]{
    {0x25, 8192, true, false, 6}, {0x35, 8192, true, true, 6}, {0x24, 300, false, false, 3},
    {0x34, 40, false, true, 3},   {0x29, 40, false, false, 2}, {0x39, 40, false, true, 3},
    {0x42, 600, false, false, 6}, {0xea, 1, false, false, 2},
};

/// The rest of a command, as its driver does it; the data that PIO has brought.
std::vector<std::byte> finish(IdeDriver& ide, const Command& c, std::span<const std::byte> data) {
  std::vector<std::byte> got;
  const unsigned block = c.opcode == 0x29 || c.opcode == 0x39 ? 16 : 1;
  if (!c.dma && c.writes) {
    ide.write_data(data, block);
  } else if (c.opcode == 0x24 || c.opcode == 0x29) {
    got = ide.read_data(c.sectors, block);
  }
  BOOST_TEST(ide.wait() == 0x50);
  return got;
}
}  // namespace

BOOST_DATA_TEST_CASE(a_command_that_is_stopped_anywhere_goes_on,
                     boost::unit_test::data::make(kCommands),
                     c) {
  const auto data = salted(0, c.sectors);
  for (const bool elsewhere : {false, true}) {
    for (unsigned units = 0; units <= c.units; ++units) {
      stamp(disk, 0, c.sectors);
      guest.set_auto_work(false);
      std::memset(guest.ram().subspan(kBuffer, 8192 * 512).data(), 0, 8192 * 512);
      if (c.writes) {
        test::put_memory(guest, kBuffer, data);
      }
      ide.soft_reset();
      ide.lba48(0, 0, c.sectors);
      ide.prepare_dma(regions(64));
      ide.command(c.opcode);
      if (c.dma) {
        ide.bm_command(c.writes ? 1 : 9);
      }
      run(units);
      const auto before = disk.log.size();
      machine.controller->pause();
      BOOST_TEST(disk.log.size() == before);  // nothing was in flight
      BOOST_TEST(guest.work().empty());
      test::IdeMachine other{{&disk, nullptr, nullptr, nullptr}};
      if (elsewhere) {
        other.ide0.enable();
        BOOST_TEST(validate(machine.controller->state()));
        test::carry_over(machine, other);
      }
      test::IdeMachine& here = elsewhere ? other : machine;
      BOOST_TEST(here.guest.work().empty());
      here.controller->resume();
      here.guest.set_auto_work(true);
      here.guest.run_work();
      const auto got = finish(here.ide0, c, data);
      if (c.writes) {
        BOOST_TEST(same(test::image(disk, 0, c.sectors), data));
      } else if (c.dma) {
        BOOST_TEST(same(test::memory(here.guest, kBuffer, data.size()), patterns(0, c.sectors)));
        BOOST_TEST(here.ide0.bm_status() == 0x04);
      } else if (!got.empty()) {
        BOOST_TEST(same(got, patterns(0, c.sectors)));
      }
      if (elsewhere) {
        machine.controller->resume();
        ide.soft_reset();
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_trim_goes_on_in_another_machine_and_is_judged_there) {
  put_trim_ranges(guest);
  const Prd prd{kBuffer, 4096};
  ide.select(0, 0x40);
  ide.out(1, 1);
  ide.out(2, 8);
  start(0x06, {&prd, 1});
  run(100);
  machine.controller->pause();
  const auto state = machine.controller->state();
  const auto before = disk.log.size();
  test::IdeMachine to{{&disk, nullptr, nullptr, nullptr}};
  to.ide0.enable();
  BOOST_TEST_REQUIRE(to.controller->restore(state));
  to.controller->resume();
  to.guest.run_work();
  BOOST_TEST(to.ide0.status() == 0x50);
  BOOST_TEST(disk.log.size() - before == 512U - 100U);
  rig::ScriptedBlock small{1 << 20};
  test::IdeMachine smaller{{&small, nullptr, nullptr, nullptr}};
  BOOST_TEST(!smaller.controller->restore(state));
}

BOOST_AUTO_TEST_CASE(impossible_half_done_commands_are_refused) {
  ide.lba48(0, 0, 0);
  start(0x25, regions(512));
  run(2);
  machine.controller->pause();
  const auto good = machine.controller->state();
  BOOST_TEST(validate(good));
  const std::vector<std::function<void(ide::ControllerState&)>> bad{
      [](auto& s) { s.drives[0].disk.step = ata::DiskStep::begin; },
      [](auto& s) { s.drives[0].disk.step = ata::DiskStep::pio_write; },
      [](auto& s) { s.drives[0].disk.step = ata::DiskStep::trim; },
      [](auto& s) { s.drives[0].disk.step = static_cast<ata::DiskStep>(8); },
      [](auto& s) { s.drives[0].disk.step = ata::DiskStep::dma_begin; },  // yet it is moving
      [](auto& s) { s.drives[0].disk.remaining = 0; },
      [](auto& s) { s.drives[0].disk.phase = ata::Phase::idle; },
      [](auto& s) { s.channels[0].bus_master.running = false; },
      [](auto& s) { s.channels[0].bus_master.command = 0; },
      [](auto& s) { s.channels[0].bus_master.armed = true; },
      [](auto& s) { s.channels[0].bus_master.moved = (32U << 20U) + 512; },
      [](auto& s) { s.channels[0].bus_master.moved = 1; },
      [](auto& s) { s.channels[1].bus_master.running = true; },
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    auto state = good;
    bad[i](state);
    BOOST_TEST(!validate(state), "case " << i);
  }
}

BOOST_AUTO_TEST_CASE(a_table_that_has_shrunk_meanwhile_is_a_fault) {
  ide.lba48(0, 0, 8192);
  start(0x25, regions(64));
  run(2);
  machine.controller->pause();
  const auto state = machine.controller->state();
  test::IdeMachine to{{&disk, nullptr, nullptr, nullptr}};
  to.ide0.enable();
  const Prd one{kBuffer, 4096};
  to.ide0.put_prds(IdeDriver::kTable, {&one, 1});
  BOOST_TEST_REQUIRE(to.controller->restore(state));
  const auto before = disk.log.size();
  to.controller->resume();
  to.guest.run_work();
  BOOST_TEST(disk.log.size() == before);
  BOOST_TEST(to.ide0.bm_status() == (ide.INTR | ide.BM_ERROR));
  BOOST_TEST(to.ide0.status() == 0x51);
}

BOOST_AUTO_TEST_SUITE_END()
