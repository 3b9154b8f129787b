// SPDX-License-Identifier: MIT
// QMP's rules, for every command there is: QEMU docs/interop/qmp-spec.txt, qapi/qmp-dispatch.c and
// qapi/qobject-input-visitor.c; the schema's files for the arguments.
#include "platform/toolstack/qmp/qmp_medium.h"
#include "platform/toolstack/qmp/qmp_probe.h"
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <boost/json/serialize.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <set>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;

struct Argument {
  std::string name;
  std::string type;  ///< as QEMU's messages call it
  bool required = false;
};
struct Row {
  std::string command;
  std::vector<Argument> arguments{};
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.command;
}

const std::vector<Row> kRows = {
    {"query-commands"},
    {"query-status"},
    {"query-version"},
    {"query-chardev"},
    {"query-vnc"},
    {"query-name"},
    {"query-cpus-fast"},
    {"query-cpus"},
    {"query-hotpluggable-cpus"},
    {"query-block"},
    {"query-blockstats", {{"query-nodes", "boolean"}}},
    {"query-pci"},
    {"query-fdsets"},
    {"query-command-line-options", {{"option", "string"}}},
    {"cont"},
    {"stop"},
    {"quit"},
    {"system_wakeup"},
    {"xen-set-global-dirty-log", {{"enable", "boolean", true}}},
    {"xen-save-devices-state", {{"filename", "string", true}, {"live", "boolean"}}},
    {"cpu-add", {{"id", "integer", true}}},
    {"device_del", {{"id", "string", true}}},
    {"human-monitor-command", {{"command-line", "string", true}, {"cpu-index", "integer"}}},
    {"add-fd", {{"fdset-id", "integer"}, {"opaque", "string"}}},
    {"remove-fd", {{"fdset-id", "integer", true}, {"fd", "integer"}}},
    {"eject", {{"device", "string"}, {"id", "string"}, {"force", "boolean"}}},
    {"blockdev-change-medium",
     {{"device", "string"},
      {"id", "string"},
      {"filename", "string", true},
      {"format", "string"},
      {"force", "boolean"},
      {"read-only-mode", "string"}}},
    {"change", {{"device", "string", true}, {"target", "string", true}, {"arg", "string"}}},
};

std::string sample(const std::string& type) {
  return type == "boolean" ? "true" : type == "integer" ? "1" : "\"x\"";
}

struct RulesRig : QmpRig {
  RulesRig() {
    add_medium_commands(commands, machine, fd_sets, machine.discs());
    machine.drive_list.push_back(
        {.name = "x", .image = "/srv/a.iso", .removable = true, .stats = {}});
    client.enter();
  }
  /// All that `row` requires, without `left_out` and with `more`.
  json::object call(const Row& row, const std::string& left_out, std::string more) {
    std::string list = std::move(more);
    for (const Argument& argument : row.arguments) {
      if (argument.required && argument.name != left_out) {
        list.append(list.empty() ? "" : ",").append("\"" + argument.name + "\":");
        list.append(sample(argument.type));
      }
    }
    return client.command(R"({"execute":")" + row.command + R"(","arguments":{)" + list +
                          R"(},"id":1})");
  }
  /// Refused with these words, and nothing has happened.
  void check_refused(const json::object& reply, const std::string& words) {
    BOOST_TEST_REQUIRE(reply.contains("error"), json::serialize(reply));
    BOOST_TEST(reply.at("id").as_int64() == 1);
    BOOST_TEST(reply.at("error").at("class").as_string() == "GenericError");
    BOOST_TEST(reply.at("error").at("desc").as_string() == words);
    BOOST_TEST(machine.stops + machine.conts + machine.quits == 0);
    BOOST_TEST(machine.drive_list[0].image == "/srv/a.iso");
    BOOST_TEST(machine.tracking.empty());
    BOOST_TEST(fd_sets.describe().empty());
  }
  Peer client = connect();
};

BOOST_FIXTURE_TEST_SUITE(qmp_rules, RulesRig)

