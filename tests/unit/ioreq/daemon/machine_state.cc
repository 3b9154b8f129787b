// SPDX-License-Identifier: MIT
// A machine saved in one process and gone on with in another.
#include "ioreq/machine/machine_state.h"

#include "core/state/describe.h"
#include "devices/chipset/chipset.h"
#include "devices/ide/state.h"
#include "devices/uart16550/state.h"
#include "tests/unit/ioreq/daemon/pc.h"
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <boost/crc.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using dm::MachineConfig;
using dm::SavedDevice;
using dm::rig::ScriptedBlock;
using dm::test::ide_command;
using dm::test::Pc;
using Bytes = std::vector<std::byte>;

template <class Machine>
Bytes saved(Machine& pc) {
  pc.machine->pause();
  return pc.machine->save();
}

template <class Machine>
dm::Result<> loaded(Machine& pc, std::span<const std::byte> bytes) {
  pc.machine->pause();
  return pc.machine->load(bytes);
}

/// Something is going on in every chip.
void be_busy(Pc& pc) {
  pc.disks[0]->stamp(7);
  ide_command(pc, 0x20, 7);
  pc.rep_ins(0x1f0, 2, 0x10000, 100);
  pc.config_write({1, 1}, 0x20, 4, 0xc001);
  pc.config_write({1, 1}, 0x04, 2, 5);
  pc.config_write({1, 3}, 0x40, 4, 0xb001);
  pc.config_write({1, 3}, 0x80, 1, 1);
  pc.config_write({1, 0}, 0x60, 1, 5);
  pc.outl(0xc004, 0x1000);
  pc.outb(0x70, 0x34);
  pc.outb(0x71, 0x12);
  pc.outb(0x64, 0xaa);
  pc.outb(0x3fb, 0x1b);
  pc.outb(0x3ff, 0x5a);
  pc.outl(0xcf8, 0x80000800);
  pc.outb(0x10, 1);  // the ROM lock
}

/// The same bytes with a checksum that fits.
Bytes signed_again(Bytes bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data() + 20, bytes.size() - 20);
  const std::uint32_t length = static_cast<std::uint32_t>(bytes.size());
  const std::uint32_t sum = crc.checksum();
  std::memcpy(bytes.data() + 12, &length, sizeof length);
  std::memcpy(bytes.data() + 16, &sum, sizeof sum);
  return bytes;
}

BOOST_AUTO_TEST_SUITE(machine_state)

