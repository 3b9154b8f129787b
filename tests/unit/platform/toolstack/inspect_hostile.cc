// SPDX-License-Identifier: MIT
// A device model that its guest has taken over, and that root inspects: what it says must neither
// reach the terminal as orders, nor fill it, nor keep the caller waiting.
#include "core/text/printable.h"
#include "platform/toolstack/qmp/inspect_client.h"
#include "platform/toolstack/qmp/inspect_dialogue.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <poll.h>

#include <functional>
#include <thread>

#include "qmp_rig.h"

namespace {

using namespace dm;
using namespace dm::toolstack;
using namespace dm::toolstack::test;
namespace json = boost::json;
using State = InspectDialogue::State;

constexpr std::string_view kGreeting = "{\"QMP\":{}}\r\n";
constexpr std::string_view kYes = "{\"return\":{}}\r\n";

/// What becomes of an answer to x-stubdm-inspect.
State ask(InspectDialogue& dialogue, std::string_view answer) {
  dialogue.feed(kGreeting);
  dialogue.feed(kYes);
  return dialogue.feed(answer);
}
json::object answered(const std::string& object) {
  InspectDialogue dialogue{7};
  BOOST_TEST_REQUIRE((ask(dialogue, "{\"return\":" + object + "}") == State::answered), object);
  return dialogue.result().value();
}

/// A process at the other end of the socket; `serve` gets each connection.
class Captured {
 public:
  Captured(const std::string& path, std::function<void(int)> serve)
      : socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    const sockaddr_un address = address_of(path);
    BOOST_TEST_REQUIRE(
        ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_TEST_REQUIRE(::listen(socket_.get(), 4) == 0);
    thread_ = std::thread{[this, serve = std::move(serve)] {
      const host::UniqueFd client{::accept(socket_.get(), nullptr, nullptr)};
      serve(client.get());
    }};
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() { thread_.join(); }

 private:
  host::UniqueFd socket_;
  std::thread thread_;
};

bool say(int client, std::string_view text) {
  return ::send(client, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

BOOST_AUTO_TEST_SUITE(inspect_hostile)

const std::vector<std::string> kStrings = {
    "\\u001b]0;owned\\u0007", "\\u009b31m",     "\u009b31m", "\x7f",           "\\u202eabc",
    "\u2066x\u2069",          "\\u2028\\u2029", "\\ufeff",   "\\u0000\\u0001", "\\r\\n\\t",
    "\\udb40\\udc41",         "\\ufffe",
};

BOOST_DATA_TEST_CASE(no_string_reaches_the_terminal_as_an_order,
                     boost::unit_test::data::make(kStrings),
                     bad) {
  for (const std::string& object :
       {"{\"name\":\"" + bad + "\"}", "{\"" + bad + "\":1}", "{\"" + bad + "\":{\"a\":1}}",
        "{\"a\":[\"" + bad + "\",{\"" + bad + "\":1}]}", "{\"t\":[{\"" + bad + "\":1},{}]}",
        "{\"t\":[{\"a\":\"" + bad + "\",\"b\":[\"" + bad + "\"]}]}",
        "{\"t\":[{\"a\":1,\"" + bad + "\":{\"" + bad + "\":\"" + bad + "\"}}]}",
        "{\"" + bad + "\":[{\"a\":1}]}"}) {
    const json::object all = answered(object);
    const std::string text = inspection_text(all);
    BOOST_TEST(text == printable_lines(text), object);
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') <= 6, object);
    const std::string raw = inspection_json(all);
    BOOST_TEST(raw == printable_lines(raw), object);
    BOOST_TEST((json::parse(raw) == json::value(all)), object);  // nothing is lost by that
  }
}

BOOST_AUTO_TEST_CASE(a_string_that_is_no_text_is_no_answer) {
  for (const std::string bad : {"\\ud800", "\\udc00x", "\xc0\x9b", "\xed\xa0\x80", "\xff", "\x9b",
                                "\",\"b\":1e999,\"c\":\""}) {
    InspectDialogue dialogue{7};
    BOOST_TEST((ask(dialogue, "{\"return\":{\"a\":\"" + bad + "\"}}") == State::failed));
    BOOST_TEST(dialogue.result().error().message ==
               "the device model of domain 7 says what is not QMP");
  }
}

// 22.9 KB of JSON made 21.8 MB of table: each row of "-" for each column of the first one.
BOOST_AUTO_TEST_CASE(a_short_answer_does_not_make_a_long_text) {
  std::string row;
  for (int i = 0; i < 1000; ++i) {
    row += (row.empty() ? "\"" : ",\"") + std::to_string(i) + "\":1";
  }
  std::string rows;
  for (int i = 0; i < 4000; ++i) {
    rows += ",{}";
  }
  std::string members;
  for (int i = 0; i < 5000; ++i) {
    members += ",\"" + std::to_string(i) + "\":0";
  }
  std::string deep = "1";
  for (int i = 0; i < 25; ++i) {
    deep = "{\"" + std::string(200, 'a') + "\":" + deep + "}";
  }
  for (const std::string& object :
       {"{\"t\":[{" + row + "}" + rows + "]}",
        "{\"" + std::string(100'000, 'k') + "\":1" + members + "}",
        "{\"t\":[{\"a\":\"" + std::string(100'000, 'v') + "\",\"b\":1}" + rows + "]}",
        "{\"deep\":" + deep + "}", "{\"a\":\"" + std::string(900'000, 'x') + "\"}",
        "{\"t\":[{\"a\":{" + members.substr(1) + "}}" + rows + "]}"}) {
    const std::string text = inspection_text(answered(object));
    BOOST_TEST(text.size() <= kMostInspectionText);
    BOOST_TEST(text.size() <= 8192 + 8 * object.size());
    const bool marked =
        text.find("left out") != std::string::npos || text.find("...") != std::string::npos;
    BOOST_TEST(marked);
  }
}

BOOST_AUTO_TEST_CASE(what_it_says_is_bounded_in_bytes_and_in_messages) {
  InspectDialogue events{7};
  events.feed(kGreeting);
  unsigned taken = 0;
  while (events.feed("{\"event\":\"STOP\"}\r\n") == State::talking) {
    ++taken;
    BOOST_TEST_REQUIRE(taken <= InspectDialogue::kMostMessages);
  }
  BOOST_TEST(events.result().error().message ==
             "the device model of domain 7 talks without answering");
  for (const std::string piece : {" ", "\r\n"}) {
    InspectDialogue blanks{7};
    std::size_t bytes = 0;
    while (blanks.feed(piece) == State::talking) {
      bytes += piece.size();
      BOOST_TEST_REQUIRE(bytes <= InspectDialogue::kMostBytes);
    }
    BOOST_TEST(blanks.result().has_error());
  }
  InspectDialogue endless{7};
  BOOST_TEST((ask(endless, "{\"return\":{\"a\":\"") == State::talking));
  BOOST_TEST((endless.feed(std::string(InspectDialogue::kMostBytes, 'x')) == State::failed));
}

const std::vector<std::string> kNoAnswers = {
    "{\"return\":7}", "{\"return\":[]}", "{\"return\":{},\"error\":{}}",
    "{\"error\":{\"class\":\"\\u009b\",\"desc\":\"\\u009b\"}}"};

BOOST_DATA_TEST_CASE(what_is_no_inspection_is_not_stubdm_and_is_not_quoted,
                     boost::unit_test::data::make(kNoAnswers),
                     text) {
  InspectDialogue dialogue{7};
  BOOST_TEST((ask(dialogue, text) == State::failed));
  BOOST_TEST(dialogue.result().error().message == "the device model of domain 7 is not stubdm");
}

BOOST_AUTO_TEST_CASE(who_hangs_up_at_any_point_ends_it) {
  const std::string all = std::string{kGreeting} + std::string{kYes} + "{\"return\":{\"a\":1}}";
  for (std::size_t length = 0; length < all.size(); ++length) {
    const TemporaryDirectory directory;
    const Captured captured{directory.file("qmp-libxenstat-7"), [&](int client) {
                              (void)say(client, std::string_view{all}.substr(0, length));
                              ::shutdown(client, SHUT_WR);
                            }};
    const auto answer = ask_inspection(7, directory.file(""));
    BOOST_TEST_REQUIRE(answer.has_error());
    BOOST_TEST(answer.error().message == "the device model of domain 7 does not answer");
  }
}

// No message of these is late, and there is no end of them.
BOOST_AUTO_TEST_CASE(who_never_answers_is_given_up) {
  const std::vector<std::function<bool(int)>> ways = {
      [](int) { return true; },                                        // says nothing
      [](int client) { return say(client, " "); },                     // dribbles
      [](int client) { return say(client, "{\"event\":\"STOP\"}"); },  // chats
  };
  for (const auto& way : ways) {
    const TemporaryDirectory directory;
    const Captured captured{directory.file("qmp-libxenstat-7"), [&](int client) {
                              (void)say(client, kGreeting);
                              pollfd gone{.fd = client, .events = POLLRDHUP, .revents = 0};
                              while (way(client) && ::poll(&gone, 1, 1) == 0) {
                              }
                            }};
    const auto answer = ask_inspection(7, directory.file(""), std::chrono::milliseconds{60});
    BOOST_TEST(answer.has_error());
  }
}

BOOST_AUTO_TEST_CASE(a_backlog_that_nobody_empties_is_given_up) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kPatience{2000};
  const TemporaryDirectory directory;
  std::vector<host::UniqueFd> sockets;
  for (const char* const name : {"qmp-libxenstat-7", "qmp-libxl-7"}) {
    sockets.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const host::UniqueFd& socket = sockets.back();
    const sockaddr_un address = address_of(directory.file(name));
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    BOOST_TEST_REQUIRE(::bind(socket.get(), generic, sizeof address) == 0);
    BOOST_TEST_REQUIRE(::listen(socket.get(), 0) == 0);
    host::UniqueFd first{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    BOOST_TEST_REQUIRE(::connect(first.get(), generic, sizeof address) == 0);
    sockets.push_back(std::move(first));
  }
  const auto start = Clock::now();
  BOOST_TEST(ask_inspection(7, directory.file(""), kPatience).has_error());
  BOOST_TEST((Clock::now() - start < kPatience * 19 / 10));  // one patience for both
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
