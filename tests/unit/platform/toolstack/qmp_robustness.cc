// SPDX-License-Identifier: MIT
// Clients that break the rules (E14 of the security cases): none may end the process, hold the loop
// or grow memory.
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <boost/json/serialize.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <sys/resource.h>

#include <random>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;

/// After everything a bad client did, a good one is served.
void check_alive(QmpRig& rig) {
  Peer client = rig.connect();
  client.enter();
  BOOST_TEST(client.command(R"({"execute":"query-status","id":4})").at("id").as_int64() == 4);
}

BOOST_FIXTURE_TEST_SUITE(qmp_robustness, QmpRig)

/// Everything that is left to be read, and that the connection works again afterwards.
void check_recovered(Peer& client) {
  BOOST_TEST_REQUIRE(client.send("\r\n{\"execute\":\"no-such-command\",\"id\":\"back\"}"));
  json::object reply = client.message();
  while (!reply.contains("id")) {
    BOOST_TEST(reply.at("error").at("class").as_string() == "GenericError");
    reply = client.message();
  }
  BOOST_TEST(reply.at("id").as_string() == "back");
  BOOST_TEST(reply.at("error").at("class").as_string() == "CommandNotFound");
}

struct Garbage {
  std::string text;     ///< its last byte is the first after which no command can come of it
  std::string further;  ///< and what follows without a further answer
};
std::ostream& operator<<(std::ostream& out, const Garbage& garbage) {
  return out << garbage.text << "|" << garbage.further;
}

// The first ones are those of QEMU's own test (tests/qtest/qmp-test.c).
const std::vector<Garbage> kGarbage = {
    {"{]", ""},
    {"{\xff", ""},
    {"{\x01", ""},
    {"{'", "bad \xff"},
    {"{'", "execute': 'nonexistent', 'id':'\n"},
    {"%", "p"},
    {"null", ""},
    {"G", "ET / HTTP/1.1\r\n\r\n"},
    {"[", "1,2,{\"execute\":\"stop\"}]"},
    {"\"", "text{\"execute\":\"stop\"}\""},
    {"}", ""},
    {"{\"a\r", "\n"},
    {std::string(1, '\0'), ""},
    {"\xff", ""},
    {"{\"\xff", ""},
    {"{\"a\": \"\xc3(", "\"}"},
    {"{\"a\":\"\xed\xa0", "\x80\"}"},
    {"{\"a\":\"\xc0", "\x80\"}"},
    {"{\"a\":\"\\x", "41\"}"},
    {"{\"a\":\"\\ud800x", "\"}"},
    {"{\"a\":\"\\udc00", "\"}"},
    {"{\"a\":01", "}"},
    {"{\"a\":- ", "1}"},
    {"{\"a\":1.}", ""},
    {"{\"a\":1e}", ""},
    {"{\"a\":tru}", ""},
    {"{\"a\":nul ", "}"},
    {"{\"a\" \"", "b\"}"},
    {"{\"execute\":\"stop\",}", ""},
    {"{\"execute\" \"", "stop\"}"},
    {"{\"execute\":\"stop\" \"", "id\":1}"},
    {"{\"a\":[1,]", "}"},
    {"{s", "top}"},
    {"{\"a\":{\"b\":x", ",\"c\":{\"execute\":\"stop\"}}}"},
    {"{{", "}}"},
    {"n", "il"},
};

BOOST_DATA_TEST_CASE(garbage_has_its_error_at_once_and_the_connection_goes_on,
                     boost::unit_test::data::make(kGarbage),
                     garbage) {
  Peer client = connect();
  client.enter();
  // "null" is none with its first letter already.
  for (std::size_t i = 0; i + 1 < garbage.text.size() && garbage.text != "null"; ++i) {
    BOOST_TEST_REQUIRE(client.send({&garbage.text[i], 1}));
    loop.settle();
    BOOST_TEST(client.unread().empty());
  }
  BOOST_TEST_REQUIRE(client.send(
      garbage.text == "null" ? garbage.text : garbage.text.substr(garbage.text.size() - 1)));
  const auto reply = client.message();
  BOOST_TEST(reply.at("error").at("class").as_string() == "GenericError");
  BOOST_TEST(!reply.contains("id"));
  BOOST_TEST_REQUIRE(client.send(garbage.further));
  loop.settle();
  BOOST_TEST(client.unread().empty(), client.unread());
  check_recovered(client);
  BOOST_TEST(machine.stops == 0);
  BOOST_TEST(server->clients() == 1U);
}