BOOST_AUTO_TEST_CASE(every_command_has_a_row_here) {
  std::set<std::string> here{"qmp_capabilities", "device_add"};  // tested below
  for (const Row& row : kRows) {
    here.insert(row.command);
  }
  std::set<std::string> there;
  const auto reply = client.command(R"({"execute":"query-commands"})");
  for (const auto& entry : reply.at("return").as_array()) {
    there.emplace(entry.at("name").as_string().c_str());
  }
  BOOST_TEST(here == there, boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE(what_a_command_does_not_take_is_refused,
                     boost::unit_test::data::make(kRows),
                     row) {
  for (const std::string name : {"x", "Id", "", "filenam"}) {
    check_refused(call(row, "", "\"" + name + "\":1"), "Parameter '" + name + "' is unexpected");
  }
}

BOOST_DATA_TEST_CASE(what_a_command_needs_is_asked_for, boost::unit_test::data::make(kRows), row) {
  for (const Argument& argument : row.arguments) {
    if (argument.required) {
      check_refused(call(row, argument.name, ""), "Parameter '" + argument.name + "' is missing");
    }
  }
  const auto bare = client.command(R"({"execute":")" + row.command + R"(","id":1})");
  BOOST_TEST(bare.at("id").as_int64() == 1);
  BOOST_TEST(bare.contains("return") != bare.contains("error"));
}

BOOST_DATA_TEST_CASE(an_argument_of_another_type_is_refused,
                     boost::unit_test::data::make(kRows),
                     row) {
  const std::vector<std::pair<std::string, std::string>> values = {
      {"boolean", "true"}, {"integer", "1"}, {"string", "\"x\""}, {"null", "null"},
      {"number", "1.5"},   {"array", "[]"},  {"object", "{}"}};
  for (const Argument& argument : row.arguments) {
    for (const auto& [type, value] : values) {
      if (type != argument.type) {
        check_refused(
            call(row, argument.name, "\"" + argument.name + "\":" + value),
            "Invalid parameter type for '" + argument.name + "', expected: " + argument.type);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_vcpu_takes_its_own_properties_and_no_others) {
  const auto add = [&](const std::string& arguments) {
    return client.command(R"({"execute":"device_add","id":1,"arguments":)" + arguments + "}");
  };
  check_refused(add("{}"), "Parameter 'driver' is missing");
  check_refused(add(R"({"driver":"xen-vcpu","socket-id":3,"x":1})"),
                "Property 'xen-vcpu.x' not found");
  BOOST_TEST(!machine.vcpu_online(3));
  BOOST_TEST(add(R"({"id":"cpu-3","driver":"xen-vcpu","socket-id":3,"core-id":0,"thread-id":0})")
                 .contains("return"));
}

BOOST_AUTO_TEST_CASE(capabilities_are_negotiated_once) {
  const auto again = client.command(R"({"execute":"qmp_capabilities","id":1})");
  BOOST_TEST(again.at("error").at("class").as_string() == "CommandNotFound");
  BOOST_TEST(again.at("id").as_int64() == 1);
  BOOST_TEST(client.command(R"({"execute":"query-status","id":2})").contains("return"));
}

BOOST_AUTO_TEST_CASE(a_failed_negotiation_is_none) {
  Peer other = connect();
  BOOST_TEST(other.message().contains("QMP"));
  for (const std::string arguments : {R"({"enable":["oob"]})", R"({"enable":"oob"})",
                                      R"({"enable":[1]})", R"({"x":1})", R"({"enable":null})"}) {
    const auto reply =
        other.command(R"({"execute":"qmp_capabilities","id":1,"arguments":)" + arguments + "}");
    BOOST_TEST(reply.at("error").at("class").as_string() == "GenericError");
    const auto early = other.command(R"({"execute":"query-status","id":2})");
    BOOST_TEST(early.at("error").at("class").as_string() == "CommandNotFound");
    BOOST_TEST(early.at("error").at("desc").as_string() ==
               "Expecting capabilities negotiation with 'qmp_capabilities'");
  }
  BOOST_TEST(other.command(R"({"execute":"qmp_capabilities","arguments":{"enable":[]}})")
                 .contains("return"));
  BOOST_TEST(other.command(R"({"execute":"query-status"})").contains("return"));
}

struct Request {
  std::string text;
  std::string words;
};
std::ostream& operator<<(std::ostream& out, const Request& request) {
  return out << request.text;
}

const std::vector<Request> kRequests = {
    {"{}", "QMP input lacks member 'execute'"},
    {R"({"id":1})", "QMP input lacks member 'execute'"},
    {R"({"execute":true,"id":1})", "QMP input member 'execute' must be a string"},
    {R"({"execute":null,"id":1})", "QMP input member 'execute' must be a string"},
    {R"({"execute":"no-such-cmd","arguments":[]})",
     "QMP input member 'arguments' must be an object"},
    {R"({"execute":"stop","arguments":null})", "QMP input member 'arguments' must be an object"},
    {R"({"execute":"no-such-cmd","extra":true})", "QMP input member 'extra' is unexpected"},
    {R"({"exec-oob":"stop"})", "QMP input member 'exec-oob' is unexpected"},
    {R"({"execute":"stop","control":{}})", "QMP input member 'control' is unexpected"},
    {R"({"execute":"query-status","execute":"stop"})", "JSON parse error, duplicate key"},
    {R"({"execute":"stop","execute":"stop"})", "JSON parse error, duplicate key"},
    {R"({"execute":"stop","id":1,"id":1})", "JSON parse error, duplicate key"},
    {R"({"execute":"eject","arguments":{"id":"x","id":"y"}})", "JSON parse error, duplicate key"},
    {R"({"execute":"stop","id":[{"a":{"b":1,"b":2}}]})", "JSON parse error, duplicate key"},
};

BOOST_DATA_TEST_CASE(a_request_that_is_none_is_answered_in_qemus_words,
                     boost::unit_test::data::make(kRequests),
                     request) {
  const auto reply = client.command(request.text);
  BOOST_TEST(reply.at("error").at("class").as_string() == "GenericError");
  BOOST_TEST(reply.at("error").at("desc").as_string() == request.words);
  BOOST_TEST(machine.stops == 0);
  BOOST_TEST(machine.drive_list[0].image == "/srv/a.iso");
  BOOST_TEST(client.command(R"({"execute":"query-status","id":7})").at("id").as_int64() == 7);
}

// Answers end up in logs of toolstacks, and xl prints what the human monitor says.
BOOST_AUTO_TEST_CASE(answers_hold_nothing_that_a_terminal_would_obey) {
  machine.drive_list[0].image = "/srv/\u009b31m\u202e\x7f.iso";
  BOOST_TEST_REQUIRE(client.send("{\"execute\":\"query-block\"}\r\n"));
  const auto text = client.line();
  BOOST_TEST_REQUIRE(text.has_value());
  BOOST_TEST(text->find(R"(/srv/\u009b31m\u202e\u007f.iso)") != std::string::npos, *text);
  const auto shown = client.command(
      R"({"execute":"human-monitor-command","arguments":{"command-line":"info block"}})");
  const std::string block{shown.at("return").as_string()};
  BOOST_TEST(block.find("/srv/?31m??.iso") != std::string::npos, block);
  const auto unknown = client.command("{\"execute\":\"\u009b\"}");
  BOOST_TEST(unknown.at("error").at("desc").as_string() == "The command \u009b has not been found");
}

BOOST_AUTO_TEST_CASE(a_medium_is_named_by_id_or_by_device_and_not_by_both) {
  for (const std::string command : {"eject", "blockdev-change-medium"}) {
    const std::string file = command == "eject" ? "" : R"(,"filename":"/y")";
    for (const std::string& drives :
         {std::string{R"("force":false)"}, std::string{R"("id":"x","device":"x")"}}) {
      check_refused(client.command(R"({"id":1,"execute":")" + command + R"(","arguments":{)" +
                                   drives + file + "}}"),
                    "Need exactly one of 'device' and 'id'");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
