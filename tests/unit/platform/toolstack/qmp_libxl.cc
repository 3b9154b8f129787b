// SPDX-License-Identifier: MIT
// Conversations as libxl 4.17 and xentop hold them.
#include "platform/toolstack/qmp/qmp_vnc.h"
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <boost/json/serialize.hpp>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;

BOOST_FIXTURE_TEST_SUITE(qmp_libxl, QmpRig)

BOOST_AUTO_TEST_CASE(the_server_speaks_first_and_names_a_version_that_libxl_knows) {
  Peer client = connect();
  const auto text = client.line();
  BOOST_TEST_REQUIRE(text.has_value());
  BOOST_TEST(text->find('\n') == std::string::npos);
  const json::value greeting = json::parse(*text);
  const auto& version = greeting.at("QMP").at("version");
  BOOST_TEST(version.at("qemu").at("major").as_int64() == 7);
  BOOST_TEST(version.at("qemu").at("minor").as_int64() == 2);
  BOOST_TEST(version.at("qemu").at("micro").as_int64() == 0);
  BOOST_TEST(version.at("package").as_string().starts_with("stubdm "));
  BOOST_TEST(greeting.at("QMP").at("capabilities").as_array().empty());
}

BOOST_AUTO_TEST_CASE(xl_create_learns_where_the_screen_is_and_sets_its_password) {
  QmpCommands known;
  std::string password;
  add_vnc_commands(known, {.host = "::1", .service = "5907", .password = true},
                   [&](std::string_view word) { password = word; });
  QmpDescriptors none;
  const auto call = [&](std::string_view name, const json::object& arguments) {
    QmpCall question{arguments, none};
    return known.call(name, question);
  };
  BOOST_TEST(json::serialize(*call("query-vnc", {})) ==
             R"({"enabled":true,"host":"::1","service":"5907","family":"ipv6","auth":"vnc",)"
             R"("clients":[]})");
  BOOST_TEST(call("change-vnc-password", {{"password", "s3cret"}}).has_value());
  BOOST_TEST(password == "s3cret");
  BOOST_TEST(call("set_password", {{"protocol", "vnc"}, {"password", "x"}}).has_value());
  BOOST_TEST(password == "x");
  BOOST_TEST(call("set_password", {{"protocol", "spice"}, {"password", "y"}}).has_error());
  BOOST_TEST(call("change-vnc-password", {{"password", ""}}).has_error());
  BOOST_TEST(password == "x");
}

BOOST_AUTO_TEST_CASE(a_screen_without_a_password_gets_none_and_none_at_all_takes_any) {
  QmpDescriptors none;
  const json::object word{{"password", "x"}};
  QmpCall question{word, none};
  QmpCommands open;
  add_vnc_commands(open, {.host = {}, .service = "/run/s"}, [](std::string_view) {});
  BOOST_TEST(open.call("change-vnc-password", question).has_error());
  QmpCommands blind;
  add_needless_vnc_password(blind);
  BOOST_TEST(blind.call("change-vnc-password", question).has_value());
}

BOOST_AUTO_TEST_CASE(xl_create_asks_for_serial_ports_and_vnc_and_then_says_cont) {
  machine.is_running = false;
  {
    Peer client = connect();
    BOOST_TEST(client.message().contains("QMP"));
    BOOST_TEST(
        json::serialize(client.command(R"({"execute":"qmp_capabilities","id":2020372736})")) ==
        R"({"return":{},"id":2020372736})");
    const auto chardevs = client.command(R"({"execute":"query-chardev","id":2020372737})");
    BOOST_TEST(chardevs.at("id").as_int64() == 2020372737);
    const auto& serial = chardevs.at("return").as_array().at(0);
    BOOST_TEST(serial.at("label").as_string() == "serial0");
    BOOST_TEST(serial.at("filename").as_string() == "pty:/dev/pts/5");
    BOOST_TEST(serial.at("frontend-open").as_bool());
    const auto vnc = client.command(R"({"execute":"query-vnc","id":2020372738})");
    BOOST_TEST(json::serialize(vnc) == R"({"return":{"enabled":false},"id":2020372738})");
  }
  Peer client = connect();  // libxl connects anew for each operation
  client.enter();
  BOOST_TEST(json::serialize(client.command(R"({"id":5,"execute":"cont"})")) ==
             R"({"return":{},"id":5})");
  BOOST_TEST(machine.conts == 1);
  BOOST_TEST(client.command(R"({"id":6,"execute":"cont"})").contains("return"));  // idempotent
  BOOST_TEST(machine.conts == 2);
}