// FFh is the client's means to get to a known state (QEMU docs/interop/qmp-spec.txt, 2.6).
BOOST_AUTO_TEST_CASE(after_ffh_a_command_may_follow_at_once_wherever_the_client_was) {
  for (const std::string begun : {"{\"execute\":\"qu", "{\"a\":[[", "{\"a\":1", "x"}) {
    Peer client = connect();
    client.enter();
    BOOST_TEST_REQUIRE(client.send(begun + "\xff{\"execute\":\"query-name\",\"id\":1}"));
    BOOST_TEST(client.message().contains("error"));
    BOOST_TEST(client.message().at("id").as_int64() == 1);
  }
}

// An error costs one byte and its answer seventy.
BOOST_AUTO_TEST_CASE(a_flood_of_errors_is_bounded) {
  Peer flood = connect();
  flood.enter();
  const std::string junk(4096, '\x01');
  std::size_t sent = 0;
  BOOST_TEST(loop.run_until([&] {
    while (flood.send(junk)) {
      sent += junk.size();
    }
    return server->clients() == 0;
  }));
  BOOST_TEST(sent < 1024U * 1024);
  check_alive(*this);
}

const std::vector<std::string> kOddRequests = {
    "{}",
    R"({"execute":7})",
    R"({"execute":null})",
    R"({"execute":"stop","arguments":[]})",
    R"({"execute":"stop","control":{}})",
    R"({"exec-oob":"stop"})",
    R"({"execute":"stop","execute":"stop"})",
    R"({"execute":"query-status","execute":"stop"})",
    R"({"execute":"stop","id":1,"id":2})",
    R"({"execute":"stop","arguments":{},"arguments":{}})",
    R"({"execute":"stop","id":{"a":1,"b":[{"c":1,"c":2}]}})",
    R"({"execute":"stop","\u0065xecute":"stop"})",
    R"({"execute":"query-status","id":1e999})",
    R"({"execute":"query-status","id":[{"a":-1e999}]})",
};

BOOST_DATA_TEST_CASE(an_odd_request_is_an_error_and_the_connection_stays,
                     boost::unit_test::data::make(kOddRequests),
                     text) {
  Peer client = connect();
  client.enter();
  const auto reply = client.command(text);
  BOOST_TEST(reply.at("error").at("class").as_string() == "GenericError");
  BOOST_TEST(reply.at("error").at("desc").is_string());
  BOOST_TEST(machine.stops == 0);
  BOOST_TEST(client.command(R"({"execute":"stop","id":5})").at("id").as_int64() == 5);
}

// RFC 8259, 8.1. Names of files are bytes; a long word is quoted up to somewhere.
BOOST_AUTO_TEST_CASE(answers_are_utf8_whatever_they_quote) {
  machine.drive_list.resize(1);
  machine.drive_list[0].name = "ide0-hd0";
  machine.drive_list[0].image = "/srv/\xff\xc3\xa4\xed\xa0\x80";
  Peer client = connect();
  client.enter();
  const auto drives = client.command(R"({"execute":"query-block"})");
  const auto& file = drives.at("return").at(0).at("inserted").at("file").as_string();
  BOOST_TEST(file == "/srv/\uFFFD\u00e4\uFFFD\uFFFD\uFFFD");
  for (std::size_t length = 60; length < 68; ++length) {
    const auto reply = client.command(R"({"execute":")" + std::string(length, 'a') + R"(\ud417"})");
    BOOST_TEST(reply.at("error").at("class").as_string() == "CommandNotFound");
  }
}

BOOST_AUTO_TEST_CASE(an_odd_request_keeps_its_id) {
  Peer client = connect();
  client.enter();
  BOOST_TEST(client.command(R"({"execute":7,"id":"x"})").at("id").as_string() == "x");
}

