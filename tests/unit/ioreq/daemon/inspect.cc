// SPDX-License-Identifier: MIT
// What `stubdm inspect` shows of a machine.
#include "ioreq/machine/inspect.h"

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

BOOST_AUTO_TEST_CASE(drives_show_what_carries_their_requests_and_how_many_are_under_way) {
  firmware();
  disks[0].hold();
  ide_dma(0xc8, 3, 8, 0x200000);
  const json::object all = inspect(*machine, config);
  const auto& drives = all.at("drives").as_array();
  BOOST_TEST(drives[0].at("in_flight").to_number<int>() == 1);
  BOOST_TEST(drives[0].at("engine").as_string() == "memory");
  BOOST_TEST(drives[1].at("in_flight").to_number<int>() == 0);
  disks[0].complete_all();
  const json::object after = inspect(*machine, config);
  BOOST_TEST(after.at("drives").at(0).at("in_flight").to_number<int>() == 0);
}

BOOST_AUTO_TEST_CASE(the_worst_that_a_request_and_a_unit_of_work_cost_is_shown) {
  ManagedPc pc{with_a_card()};
  pc.firmware();
  pc.memory.set_present(0x300, false);
  pc.rep_outs(0x3f8, 1, 0x300000, 4096);
  pc.ide_dma(0xc8, 3, 8, 0x200000);
  pc.open_card(0x20000, 0x10000, 0x400000);
  const std::uint64_t packet[2]{0x400000, 100 | 0x0bU << 24U};  // EOP, IFCS, RS
  std::memcpy(pc.memory.ram().data() + 0x10000, packet, sizeof packet);
  pc.card(0x3818, 1);
  pc.settle();
  const json::object all = inspect(*pc.machine, pc.config);
  const auto& costs = all.at("costs").as_array();
  BOOST_TEST(costs.size() == 2U);
  BOOST_TEST(costs[0].at("worst_of").as_string() == "request");
  BOOST_TEST(costs[0].at("maps").to_number<int>() == 1);
  BOOST_TEST(costs[0].at("image_requests").to_number<int>() == 0);
  BOOST_TEST(costs[0].at("sends").to_number<int>() == 0);
  BOOST_TEST(costs[0].at("bytes").to_number<int>() == 0);
  BOOST_TEST(costs[1].at("worst_of").as_string() == "unit");
  BOOST_TEST(costs[1].at("image_requests").to_number<int>() == 1);
  BOOST_TEST(costs[1].at("sends").to_number<int>() == 1);
  BOOST_TEST(costs[1].at("bytes").to_number<int>() == 4096);
  BOOST_TEST(all.at("memory").at("remembered").to_number<int>() > 4000);
  BOOST_TEST(all.at("loop").at("longest_stall_us").to_number<std::int64_t>() >= 0);
  pc.outw(0x10, 0x0001);  // unplug: the disks are flushed
  BOOST_TEST(inspect(*pc.machine, pc.config).at("costs").at(0).at("image_requests") != 0);
}

BOOST_AUTO_TEST_CASE(serial_ports_show_output_that_has_not_left) {
  lines[1]->told_output = {.waiting = 17, .dropped = 4};
  const json::object all = inspect(*machine, config);
  const auto& com2 = named(all.at("serial"), "serial1");
  BOOST_TEST(com2.at("output_waiting").to_number<int>() == 17);
  BOOST_TEST(com2.at("output_dropped").to_number<int>() == 4);
}

BOOST_AUTO_TEST_CASE(network_cards_show_registers_and_both_directions) {
  ManagedPc pc{with_a_card()};
  pc.firmware();
  pc.open_card(0x20000, 0x10000, 0x400000);
  pc.cables[0]->arrive(rig::Bytes(60, std::byte{0xff}));
  pc.settle();
  const std::uint64_t packet[2]{0x300000, 100 | 0x0bU << 24U};  // EOP, IFCS, RS
  std::memcpy(pc.memory.ram().data() + 0x10000, packet, sizeof packet);
  pc.card(0x3818, 1);
  const std::uint64_t nowhere[2]{0xfffff000, 100 | 0x0bU << 24U};
  std::memcpy(pc.memory.ram().data() + 0x10010, nowhere, sizeof nowhere);
  pc.card(0x3818, 2);
  const json::object all = inspect(*pc.machine, pc.config);
  const auto& card = named(all.at("network"), "nic0");
  BOOST_TEST(card.at("backend").as_string() == "scripted");
  BOOST_TEST(card.at("cable").as_string() == "up");
  BOOST_TEST(card.at("interrupt").as_bool());
  BOOST_TEST(card.at("received").to_number<int>() == 1);
  BOOST_TEST(card.at("received_bytes").to_number<int>() == 60);
  BOOST_TEST(card.at("sent").to_number<int>() == 1);
  BOOST_TEST(card.at("sent_bytes").to_number<int>() == 100);
  BOOST_TEST(card.at("counters").at("tx_dropped").to_number<int>() == 1);
  BOOST_TEST(card.at("counters").at("master_aborts").to_number<int>() == 1);
  const auto& registers = card.at("registers");
  BOOST_TEST(registers.at("STATUS").as_string() == "0x283");
  BOOST_TEST(registers.at("RCTL").as_string() == "0x801a");
  BOOST_TEST(registers.at("RDBAL").as_string() == "0x20000");
  BOOST_TEST(registers.at("RDH").as_string() == "0x1");
  BOOST_TEST(registers.at("RDT").as_string() == "0x7");
  BOOST_TEST(registers.at("TDH").as_string() == "0x2");
  BOOST_TEST(registers.at("IMS").as_string() == "0x9d");
  BOOST_TEST(registers.at("ICR").as_string() == "0x83");  // TXDW, TXQE, RXT0: looking takes none
  BOOST_TEST((inspect(*pc.machine, pc.config) == all));
  pc.cables[0]->set_link(false);
  const json::object cut = inspect(*pc.machine, pc.config);
  BOOST_TEST(named(cut.at("network"), "nic0").at("cable").as_string() == "down");
  pc.outw(0x10, 0x0002);
  BOOST_TEST(inspect(*pc.machine, pc.config).at("network").as_array().empty());
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