BOOST_AUTO_TEST_CASE(dm_restrict_learns_that_the_machine_is_ready_from_query_status) {
  machine.is_running = false;
  machine.is_prelaunch = true;
  Peer client = connect();
  client.enter();
  BOOST_TEST(json::serialize(client.command(R"({"execute":"query-status","id":3})")) ==
             R"({"return":{"status":"prelaunch","running":false,"singlestep":false},"id":3})");
  client.command(R"({"execute":"cont"})");
  BOOST_TEST(
      client.command(R"({"execute":"query-status"})").at("return").at("status").as_string() ==
      "running");
  client.command(R"({"execute":"stop"})");
  BOOST_TEST(machine.stops == 1);
  const auto status = client.command(R"({"execute":"query-status"})");
  BOOST_TEST(status.at("return").at("status").as_string() == "paused");
  BOOST_TEST(!status.at("return").at("running").as_bool());
}

BOOST_AUTO_TEST_CASE(every_online_vcpu_is_listed_once) {
  machine.online = 3;
  Peer client = connect();
  client.enter();
  BOOST_TEST(
      json::serialize(client.command(R"({"execute":"query-cpus-fast","id":1})").at("return")) ==
      R"([{"cpu-index":0},{"cpu-index":1},{"cpu-index":2}])");
  BOOST_TEST(json::serialize(client.command(R"({"execute":"query-cpus","id":1})").at("return")) ==
             R"([{"CPU":0},{"CPU":1},{"CPU":2}])");
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_command_not_found_with_a_reason_and_the_id) {
  Peer client = connect();
  client.enter();
  for (const std::string name :
       {"change-vnc-password", "xen-load-devices-state", "nbd-server-start", "x-blockdev-change",
        "xen-set-replication", "x-unheard-of"}) {
    const auto reply = client.command(R"({"execute":")" + name + R"(","id":77})");
    BOOST_TEST(reply.at("id").as_int64() == 77);
    BOOST_TEST(reply.at("error").at("class").as_string() == "CommandNotFound");
    BOOST_TEST(reply.at("error").at("desc").as_string().find(name) != json::string::npos);
    BOOST_TEST(!reply.contains("return"));
  }
  const auto vnc =
      client.command(R"({"execute":"change-vnc-password","arguments":{"password":"x"}})");
  BOOST_TEST(vnc.at("error").at("desc").as_string().find("vncpasswd") != json::string::npos);
}

BOOST_AUTO_TEST_CASE(the_commands_there_are_can_be_listed) {
  Peer client = connect();
  client.enter();
  const auto reply = client.command(R"({"execute":"query-commands"})");
  std::vector<std::string> names;
  for (const auto& entry : reply.at("return").as_array()) {
    names.emplace_back(entry.at("name").as_string().c_str());
  }
  for (const std::string name : {"query-status",
                                 "query-version",
                                 "query-chardev",
                                 "query-vnc",
                                 "query-name",
                                 "query-cpus-fast",
                                 "query-cpus",
                                 "query-block",
                                 "query-blockstats",
                                 "query-commands",
                                 "cont",
                                 "stop",
                                 "quit",
                                 "qmp_capabilities",
                                 "query-hotpluggable-cpus",
                                 "cpu-add",
                                 "device_add",
                                 "device_del",
                                 "query-pci",
                                 "human-monitor-command",
                                 "system_wakeup",
                                 "xen-set-global-dirty-log",
                                 "xen-save-devices-state",
                                 "add-fd",
                                 "remove-fd",
                                 "query-fdsets",
                                 "query-command-line-options"}) {
    BOOST_TEST(std::count(names.begin(), names.end(), name) == 1, name);
  }
  BOOST_TEST(names.size() == 27U);
}

BOOST_AUTO_TEST_CASE(version_name_and_quit_are_answered) {
  Peer client = connect();
  client.enter();
  BOOST_TEST(client.command(R"({"execute":"query-version"})")
                 .at("return")
                 .at("qemu")
                 .at("major")
                 .as_int64() == 7);
  BOOST_TEST(client.command(R"({"execute":"query-name"})").at("return").at("name").as_string() ==
             "guest");
  BOOST_TEST(machine.quits == 0);
  BOOST_TEST(client.command(R"({"execute":"quit"})").contains("return"));
  BOOST_TEST(machine.quits == 1);
}

BOOST_AUTO_TEST_CASE(nothing_is_obeyed_before_capabilities_are_negotiated) {
  Peer client = connect();
  client.line();
  const auto reply = client.command(R"({"execute":"stop","id":9})");
  BOOST_TEST(reply.at("error").at("class").as_string() == "CommandNotFound");
  BOOST_TEST(reply.at("id").as_int64() == 9);
  BOOST_TEST(machine.stops == 0);
}