BOOST_AUTO_TEST_CASE(a_command_of_64_kib_is_taken_and_a_longer_one_is_not) {
  const std::string frame = R"({"execute":"query-status","id":""})";
  const std::string largest = R"({"execute":"query-status","id":")" +
                              std::string(QmpSession::kMaxCommand - frame.size(), 'x') + R"("})";
  Peer client = connect();
  client.enter();
  for (std::size_t at = 0; at < largest.size(); at += 4096) {
    BOOST_TEST_REQUIRE(client.send(std::string_view{largest}.substr(at, 4096)));
    loop.settle();
  }
  BOOST_TEST(client.message().at("id").as_string().size() > 65'000U);

  for (std::size_t at = 0; at < largest.size() - 2; at += 4096) {
    BOOST_TEST_REQUIRE(client.send(std::string_view{largest}.substr(
        at, std::min<std::size_t>(4096, largest.size() - 2 - at))));
    loop.settle();
  }
  BOOST_TEST_REQUIRE(client.send("xxxx"));
  BOOST_TEST(client.message().at("error").at("desc").as_string().find("64 KiB") !=
             json::string::npos);
  BOOST_TEST(client.ended());
  check_alive(*this);
}

BOOST_AUTO_TEST_CASE(nesting_beyond_32_ends_the_connection) {
  Peer client = connect();
  client.enter();
  std::string deep = R"({"execute":"query-status","id":)";
  BOOST_TEST(
      client.command(deep + std::string(31, '[') + std::string(31, ']') + "}").contains("return"));
  BOOST_TEST_REQUIRE(client.send(deep + std::string(32, '[')));
  BOOST_TEST(client.message().contains("error"));
  BOOST_TEST(client.ended());
  check_alive(*this);
}

BOOST_AUTO_TEST_CASE(a_client_that_sends_without_reading_is_dropped) {
  Peer flood = connect();
  flood.enter();
  const std::string command = R"({"execute":"query-commands","id":"0123456789"})";
  std::size_t sent = 0;
  BOOST_TEST(loop.run_until([&] {
    while (flood.send(command)) {
      sent += command.size();
    }
    return server->clients() == 0;
  }));
  // What it made us hold is bounded: our limit and the kernel's socket buffer.
  BOOST_TEST(sent < 8U * 1024 * 1024);
  check_alive(*this);
}

BOOST_AUTO_TEST_CASE(a_client_that_floods_does_not_keep_others_waiting) {
  Peer flood = connect();
  flood.enter();
  Peer good = connect();
  good.enter();
  const std::string junk(200'000, ' ');
  for (int round = 0; round < 50; ++round) {
    flood.send(junk);  // white space: costs a look at every byte and has no answer
    BOOST_TEST(good.command(R"({"execute":"query-status","id":1})").contains("return"));
  }
  BOOST_TEST(server->clients() == 2U);
}

BOOST_AUTO_TEST_CASE(random_bytes_and_damaged_commands_are_survived) {
  const std::string good = R"({"execute":"echo","arguments":{"a":[1,2,"x"]},"id":1})";
  commands.add("echo", QmpParameters::any(),
               [](QmpCall& call) -> QmpResult { return json::value{call.arguments}; });
  std::mt19937 random{7};
  for (int round = 0; round < 1500; ++round) {
    std::string text = good;
    for (unsigned changes = 1 + random() % 4; changes != 0; --changes) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 8);
        text.push_back('{');
      } else {
        text[at] = static_cast<char>(random() % 256);
      }
    }
    QmpSession session{commands};
    std::string out;
    (void)session.feed(R"({"execute":"qmp_capabilities"})", out, 1 << 20);
    out.clear();
    (void)session.feed(text, out, 1 << 20);
    for (std::size_t at = 0; at < out.size();) {
      const std::size_t end = out.find("\r\n", at);
      BOOST_TEST_REQUIRE(end != std::string::npos);
      boost::system::error_code error;
      BOOST_TEST_REQUIRE(json::parse(out.substr(at, end - at), error).is_object());
      at = end + 2;
    }
  }
}

BOOST_AUTO_TEST_CASE(descriptors_nobody_takes_are_closed_with_the_connection) {
  loop.settle();
  const std::size_t before = open_descriptors();
  int pipe_ends[2];
  BOOST_TEST_REQUIRE(::pipe(pipe_ends) == 0);
  const host::UniqueFd read_end{pipe_ends[0]};
  const host::UniqueFd write_end{pipe_ends[1]};
  {
    Peer client = connect();
    client.enter();
    const std::size_t connected = open_descriptors();
    client.send_with_fds("{\"execute\":\"eject\",\"id\":1}\r\n", {read_end.get()});
    BOOST_TEST(client.message().contains("error"));
    BOOST_TEST(open_descriptors() == connected + 1);
  }
  BOOST_TEST(loop.run_until([&] { return server->clients() == 0; }));
  BOOST_TEST(open_descriptors() == before + 2);
}

