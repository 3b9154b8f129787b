// SPDX-License-Identifier: MIT
// What `stubdm inspect` shows of a machine.
#include "ioreq/daemon/inspect.h"

#include "tests/unit/ioreq/daemon/pc_rig.h"

#include <boost/json/array.hpp>

#include <algorithm>
#include <string_view>

namespace dm::test {
namespace {

namespace json = boost::json;

const json::object& named(const json::value& list, std::string_view name) {
  const auto& rows = list.as_array();
  const auto* const found = std::find_if(rows.begin(), rows.end(), [name](const json::value& row) {
    return row.at("name").as_string() == name;
  });
  BOOST_TEST_REQUIRE((found != rows.end()));
  return found->as_object();
}

BOOST_FIXTURE_TEST_SUITE(inspection, ManagedPc)

BOOST_AUTO_TEST_CASE(requests_are_counted_by_where_they_go) {
  (void)inb(0x3fd);
  (void)inb(0x3fd);
  outb(0x3ff, 0x5a);
  (void)inb(0x300);
  const json::object all = inspect(*machine, config);
  BOOST_TEST(all.at("requests").at("total").to_number<int>() == 4);
  BOOST_TEST(all.at("requests").at("unclaimed_ports").to_number<int>() == 1);
  const auto& com1 = named(all.at("ports"), "com1");
  BOOST_TEST(com1.at("first").as_string() == "0x3f8");
  BOOST_TEST(com1.at("last").as_string() == "0x3ff");
  BOOST_TEST(com1.at("reads").to_number<int>() == 2);
  BOOST_TEST(com1.at("writes").to_number<int>() == 1);
}

BOOST_AUTO_TEST_CASE(registers_show_what_the_guest_wrote) {
  outb(0x3ff, 0x5a);  // the first port's scratch register
  outb(0x1f2, 0x17);  // sector count of the primary master
  const json::object all = inspect(*machine, config);
  BOOST_TEST(named(all.at("serial"), "serial0").at("registers").at("scr").to_number<int>() == 0x5a);
  BOOST_TEST(all.at("ide").at("primary_master").at("file").at("count").at(0).to_number<int>() ==
             0x17);
}

BOOST_AUTO_TEST_CASE(drives_show_what_they_have_moved) {
  ide_command(0, 0x20, 7, 1);
  rep_ins(0x1f0, 2, 0x10000, 256);
  const json::object all = inspect(*machine, config);
  const auto& drive = all.at("drives").at(0).as_object();
  BOOST_TEST(drive.at("position").to_number<int>() == 0);
  BOOST_TEST(drive.at("reads").to_number<int>() >= 1);
  BOOST_TEST(drive.at("read_bytes").to_number<int>() >= 512);
  BOOST_TEST(drive.at("writes").to_number<int>() == 0);
}

BOOST_AUTO_TEST_CASE(every_function_shows_its_configuration_space) {
  const json::object all = inspect(*machine, config);
  const auto& functions = all.at("pci").as_array();
  BOOST_TEST(functions.size() == 5U);
  BOOST_TEST(functions[0].at("config").as_string().subview(0, 8) == "86803712");
  BOOST_TEST(functions[0].at("config").as_string().size() == 512U);
}

BOOST_AUTO_TEST_CASE(looking_changes_nothing) {
  outb(0x1f2, 0x17);
  const json::object before = inspect(*machine, config);
  BOOST_TEST((inspect(*machine, config) == before));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
