// SPDX-License-Identifier: MIT
// Commands about a running guest, as libxl 4.17, xentop and people at `xl qemu-monitor-command`
// send them.
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <boost/json/serialize.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;

std::string error_of(const json::object& reply) {
  BOOST_TEST_REQUIRE(reply.contains("error"));
  BOOST_TEST(reply.at("error").at("class").as_string() == "GenericError");
  return reply.at("error").at("desc").as_string().c_str();
}

struct Session : QmpRig {
  Session() { client.enter(); }
  json::object call(std::string_view name, std::string_view arguments = "{}") {
    std::string text = R"({"execute":")";
    text.append(name).append(R"(","id":7,"arguments":)").append(arguments).append("}");
    json::object reply = client.command(text);
    BOOST_TEST(reply.at("id").as_int64() == 7);
    return reply;
  }
  Peer client = connect();
};

BOOST_FIXTURE_TEST_SUITE(qmp_machine, Session)

// libxl_domain.c: query-cpus-fast, query-hotpluggable-cpus, one device_add for each missing vCPU,
// query-cpus-fast again when it waits for the end.
BOOST_AUTO_TEST_CASE(xl_vcpu_set_adds_the_vcpus_that_are_missing) {
  const auto kinds = call("query-hotpluggable-cpus").at("return").as_array();
  BOOST_TEST_REQUIRE(kinds.size() == 8U);
  const std::string type = kinds.at(0).at("type").as_string().c_str();
  for (const int cpu : {2, 3}) {
    const std::string k = std::to_string(cpu);
    const auto reply =
        call("device_add", R"({"id":"cpu-)" + k + R"(","driver":")" + type + R"(","socket-id":)" +
                               k + R"(,"core-id":0,"thread-id":0})");
    BOOST_TEST(json::serialize(reply) == R"({"return":{},"id":7})");
  }
  BOOST_TEST(json::serialize(call("query-cpus-fast").at("return")) ==
             R"([{"cpu-index":0},{"cpu-index":1},{"cpu-index":2},{"cpu-index":3}])");
}

BOOST_AUTO_TEST_CASE(hotpluggable_vcpus_are_listed_with_their_place_and_whether_they_are_there) {
  const auto kinds = call("query-hotpluggable-cpus").at("return").as_array();
  BOOST_TEST(kinds.at(0).at("props").at("socket-id").as_int64() == 7);
  BOOST_TEST(!kinds.at(0).as_object().contains("qom-path"));
  BOOST_TEST(kinds.at(7).at("props").at("socket-id").as_int64() == 0);
  BOOST_TEST(kinds.at(7).as_object().contains("qom-path"));
  BOOST_TEST(kinds.at(3).at("vcpus-count").as_int64() == 1);
}

BOOST_AUTO_TEST_CASE(cpu_add_is_the_older_way) {
  BOOST_TEST(call("cpu-add", R"({"id":5})").contains("return"));
  BOOST_TEST(json::serialize(call("query-cpus").at("return")) ==
             R"([{"CPU":0},{"CPU":1},{"CPU":5}])");
}

BOOST_AUTO_TEST_CASE(a_vcpu_that_cannot_be_added_is_an_error_that_says_why) {
  BOOST_TEST(error_of(call("cpu-add", R"({"id":1})")).find("already") != std::string::npos);
  BOOST_TEST(error_of(call("cpu-add", R"({"id":8})")).find("maxvcpus=8") != std::string::npos);
  machine.acpi = false;
  BOOST_TEST(error_of(call("cpu-add", R"({"id":3})")).find("acpi=0") != std::string::npos);
}

const std::vector<std::string> kNoVcpu = {"{}",
                                          R"({"id":-1})",
                                          R"({"id":1.5})",
                                          R"({"id":"3"})",
                                          R"({"id":null})",
                                          R"({"id":[]})",
                                          R"({"id":99999})",
                                          R"({"id":9223372036854775808})"};

BOOST_DATA_TEST_CASE(what_is_no_number_of_a_vcpu_changes_nothing,
                     boost::unit_test::data::make(kNoVcpu),
                     arguments) {
  error_of(call("cpu-add", arguments));
  BOOST_TEST(call("query-cpus-fast").at("return").as_array().size() == 2U);
}

const std::vector<std::string> kNoDevice = {
    "{}",
    R"({"driver":7})",
    R"({"driver":"xen-vcpu"})",
    R"({"driver":"xen-vcpu","socket-id":3,"core-id":1})",
    R"({"driver":"xen-vcpu","socket-id":3,"thread-id":"0"})",
    R"({"driver":"xen-vcpu","socket-id":-3})",
    R"({"driver":"e1000","id":"nic9"})",
};

BOOST_DATA_TEST_CASE(devices_that_cannot_be_added_are_errors,
                     boost::unit_test::data::make(kNoDevice),
                     arguments) {
  error_of(call("device_add", arguments));
  BOOST_TEST(call("query-cpus-fast").at("return").as_array().size() == 2U);
}

BOOST_AUTO_TEST_CASE(passthrough_and_usb_name_the_setting_to_change) {
  BOOST_TEST(error_of(call("device_add", R"({"driver":"xen-pci-passthrough","id":"pci-pt-03_00.0",)"
                                         R"("hostaddr":"0000:03:00.0"})"))
                 .find("pci=") != std::string::npos);
  for (const std::string driver : {"usb-host", "nec-usb-xhci", "piix3-usb-uhci"}) {
    BOOST_TEST(error_of(call("device_add", R"({"driver":")" + driver + R"("})")).find("usb=") !=
               std::string::npos);
  }
  BOOST_TEST(error_of(call("device_del", R"({"id":"pci-pt-03_00.0"})")).find("pci=") !=
             std::string::npos);
  BOOST_TEST(error_of(call("device_del", R"({"id":"cpu-1"})")).find("vcpu-set") !=
             std::string::npos);
  BOOST_TEST(call("device_del", R"({"id":"x"})").at("error").at("class").as_string() ==
             "DeviceNotFound");
}