BOOST_AUTO_TEST_CASE(a_client_cannot_fill_our_descriptor_table) {
  Peer client = connect();
  client.enter();
  const std::size_t connected = open_descriptors();
  const host::UniqueFd one{::dup(0)};
  BOOST_TEST_REQUIRE(one.get() >= 0);
  for (int i = 0; i < 100; ++i) {
    client.send_with_fds("  ", std::vector<int>(200, one.get()));
    loop.settle();
  }
  BOOST_TEST(open_descriptors() <= connected + 1 + QmpDescriptors::kCapacity);
  BOOST_TEST(client.command(R"({"execute":"query-status","id":1})").contains("return"));
  client.hang_up();
  BOOST_TEST(loop.run_until([&] { return server->clients() == 0; }));
  BOOST_TEST(open_descriptors() == connected + 1 - 2);  // both ends of the connection are gone
}

BOOST_AUTO_TEST_CASE(a_descriptor_sent_to_a_dropped_client_is_closed) {
  loop.settle();
  const std::size_t before = open_descriptors();
  {
    Peer client = connect();
    client.enter();
    std::string deep = R"({"a":)";
    for (unsigned i = 0; i < ObjectScanner::kMaxDepth; ++i) {
      deep.push_back('[');
    }
    client.send_with_fds(deep, {0});
    BOOST_TEST(client.ended());
  }
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(a_failing_command_is_an_error_and_not_an_end) {
  commands.add("throws", [](QmpCall&) -> QmpResult { throw std::runtime_error("no luck"); });
  Peer client = connect();
  client.enter();
  const auto reply = client.command(R"({"execute":"throws","id":1})");
  BOOST_TEST(reply.at("error").at("desc").as_string() == "no luck");
  BOOST_TEST(reply.at("id").as_int64() == 1);
  BOOST_TEST(client.command(R"({"execute":"query-status","id":2})").contains("return"));
}

BOOST_AUTO_TEST_CASE(without_free_descriptors_clients_wait_instead_of_being_lost) {
  Peer first = connect();
  first.enter();
  Peer second = connect();  // in the backlog: the loop has not run since
  rlimit old{};
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  rlimit none = old;
  none.rlim_cur = 0;
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  loop.settle();
  BOOST_TEST(first.command(R"({"execute":"query-status","id":1})").contains("return"));
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
  BOOST_TEST(server->clients() == 1U);
  second.enter();
  BOOST_TEST(server->clients() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_client_that_never_reads_its_answer_is_dropped_after_a_while) {
  QmpRig rig{{.max_clients = 4,
              .max_output = 4 * 1024 * 1024,
              .write_timeout = std::chrono::milliseconds{50}}};
  rig.commands.add("large", [](QmpCall&) -> QmpResult {
    return json::value(std::string(2 * 1024 * 1024, 'x'));
  });
  Peer silent = rig.connect();
  silent.enter();
  BOOST_TEST_REQUIRE(silent.send(R"({"execute":"large"})"));
  BOOST_TEST(rig.loop.run_until([&] { return rig.server->clients() == 0; }));
}

BOOST_AUTO_TEST_CASE(a_slow_client_gets_a_large_answer_whole) {
  QmpRig rig{{.max_clients = 4, .max_output = 4 * 1024 * 1024}};
  rig.commands.add("large", [](QmpCall&) -> QmpResult {
    return json::value(std::string(2 * 1024 * 1024, 'x'));
  });
  Peer client = rig.connect();
  client.enter();
  BOOST_TEST_REQUIRE(client.send(R"({"execute":"large","id":1})"));
  rig.loop.settle();
  const auto reply = client.message();
  BOOST_TEST(reply.at("return").as_string().size() == 2U * 1024 * 1024);
  BOOST_TEST(client.command(R"({"execute":"query-status","id":2})").at("id").as_int64() == 2);
}

}  // namespace
}  // namespace dm::toolstack::test