BOOST_AUTO_TEST_CASE(ids_of_any_kind_come_back) {
  Peer client = connect();
  client.enter();
  for (const std::string id :
       {"0", "-1", "18446744073709551615", "\"x\"", "null", "[1,{\"a\":2}]", "{}", "true"}) {
    const auto reply = client.command(R"({"id":)" + id + R"(,"execute":"query-status"})");
    BOOST_TEST(json::serialize(reply.at("id")) == id);
  }
  BOOST_TEST(!client.command(R"({"execute":"query-status"})").contains("id"));
}

BOOST_AUTO_TEST_CASE(commands_may_come_byte_by_byte) {
  Peer client = connect();
  client.enter();
  for (const char c : std::string_view{"{\"execute\":\"query-status\",\"id\":12}\r\n"}) {
    BOOST_TEST_REQUIRE(client.send({&c, 1}));
    loop.settle();
  }
  BOOST_TEST(client.message().at("id").as_int64() == 12);
  BOOST_TEST(client.unread().empty());
}

BOOST_AUTO_TEST_CASE(several_commands_may_come_at_once) {
  Peer client = connect();
  client.enter();
  BOOST_TEST_REQUIRE(
      client.send("{\"execute\":\"stop\",\"id\":1}\r\n{\"execute\":\"cont\",\"id\":2}{\"execute\":"
                  "\"stop\",\"id\":3}"));
  for (int id = 1; id <= 3; ++id) {
    BOOST_TEST(client.message().at("id").as_int64() == id);
  }
  BOOST_TEST(machine.stops == 2);
}

BOOST_AUTO_TEST_CASE(xentop_ends_its_commands_with_nothing_and_waits_for_no_greeting) {
  Peer client = connect();
  BOOST_TEST_REQUIRE(client.send(R"({ "execute": "qmp_capabilities" })"));
  BOOST_TEST(client.message().contains("QMP"));
  BOOST_TEST(json::serialize(client.message()) == R"({"return":{}})");
  BOOST_TEST_REQUIRE(client.send(R"({ "execute": "query-blockstats" })"));
  BOOST_TEST(json::serialize(client.message()) == R"({"return":[]})");
  BOOST_TEST_REQUIRE(client.send(R"({ "execute": "query-block" })"));
  BOOST_TEST(json::serialize(client.message()) == R"({"return":[]})");
}

BOOST_AUTO_TEST_CASE(a_client_that_stops_sending_still_gets_its_answers) {
  Peer client = connect();
  BOOST_TEST_REQUIRE(
      client.send(R"({"execute":"qmp_capabilities","id":1}{"execute":"query-name","id":2})"));
  client.half_close();
  client.line();
  BOOST_TEST(client.message().at("id").as_int64() == 1);
  BOOST_TEST(client.message().at("id").as_int64() == 2);
  BOOST_TEST(client.ended());
  BOOST_TEST(server->clients() == 0U);
}

BOOST_AUTO_TEST_CASE(other_parts_add_commands_that_take_arguments_and_descriptors) {
  std::string id;
  int fd = -1;
  commands.add("blockdev-change-medium", {{"id"}}, [&](QmpCall& call) -> QmpResult {
    const auto* const argument = call.arguments.if_contains("id");
    if (argument == nullptr || !argument->is_string()) {
      return QmpError{kGenericError, "id is missing"};
    }
    id = argument->as_string().c_str();
    fd = call.descriptors.take().get();
    return json::object{};
  });
  Peer client = connect();
  client.enter();
  BOOST_TEST(client.command(R"({"execute":"blockdev-change-medium"})")
                 .at("error")
                 .at("desc")
                 .as_string() == "id is missing");
  int pipe_ends[2];
  BOOST_TEST_REQUIRE(::pipe(pipe_ends) == 0);
  const host::UniqueFd read_end{pipe_ends[0]};
  const host::UniqueFd write_end{pipe_ends[1]};
  client.send_with_fds(
      "{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"ide-5632\"}}\r\n",
      {read_end.get()});
  BOOST_TEST(client.message().contains("return"));
  BOOST_TEST(id == "ide-5632");
  BOOST_TEST(fd >= 0);
  BOOST_TEST(fd != read_end.get());
}

BOOST_AUTO_TEST_CASE(a_later_command_takes_an_earlier_one_s_place) {
  commands.add("query-block", [](QmpCall&) -> QmpResult { return json::value("mine"); });
  Peer client = connect();
  client.enter();
  BOOST_TEST(client.command(R"({"execute":"query-block"})").at("return").as_string() == "mine");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