BOOST_AUTO_TEST_CASE(xl_trigger_s3resume_wakes_the_machine) {
  BOOST_TEST(json::serialize(call("system_wakeup")) == R"({"return":{},"id":7})");
  BOOST_TEST(machine.wakes == 1);
}

BOOST_AUTO_TEST_CASE(xentop_finds_images_and_what_was_moved) {
  DriveInfo disk{.name = "ide0-hd0", .image = "/dev/vg/guest", .size = 1U << 20U, .stats = {}};
  disk.stats.operations = {10, 20, 3, 4};
  disk.stats.bytes = {4096, 8192, 0, 512};
  disk.stats.failed = {1, 2, 0, 0};
  machine.drive_list = {disk, {.name = "ide-5632", .image = {}, .removable = true, .stats = {}}};
  const auto drives = call("query-block").at("return").as_array();
  BOOST_TEST_REQUIRE(drives.size() == 2U);
  BOOST_TEST(drives.at(0).at("device").as_string() == "ide0-hd0");
  BOOST_TEST(drives.at(0).at("inserted").at("file").as_string() == "/dev/vg/guest");
  BOOST_TEST(!drives.at(0).at("inserted").at("ro").as_bool());
  BOOST_TEST(drives.at(0).at("inserted").at("image").at("virtual-size").to_number<int>() ==
             1 << 20);
  BOOST_TEST(!drives.at(1).as_object().contains("inserted"));
  BOOST_TEST(drives.at(1).at("removable").as_bool());
  const auto all = call("query-blockstats").at("return").as_array();
  BOOST_TEST(all.at(0).at("device").as_string() == "ide0-hd0");
  const auto& stats = all.at(0).at("stats");
  BOOST_TEST(stats.at("rd_bytes").to_number<int>() == 4096);
  BOOST_TEST(stats.at("wr_bytes").to_number<int>() == 8192);
  BOOST_TEST(stats.at("rd_operations").to_number<int>() == 10);
  BOOST_TEST(stats.at("wr_operations").to_number<int>() == 20);
  BOOST_TEST(stats.at("flush_operations").to_number<int>() == 3);
  BOOST_TEST(stats.at("unmap_bytes").to_number<int>() == 512);
  BOOST_TEST(stats.at("failed_wr_operations").to_number<int>() == 2);
}

// libxl_pci.c walks buses and devices and wants a string "qdev_id" in each.
BOOST_AUTO_TEST_CASE(every_pci_function_has_slot_function_and_a_name) {
  machine.pci_list = {{.name = "i440fx", .vendor_id = 0x8086, .device_id = 0x1237, .windows = {}},
                      {.name = "xen-platform",
                       .device = 2,
                       .vendor_id = 0x5853,
                       .device_id = 1,
                       .class_code = 0xff80,
                       .irq_line = 11,
                       .irq_pin = 1,
                       .windows = {{.bar = 0, .io = true, .size = 256, .address = 0xc000},
                                   {.bar = 1, .prefetchable = true, .size = 1U << 24U}}}};
  const auto buses = call("query-pci").at("return").as_array();
  BOOST_TEST_REQUIRE(buses.size() == 1U);
  BOOST_TEST(buses.at(0).at("bus").as_int64() == 0);
  const auto& devices = buses.at(0).at("devices").as_array();
  BOOST_TEST_REQUIRE(devices.size() == 2U);
  for (const auto& device : devices) {
    BOOST_TEST(device.at("qdev_id").is_string());
    BOOST_TEST(device.at("slot").is_number());
    BOOST_TEST(device.at("function").is_number());
  }
  BOOST_TEST(!devices.at(0).as_object().contains("irq"));
  BOOST_TEST(devices.at(1).at("irq").to_number<int>() == 11);
  BOOST_TEST(devices.at(1).at("id").at("vendor").to_number<int>() == 0x5853);
  BOOST_TEST(devices.at(1).at("regions").at(0).at("type").as_string() == "io");
  BOOST_TEST(devices.at(1).at("regions").at(1).at("address").to_number<int>() == -1);
}

BOOST_AUTO_TEST_CASE(the_monitor_tells_what_the_queries_know_and_is_honest_about_the_rest) {
  const auto say = [&](const std::string& line) {
    return std::string{call("human-monitor-command", R"({"command-line":")" + line + R"("})")
                           .at("return")
                           .as_string()};
  };
  BOOST_TEST(say("info cpus") == "{\"cpu-index\":0}\r\n{\"cpu-index\":1}\r\n");
  BOOST_TEST(say("  info   name ") == "{\"name\":\"guest\"}\r\n");
  BOOST_TEST(say("info block").empty());
  for (const std::string line : {"help", "info", "info registers", "device_add x", "", "quit"}) {
    BOOST_TEST(say(line).find("no human monitor") != std::string::npos);
  }
  BOOST_TEST(machine.quits == 0);
  error_of(call("human-monitor-command"));
  error_of(call("human-monitor-command", R"({"command-line":1})"));
}

BOOST_AUTO_TEST_CASE(two_sockets_see_the_same_machine) {
  const std::string second = directory.file("qmp-libxenstat-7");
  BOOST_TEST_REQUIRE(server->listen({"libxenstat-cmd", second, -1}).has_value());
  Peer other{loop, second};
  other.enter();
  BOOST_TEST(call("cpu-add", R"({"id":4})").contains("return"));
  BOOST_TEST(other.command(R"({"execute":"query-cpus-fast"})").at("return").as_array().size() ==
             3U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
