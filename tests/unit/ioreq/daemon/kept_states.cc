// SPDX-License-Identifier: MIT
// States that programs of their time have saved. The files never change, and load for ever:
// core/state/README.md lists them.
#include "ioreq/machine/machine_state.h"
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace dm::test {
namespace {

using Bytes = std::vector<std::byte>;
namespace data = boost::unit_test::data;

/// A directory of files, and what they are called in it.
const std::vector<std::string> kFull{"saved_state_1/full", "saved_state_2/full",
                                     "saved_state_2/full_packed", "saved_state_3/full"};
const std::vector<std::string> kUnplugged{"saved_state_1/unplugged", "saved_state_2/unplugged",
                                          "saved_state_2/unplugged_packed",
                                          "saved_state_3/unplugged"};

Bytes saved(SavedPc& pc) {
  pc.machine->pause();
  return pc.machine->save();
}

Result<> loaded(SavedPc& pc, std::span<const std::byte> bytes) {
  pc.machine->pause();
  return pc.machine->load(bytes);
}

BOOST_AUTO_TEST_SUITE(kept_states)

BOOST_DATA_TEST_CASE(it_is_loaded_as_the_machine_that_it_was_in_the_middle_of_transfers,
                     data::make(kFull),
                     name) {
  SavedPc pc;
  pc.live();
  const Bytes old = kept_state(name);
  BOOST_TEST(std::to_integer<char>(old[8]) + '0' == name.at(name.find('/') - 1));  // the format
  SavedPc other;
  BOOST_TEST_REQUIRE(loaded(other, old).has_value());
  BOOST_TEST((other.machine->save() == saved(pc)));
  std::ranges::copy(pc.memory.ram(), other.memory.ram().begin());
  other.machine->resume();
  other.rep_ins(0x1f0, 2, 0x10000 + 200, 156);
  const auto expected = rig::ScriptedBlock::pattern(7);
  BOOST_TEST(std::equal(expected.begin(), expected.end(), other.memory.ram().begin() + 0x10000));
  BOOST_TEST(other.card(0x2818) == 7U);  // RDT
}

BOOST_DATA_TEST_CASE(without_acpi_and_with_everything_unplugged_it_is_loaded_so,
                     data::make(kUnplugged),
                     name) {
  SavedPc pc{without_acpi()};
  pc.live();
  pc.outw(0x10, 0x0007);
  const Bytes old = kept_state(name);
  SavedPc other{without_acpi()};
  BOOST_TEST_REQUIRE(loaded(other, old).has_value());
  BOOST_TEST((other.machine->save() == saved(pc)));
  BOOST_TEST(!other.disks[0].is_open());
  BOOST_TEST(other.config_read({4, 0}, 0, 4) == 0xffffffffU);
  SavedPc with_acpi;
  BOOST_TEST(loaded(with_acpi, old).has_error());
}

/// The goal is 24 KiB for a guest with a disk, a card and a serial port.
BOOST_AUTO_TEST_CASE(a_machine_between_transfers_with_every_device_takes_less_than_12_kib) {
  SavedPc pc;
  pc.firmware();
  pc.open_card(0x20000, 0x30000, 0x400000);
  BOOST_TEST(saved(pc).size() < 12U * 1024U);
  BOOST_TEST_MESSAGE("bytes: " << saved(pc).size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