BOOST_AUTO_TEST_CASE(a_guest_goes_on_in_another_machine_in_the_middle_of_a_sector) {
  Pc pc;
  be_busy(pc);
  const Bytes bytes = saved(pc);
  Pc other;
  BOOST_TEST_REQUIRE(loaded(other, bytes).has_value());
  BOOST_TEST((saved(other) == saved(pc)));
  BOOST_TEST((other.machine->save() == bytes));
  std::ranges::copy(pc.memory.ram(), other.memory.ram().begin());
  other.machine->resume();
  other.rep_ins(0x1f0, 2, 0x10000 + 200, 156);
  const auto expected = ScriptedBlock::pattern(7);
  BOOST_TEST(std::equal(expected.begin(), expected.end(), other.memory.ram().begin() + 0x10000));
  BOOST_TEST(other.inl(0xc004) == 0x1000U);  // the windows are where they were
  BOOST_TEST(other.inb(0x71) == 0x12U);
  BOOST_TEST(other.inb(0x60) == 0x55U);
  BOOST_TEST(other.inb(0x3ff) == 0x5aU);
  BOOST_TEST(other.irqs.link_route(0) == 5U);
  BOOST_TEST_REQUIRE(other.domain.protections().size() == 1U);
  BOOST_TEST(other.domain.protections()[0].read_only);
  other.outw(0xb004, 0x2001);
  BOOST_TEST(other.domain.shutdowns().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_write_that_was_half_done_is_whole_on_the_other_side) {
  Pc pc;
  const auto data = ScriptedBlock::pattern(99);
  std::ranges::copy(data, pc.memory.ram().begin() + 0x20000);
  ide_command(pc, 0x30, 5);
  pc.rep_outs(0x1f0, 2, 0x20000, 200);
  const Bytes bytes = saved(pc);
  Pc other;
  BOOST_TEST_REQUIRE(loaded(other, bytes).has_value());
  std::ranges::copy(data, other.memory.ram().begin() + 0x20000);
  other.machine->resume();
  other.rep_outs(0x1f0, 2, 0x20000 + 400, 56);
  BOOST_TEST((other.disks[0]->sector(5) == data));
}

BOOST_AUTO_TEST_CASE(what_was_unplugged_stays_unplugged) {
  Pc pc;
  pc.outw(0x10, 4);  // all but the primary master
  Pc other;
  BOOST_TEST_REQUIRE(loaded(other, saved(pc)).has_value());
  BOOST_TEST(other.disks[0]->is_open());
  BOOST_TEST(!other.disks[2]->is_open());
  BOOST_TEST((saved(other) == saved(pc)));
}

BOOST_AUTO_TEST_CASE(what_comes_after_a_saved_state_in_a_stream_is_not_looked_at) {
  Pc pc;
  be_busy(pc);
  Bytes bytes = saved(pc);
  const std::size_t length = bytes.size();
  BOOST_TEST(dm::saved_state_length(std::span{bytes}.first(dm::kSavedHeader)).value() == length);
  bytes.resize(length + 1000, std::byte{0x5a});
  Pc other;
  BOOST_TEST(loaded(other, bytes).has_value());
  BOOST_TEST((saved(other) == saved(pc)));
}

BOOST_AUTO_TEST_CASE(a_state_that_was_cut_anywhere_is_refused_and_changes_nothing) {
  Pc pc;
  be_busy(pc);
  const Bytes bytes = saved(pc);
  Pc other;
  const Bytes before = saved(other);
  for (std::size_t length = 0; length < bytes.size(); length += length < 64 ? 1 : 97) {
    const auto result = loaded(other, std::span{bytes}.first(length));
    BOOST_TEST_REQUIRE(result.has_error());
    BOOST_TEST(!result.error().message.empty());
  }
  BOOST_TEST((saved(other) == before));
}

BOOST_AUTO_TEST_CASE(a_state_with_any_byte_changed_is_refused_and_changes_nothing) {
  Pc pc;
  be_busy(pc);
  Bytes bytes = saved(pc);
  Pc other;
  const Bytes before = saved(other);
  for (std::size_t at = 0; at < bytes.size(); at += at < 64 ? 1 : 53) {
    bytes[at] ^= std::byte{0x20};
    BOOST_TEST_REQUIRE(loaded(other, bytes).has_error());
    bytes[at] ^= std::byte{0x20};
  }
  BOOST_TEST((saved(other) == before));
  BOOST_TEST(loaded(other, bytes).has_value());
}

BOOST_AUTO_TEST_CASE(a_header_that_promises_too_much_is_refused_before_anything_is_read) {
  Pc pc;
  Bytes bytes = saved(pc);
  for (const std::uint32_t length : {0U, 23U, (1U << 20) + 1, 0xffffffffU}) {
    std::memcpy(bytes.data() + 12, &length, sizeof length);
    BOOST_TEST(dm::saved_state_length(bytes).has_error());
    Pc other;
    BOOST_TEST(loaded(other, bytes).has_error());
  }
}

/// The state of one device, changed and put back.
template <class State>
void spoil(std::vector<SavedDevice>& devices,
           std::string_view name,
           const std::function<void(State&)>& change) {
  const auto found = std::ranges::find(devices, name, &SavedDevice::name);
  BOOST_TEST_REQUIRE((found != devices.end()));
  State state;
  BOOST_TEST_REQUIRE(dm::state::load(found->bytes, state));
  change(state);
  found->bytes = dm::state::save(state);
}

BOOST_AUTO_TEST_CASE(fields_that_no_machine_has_are_refused_and_change_nothing) {
  Pc pc;
  be_busy(pc);
  const auto good = dm::read_saved_state(saved(pc)).value();
  using Devices = std::vector<SavedDevice>;
  using dm::chipset::ChipsetState;
  using dm::ide::ControllerState;
  using dm::uart16550::UartState;
  const auto ide = [](const std::function<void(ControllerState&)>& change) {
    return [change](Devices& d) { spoil<ControllerState>(d, "ide", change); };
  };
  const auto chipset = [](const std::function<void(ChipsetState&)>& change) {
    return [change](Devices& d) { spoil<ChipsetState>(d, "chipset", change); };
  };
  const std::vector<std::pair<const char*, std::function<void(Devices&)>>> bad{
      {"a disk more", ide([](auto& s) { s.drives[1].kind = dm::ata::DriveKind::disk; })},
      {"a disc for a disk", ide([](auto& s) { s.drives[2].kind = dm::ata::DriveKind::cdrom; })},
      {"a disk less, not unplugged",
       ide([](auto& s) { s.drives[2].kind = dm::ata::DriveKind::absent; })},
      {"a disk that was unplugged", chipset([](auto& s) { s.platform.ports.unplugged = 1; })},
      {"a secondary disk that was unplugged",
       chipset([](auto& s) { s.platform.ports.unplugged = 4; })},
      {"no acpi", chipset([](auto& s) { s.has_pm = false; })},
      {"no platform device", chipset([](auto& s) { s.has_platform = false; })},
      {"block position", ide([](auto& s) { s.drives[0].disk.pos = 0x10000; })},
      {"beyond the disk", ide([](auto& s) {
         s.drives[0].disk.remaining = 0x10000;
         s.drives[0].disk.lba = 1U << 27;
       })},
      {"uart",
       [](Devices& d) { spoil<UartState>(d, "serial0", [](auto& s) { s.rx.count = 17; }); }},
      {"a device more", [](Devices& d) { d.push_back({.name = "serial1", .bytes = {}}); }},
      {"a device less", [](Devices& d) { d.pop_back(); }},
      {"a device twice", [](Devices& d) { d.back() = d.front(); }},
      {"a device of another name", [](Devices& d) { d.back().name = "serial9"; }},
  };
  Pc other;
  const Bytes before = saved(other);
  for (const auto& [what, change] : bad) {
    BOOST_TEST_CONTEXT(what) {
      Devices devices = good;
      change(devices);
      BOOST_TEST(loaded(other, dm::write_saved_state(devices)).has_error());
      BOOST_TEST((saved(other) == before));
    }
  }
  BOOST_TEST(loaded(other, dm::write_saved_state(good)).has_value());
}

BOOST_AUTO_TEST_CASE(the_order_of_devices_in_a_state_means_nothing) {
  Pc pc;
  be_busy(pc);
  pc.outw(0x10, 4);
  const Bytes bytes = saved(pc);
  auto devices = dm::read_saved_state(bytes).value();
  std::ranges::reverse(devices);
  Pc other;
  BOOST_TEST_REQUIRE(loaded(other, dm::write_saved_state(devices)).has_value());
  BOOST_TEST((saved(other) == bytes));
}

BOOST_AUTO_TEST_CASE(a_signed_state_without_devices_is_refused) {
  Pc pc;
  Bytes bytes = saved(pc);
  bytes.resize(dm::kSavedHeader);
  BOOST_TEST(
      dm::read_saved_state(signed_again(bytes)).has_value());  // of a machine without devices
  Pc other;
  BOOST_TEST(loaded(other, signed_again(bytes)).has_error());
}

BOOST_AUTO_TEST_CASE(a_signed_state_that_is_no_list_of_devices_is_refused) {
  Pc pc;
  const Bytes good = saved(pc);
  const auto with = [&](std::initializer_list<unsigned> more) {
    Bytes bytes{good.begin(), good.begin() + dm::kSavedHeader};
    for (const unsigned byte : more) {
      bytes.push_back(static_cast<std::byte>(byte));
    }
    return dm::read_saved_state(signed_again(bytes));
  };
  BOOST_TEST(with({1, 'a', 0, 0, 0, 0}).has_value());
  BOOST_TEST(with({0}).value().empty());               // the list's end,
  BOOST_TEST(with({0, 1, 2, 3}).value().empty());      // and padding
  BOOST_TEST(with({1, 'a', 0, 0, 0}).has_error());     // the length is cut
  BOOST_TEST(with({2, 'a'}).has_error());              // the name is cut
  BOOST_TEST(with({1, 'a', 1, 0, 0, 0}).has_error());  // the state is cut
  BOOST_TEST(with({1, 'a', 255, 255, 255, 255}).has_error());
  Bytes many{good.begin(), good.begin() + dm::kSavedHeader};
  for (unsigned i = 0; i < 65; ++i) {
    for (const unsigned byte : {1U, 97U, 0U, 0U, 0U, 0U}) {
      many.push_back(static_cast<std::byte>(byte));
    }
  }
  BOOST_TEST(dm::read_saved_state(signed_again(many)).has_error());
}

BOOST_AUTO_TEST_CASE(a_damaged_state_of_format_1_is_refused_and_changes_nothing) {
  Bytes old = dm::test::kept_state("saved_state_1/full");
  dm::test::SavedPc other;
  const Bytes before = saved(other);
  for (std::size_t length = 24; length < old.size(); length += length < 400 ? 1 : 977) {
    Bytes cut{old.begin(), old.begin() + static_cast<std::ptrdiff_t>(length)};
    if (!loaded(other, signed_again(cut))) {
      BOOST_TEST_REQUIRE((saved(other) == before));
    } else {  // what is missing was as in a new machine
      break;
    }
  }
  old.at(40) ^= std::byte{1};
  BOOST_TEST(loaded(other, old).has_error());
  dm::test::Pc less;
  BOOST_TEST(loaded(less, dm::test::kept_state("saved_state_1/full")).has_error());
}

BOOST_AUTO_TEST_CASE(a_machine_whose_guest_has_run_takes_no_saved_state) {
  Pc pc;
  const Bytes bytes = saved(pc);
  Pc other;
  static_cast<void>(other.inb(0x3f6));
  BOOST_TEST(loaded(other, bytes).has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
