// SPDX-License-Identifier: MIT
// `stubdm inspect --state FILE`: what is in a saved state.
#include "ioreq/daemon/inspect_state.h"

#include "core/state/describe.h"
#include "ioreq/machine/machine_state.h"
#include "ioreq/machine/saved_state_view.h"
#include "platform/toolstack/qmp/inspect_client.h"
#include "tests/rig/saved_guest_file.h"
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::test {
namespace {

namespace json = boost::json;
using Bytes = std::vector<std::byte>;

Bytes saved() {
  SavedPc pc;
  pc.live();
  pc.machine->pause();
  return pc.machine->save();
}

Result<json::object> inspected(const Bytes& bytes) {
  const host::UniqueFd file = rig::memory_file(bytes);
  return inspect_state("/proc/self/fd/" + std::to_string(file.get()));
}

std::string refusal(const Bytes& bytes) {
  const auto shown = inspected(bytes);
  return shown ? "" : shown.error().message;
}

const json::object& fields_of(const json::object& all, std::string_view name) {
  for (const json::value& device : all.at("devices").as_array()) {
    if (device.at("device").as_string() == name) {
      return device.at("fields").as_object();
    }
  }
  throw std::runtime_error("no device " + std::string{name});
}

Bytes joined(const Bytes& first, const Bytes& second) {
  Bytes both = first;
  both.insert(both.end(), second.begin(), second.end());
  return both;
}

BOOST_AUTO_TEST_SUITE(inspect_saved_state)

BOOST_AUTO_TEST_CASE(each_device_is_shown_in_order_with_its_fields_by_name) {
  const Bytes bytes = saved();
  const auto all = inspected(bytes).value();
  BOOST_TEST(all.at("format").to_number<unsigned>() == 3U);
  BOOST_TEST(all.at("length").to_number<std::size_t>() == bytes.size());
  BOOST_TEST(all.at("states").to_number<unsigned>() == 1U);
  std::string names;
  for (const json::value& device : all.at("devices").as_array()) {
    names.append(device.at("device").as_string()).append(" ");
    BOOST_TEST(device.at("valid").as_bool());
  }
  BOOST_TEST(names == "chipset ide serial0 serial1 serial2 serial3 nic0 nic1 ");
  BOOST_TEST(fields_of(all, "chipset").at("cmos").at("index").to_number<int>() == 0x34);
  BOOST_TEST(fields_of(all, "serial0").at("ier").to_number<int>() == 5);
  const json::value& disk = fields_of(all, "ide").at("primary_master").at("disk");
  BOOST_TEST(disk.at("capacity").to_number<int>() == 131072);
  BOOST_TEST(disk.at("pos").to_number<int>() == 200);
  BOOST_TEST(disk.at("block").as_string().size() == 2 * 16 * 512U);
}

BOOST_AUTO_TEST_CASE(a_cards_registers_are_shown_by_their_names_in_the_datasheet) {
  const auto all = inspected(saved()).value();
  const json::value& registers = fields_of(all, "nic0").at("registers");
  BOOST_TEST(registers.at("TDT").as_string() == "0x1");
  BOOST_TEST(registers.at("RDBAL").as_string() == "0x20000");
  BOOST_TEST(registers.at("RDLEN").as_string() == "0x80");
}

/// A device or a field that has no name here would be one that inspect_state cannot show.
BOOST_AUTO_TEST_CASE(every_field_of_every_device_of_today_has_a_name) {
  const std::string text = json::serialize(inspected(saved()).value());
  BOOST_TEST(text.find("field_") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_state_is_found_in_what_xl_save_wrote) {
  const Bytes bytes = saved();
  const auto own = inspected(bytes).value();
  const auto whole = inspected(rig::SavedGuestFile::of(bytes)).value();
  BOOST_TEST((whole.at("devices") == own.at("devices")));
  BOOST_TEST(own.at("file").as_string() == "the device model's own");
  BOOST_TEST(whole.at("file").as_string() == "a whole guest");
  Bytes cut = rig::SavedGuestFile::of(bytes);
  cut.resize(cut.size() - 8);
  BOOST_TEST(inspected(cut).value().contains("cut"));
}

BOOST_AUTO_TEST_CASE(a_field_that_no_device_has_is_shown_by_its_number_with_its_bytes) {
  auto devices = read_saved_state(saved()).value();
  state::Saver added;
  added.field(700, "later", std::array<std::uint8_t, 3>{1, 0xab, 0});
  added.field(701, "long", std::array<std::uint32_t, 40>{0x12345678});
  const auto more = added.bytes();
  auto& serial = devices.at(2);
  BOOST_TEST_REQUIRE(serial.name == "serial0");
  serial.bytes.insert(serial.bytes.end(), more.begin(), more.end());
  devices.push_back({.name = "floppy", .bytes = {more.begin(), more.end()}});
  const auto all = inspected(write_saved_state(devices)).value();
  for (const char* const name : {"serial0", "floppy"}) {
    BOOST_TEST(fields_of(all, name).at("field_700").as_string() == "01ab00");
    BOOST_TEST(fields_of(all, name).at("field_701_packed").as_string() ==
               "0000040078563412"
               "9c000000");
  }
  BOOST_TEST(fields_of(all, "serial0").at("ier").to_number<int>() == 5);
}

BOOST_AUTO_TEST_CASE(a_device_that_could_not_have_its_state_is_marked) {
  auto devices = read_saved_state(saved()).value();
  auto& serial = devices.at(2);
  serial.bytes.resize(serial.bytes.size() - 1);
  const auto all = inspected(write_saved_state(devices)).value();
  const json::value& shown = all.at("devices").at(2);
  BOOST_TEST(!shown.at("valid").as_bool());
  BOOST_TEST(shown.at("fields").at("ends_inside_a_field").as_bool());
  BOOST_TEST(shown.at("fields").at("ier").to_number<int>() == 5);
}

BOOST_AUTO_TEST_CASE(of_several_states_the_last_complete_one_is_shown_and_it_says_so) {
  const Bytes first = saved();
  SavedPc pc;
  pc.live();
  pc.outb(0x70, 0x55);
  pc.machine->pause();
  const Bytes second = pc.machine->save();
  const auto all = inspected(joined(first, second)).value();
  BOOST_TEST(all.at("states").to_number<unsigned>() == 2U);
  BOOST_TEST(all.at("shown").as_string() == "the last complete one");
  BOOST_TEST(fields_of(all, "chipset").at("cmos").at("index").to_number<int>() == 0x55);
  for (const std::size_t size : {std::size_t{1}, kSavedHeader, second.size() - 1}) {
    const Bytes cut{second.begin(), second.begin() + static_cast<std::ptrdiff_t>(size)};
    const auto of_first = inspected(joined(first, cut)).value();
    BOOST_TEST(of_first.at("states").to_number<unsigned>() == 1U);
    BOOST_TEST(of_first.at("bytes_behind").to_number<std::size_t>() == size);
    BOOST_TEST(fields_of(of_first, "chipset").at("cmos").at("index").to_number<int>() == 0x34);
  }
}

BOOST_AUTO_TEST_CASE(a_state_by_qemu_is_told_in_one_line) {
  Bytes qemu(200, std::byte{3});
  std::memcpy(qemu.data(), "QEVM", 4);
  for (const Bytes& file : {qemu, rig::SavedGuestFile::of(qemu)}) {
    const std::string text = refusal(file);
    BOOST_TEST(text.find("its device model was QEMU, which has saved 200 bytes") !=
               std::string::npos);
    BOOST_TEST(text.find('\n') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_state_is_refused_in_words_with_the_files_name) {
  const Bytes good = saved();
  Bytes damaged = good;
  damaged.back() ^= std::byte{1};
  const Bytes cut{good.begin(), good.end() - 1};
  for (const auto& [file, words] : std::vector<std::pair<Bytes, std::string>>{
           {{}, "nothing is saved in it"},
           {Bytes(5), "ends inside its header"},
           {Bytes(500), "not a saved state of stubdm"},
           {damaged, "checksum does not match"},
           {cut, "of its " + std::to_string(good.size()) + " bytes"}}) {
    BOOST_TEST(refusal(file).find(words) != std::string::npos, refusal(file));
    BOOST_TEST(refusal(file).starts_with("/proc/self/fd/"));
  }
  BOOST_TEST(inspect_state("-").error().message.find("standard input") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_states_that_are_kept_are_shown_whatever_their_format) {
  const auto all = inspected(kept_state("saved_state_1/full")).value();
  BOOST_TEST(all.at("format").to_number<unsigned>() == 1U);
  BOOST_TEST(fields_of(all, "ide").at("primary_master").at("disk").at("pos").to_number<int>() ==
             200);
}

BOOST_AUTO_TEST_CASE(any_changed_byte_is_shown_or_refused_and_what_is_shown_prints) {
  const auto devices = read_saved_state(saved()).value();
  for (std::size_t which = 0; which < devices.size(); ++which) {
    const std::size_t size = devices[which].bytes.size();
    for (std::size_t at = 0; at < size; at += 1 + size / 40) {
      auto changed = devices;
      changed[which].bytes[at] ^= std::byte{0xff};
      const auto shown = inspected(write_saved_state(changed)).value();
      BOOST_TEST_REQUIRE(!toolstack::inspection_text(shown).empty());
      BOOST_TEST_REQUIRE(json::parse(toolstack::inspection_json(shown)).is_object());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_text_has_a_line_for_each_field) {
  const std::string text = toolstack::inspection_text(inspected(saved()).value());
  for (const std::string_view part : {"format", "chipset", "cmos", "primary master", "TDT"}) {
    BOOST_TEST(text.find(part) != std::string::npos, part);
  }
  BOOST_TEST(text.find("left out here") == std::string::npos);
  BOOST_TEST(text.size() < toolstack::kMostInspectionText);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
