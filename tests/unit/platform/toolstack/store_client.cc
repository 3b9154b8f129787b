// SPDX-License-Identifier: MIT
#include "tests/unit/platform/toolstack/store_rig.h"

#include <fcntl.h>

#include <random>
#include <vector>

namespace dm::toolstack::test {
namespace {

// Message types of io/xs_wire.h.
constexpr std::uint32_t kDirectory = 1;
constexpr std::uint32_t kRead = 2;
constexpr std::uint32_t kGetPerms = 3;
constexpr std::uint32_t kWatch = 4;
constexpr std::uint32_t kUnwatch = 5;
constexpr std::uint32_t kWrite = 11;
constexpr std::uint32_t kEvent = 15;
constexpr std::uint32_t kError = 16;

struct ClientRig : StoreRig {
  /// The next question, which must be of this type.
  Message asked(std::uint32_t type) {
    auto question = received();
    BOOST_TEST_REQUIRE(question.has_value());
    BOOST_TEST(question->type == type);
    return *question;
  }
  void reply(const Message& question, std::string_view text) {
    send(message(question.type, question.request, text));
  }
  void refuse(const Message& question, std::string_view error) {
    send(message(kError, question.request, std::string{error}.append(1, '\0')));
  }
  StorePort::Values values;
  int answers = 0;
  int owner = 0;
};

BOOST_FIXTURE_TEST_SUITE(store_client, ClientRig)

BOOST_AUTO_TEST_CASE(several_nodes_are_read_by_one_call_and_missing_ones_are_told_apart) {
  client().read(&owner, {"/a", "/b", "/c"}, [this](const StorePort::Values& all) {
    values = all;
    ++answers;
  });
  const Message a = asked(kRead);
  const Message b = asked(kRead);
  const Message c = asked(kRead);
  BOOST_TEST((a.payload == std::string{"/a\0", 3}));
  reply(a, "one");
  refuse(b, "ENOENT");
  BOOST_TEST(answers == 0);
  reply(c, "");
  BOOST_TEST(answers == 1);
  BOOST_TEST(values[0].value() == "one");
  BOOST_TEST(!values[1].has_value());
  BOOST_TEST(values[2].value() == "");
  BOOST_TEST(client().idle());
}

BOOST_AUTO_TEST_CASE(a_directory_is_a_list_of_names) {
  StorePort::Names names;
  client().list(&owner, "backend/vbd/7", [&names](const StorePort::Names& all) { names = all; });
  reply(asked(kDirectory), pair("51712", "51728"));
  BOOST_TEST_REQUIRE(names.has_value());
  BOOST_TEST((*names == std::vector<std::string>{"51712", "51728"}));
  client().list(&owner, "empty", [&names](const StorePort::Names& all) { names = all; });
  reply(asked(kDirectory), "");
  BOOST_TEST(names->empty());
  client().list(&owner, "none", [&names](const StorePort::Names& all) { names = all; });
  refuse(asked(kDirectory), "ENOENT");
  BOOST_TEST(!names.has_value());
}

BOOST_AUTO_TEST_CASE(the_first_permission_names_the_owner) {
  std::optional<std::uint32_t> domid;
  const auto ask = [&](std::string_view answer) {
    domid.reset();
    client().node_owner(&owner, "/x",
                        [&domid](std::optional<std::uint32_t> found) { domid = found; });
    reply(asked(kGetPerms), answer);
    return domid;
  };
  BOOST_TEST(ask(pair("n0", "r7")).value() == 0U);
  BOOST_TEST(ask(std::string_view{"b7\0", 3}).value() == 7U);
  for (const std::string_view nonsense : {"", "n", "n7x", "nx", "n99999999999"}) {
    BOOST_TEST(!ask(nonsense).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_value_is_written_without_a_terminator) {
  client().write("device-model/7/state", "running");
  const Message write = asked(kWrite);
  BOOST_TEST((write.payload == std::string{"device-model/7/state\0running", 28}));
  refuse(write, "EACCES");  // told in the log
  BOOST_TEST(client().active());
}

BOOST_AUTO_TEST_CASE(events_find_their_watch_by_its_token) {
  std::vector<std::string> seen;
  client().watch(&owner, "a",
                 [&seen](std::string_view path) { seen.push_back("1:" + std::string{path}); });
  client().watch(&owner, "b",
                 [&seen](std::string_view path) { seen.push_back("2:" + std::string{path}); });
  const Message first = asked(kWatch);
  const Message second = asked(kWatch);
  const std::string one = first.payload.substr(2, first.payload.size() - 3);
  const std::string two = second.payload.substr(2, second.payload.size() - 3);
  reply(first, "OK");
  reply(second, "OK");
  send(message(kEvent, 0, pair("b/x", two)) + message(kEvent, 0, pair("a/y/z", one)));
  send(message(kEvent, 0, pair("a", "unknown token")) + message(kEvent, 0, "no token at all"));
  BOOST_TEST((seen == std::vector<std::string>{"2:b/x", "1:a/y/z"}));
}

BOOST_AUTO_TEST_CASE(whoever_goes_hears_nothing_any_more) {
  client().watch(&owner, "a", [this](std::string_view) { ++answers; });
  client().read(&owner, {"x"}, [this](const StorePort::Values&) { ++answers; });
  const Message watch = asked(kWatch);
  const Message read = asked(kRead);
  const std::string token = watch.payload.substr(2, watch.payload.size() - 3);
  client().forget(&owner);
  BOOST_TEST((asked(kUnwatch).payload == pair("a", token)));
  reply(watch, "OK");
  reply(read, "late");
  send(message(kEvent, 0, pair("a", token)));
  BOOST_TEST(answers == 0);
}

BOOST_AUTO_TEST_CASE(a_watch_may_be_taken_back_from_its_own_event) {
  client().watch(&owner, "a", [this](std::string_view) {
    ++answers;
    client().forget(&owner);
  });
  const Message watch = asked(kWatch);
  const std::string event =
      message(kEvent, 0, pair("a", watch.payload.substr(2, watch.payload.size() - 3)));
  send(event + event);
  BOOST_TEST(answers == 1);
}

BOOST_AUTO_TEST_CASE(only_a_few_questions_are_under_way_at_a_time) {
  std::vector<std::string> paths(100, "/n");
  client().read(&owner, paths, [this](const StorePort::Values&) { ++answers; });
  std::size_t open = 0;
  std::vector<Message> questions;
  while (auto question = received()) {
    questions.push_back(*question);
    ++open;
  }
  BOOST_TEST(open == 8U);
  for (std::size_t done = 0; done < 100; ++done) {
    reply(questions.front(), "v");
    questions.erase(questions.begin());
    if (auto question = received()) {
      questions.push_back(*question);
    }
  }
  BOOST_TEST(answers == 1);
}

BOOST_AUTO_TEST_CASE(questions_wait_while_xenstored_takes_nothing) {
  const std::string value(4000, 'v');
  for (int i = 0; i < 8; ++i) {
    client().write("/n", value);
  }
  int small = 1;
  ::setsockopt(store.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  loop.settle();
  for (int i = 0; i < 8; ++i) {
    const auto question = received();
    BOOST_TEST_REQUIRE(question.has_value());
    reply(*question, "OK");
  }
  BOOST_TEST(client().idle());
}

BOOST_AUTO_TEST_CASE(what_is_longer_than_a_message_is_not_sent) {
  client().write("/n", std::string(5000, 'v'));
  BOOST_TEST(!received().has_value());
  BOOST_TEST(client().active());
}

BOOST_AUTO_TEST_CASE(a_stream_without_sense_ends_the_connection_and_nothing_else) {
  client().read(&owner, {"x"}, [this](const StorePort::Values&) { ++answers; });
  send(message(99, 5, "what nobody has asked for is skipped"));
  BOOST_TEST(client().active());
  const std::uint32_t header[4]{kEvent, 0, 0, 0xffffffff};
  send({reinterpret_cast<const char*>(header), sizeof header});
  BOOST_TEST(!client().active());
  client().write("/n", "goes nowhere");
  client().watch(&owner, "/n", [](std::string_view) {});
  client().forget(&owner);
  BOOST_TEST(answers == 0);
}

BOOST_AUTO_TEST_CASE(an_answer_out_of_its_turn_or_of_another_type_ends_the_connection) {
  for (const bool out_of_turn : {true, false}) {
    StoreRig rig;
    int heard = 0;
    rig.client().read(&owner, {"x"}, [&heard](const StorePort::Values&) { ++heard; });
    rig.client().list(&owner, "y", [&heard](const StorePort::Names&) { ++heard; });
    const auto first = rig.received();
    const auto second = rig.received();
    rig.send(out_of_turn ? StoreRig::message(kDirectory, second->request, "")
                         : StoreRig::message(kDirectory, first->request, ""));
    BOOST_TEST(!rig.client().active());
    BOOST_TEST(heard == 0);
  }
}

/// What a program may have open, what it has heard, and what xenstored says to it.
struct Conversation : StoreRig {
  Conversation() {
    log::set_sink([](log::Level, std::string_view) noexcept { ++lines; });
    lines = 0;
    client().read(this, {"a", "b"}, [this](const StorePort::Values&) { heard += 'r'; });
    client().watch(this, "c", [this](std::string_view) { heard += 'e'; });
    client().list(this, "d", [this](const StorePort::Names&) { heard += 'l'; });
    client().node_owner(this, "e", [this](std::optional<std::uint32_t>) { heard += 'o'; });
    client().is_introduced(this, 7, [this](std::optional<bool>) { heard += 'i'; });
    while (const auto question = received()) {
      questions.push_back(*question);
    }
    const std::string& watch = questions.at(2).payload;
    const std::string event = message(kEvent, 0, pair("c/x", watch.substr(2, watch.size() - 3)));
    bytes = message(kRead, questions.at(0).request, "one") +
            message(kError, questions.at(1).request, std::string_view{"ENOENT\0", 7}) +
            message(kWatch, questions.at(2).request, std::string_view{"OK\0", 3}) + event +
            message(kDirectory, questions.at(3).request, pair("1", "2")) +
            message(kGetPerms, questions.at(4).request, pair("n0", "r7")) + event +
            message(17, questions.at(5).request, std::string_view{"T\0", 2});
  }
  ~Conversation() { log::set_sink(nullptr); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  std::vector<Message> questions;
  std::string bytes;
  std::string heard;
  static inline unsigned lines = 0;
};
constexpr std::string_view kAll = "reloei";

BOOST_AUTO_TEST_CASE(xenstored_may_go_at_every_byte_of_a_conversation) {
  const std::size_t whole = Conversation{}.bytes.size();
  for (std::size_t cut = 0; cut <= whole; ++cut) {
    BOOST_TEST_CONTEXT("after " << cut << " bytes") {
      Conversation talk;
      talk.send(talk.bytes.substr(0, cut));
      BOOST_TEST(talk.client().active());
      BOOST_TEST(kAll.starts_with(talk.heard));
      BOOST_TEST((talk.heard.size() == kAll.size()) == (cut == whole));
      const std::string before = talk.heard;
      talk.store.reset();
      talk.loop.settle();
      BOOST_TEST(!talk.client().active());
      BOOST_TEST(talk.client().idle());
      BOOST_TEST(talk.heard == before);
      BOOST_TEST(Conversation::lines == 1U);
      talk.client().read(&talk, {"late"}, [&talk](const StorePort::Values&) { talk.heard += 'x'; });
      talk.client().forget(&talk);
      talk.loop.settle();
      BOOST_TEST(talk.heard == before);
      BOOST_TEST(talk.client().idle());
    }
  }
}

// Whatever comes: what is heard is heard once and in the order of the questions, and the stream is
// either understood to its end or given up, once.
BOOST_AUTO_TEST_CASE(no_bytes_whatsoever_do_more_than_end_the_connection) {
  std::mt19937 random{5};
  unsigned ended = 0;
  unsigned answered = 0;
  for (int round = 0; round < 400; ++round) {
    Conversation talk;
    std::string bytes = talk.bytes;
    for (std::uint64_t changes = random() % 3; changes != 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    for (std::uint64_t more = random() % 10; more != 0; --more) {
      std::string payload(random() % 40, '\0');
      for (char& c : payload) {
        c = static_cast<char>(random() % 3 == 0 ? 0 : random());
      }
      const std::string one = StoreRig::message(static_cast<std::uint32_t>(random() % 20),
                                                static_cast<std::uint32_t>(random() % 9), payload);
      bytes.insert(random() % 2 == 0 ? 0 : bytes.size(), one);
    }
    while (!bytes.empty() && talk.client().active()) {
      const std::size_t piece = 1 + random() % std::min<std::size_t>(bytes.size(), 100);
      talk.send(bytes.substr(0, piece));
      bytes.erase(0, piece);
    }
    std::string in_turn = talk.heard;
    std::erase(in_turn, 'e');
    BOOST_TEST(std::string_view{"rloi"}.starts_with(in_turn), talk.heard);
    BOOST_TEST(Conversation::lines <= (talk.client().active() ? 1U : 2U));
    ended += talk.client().active() ? 0U : 1U;
    answered += in_turn.size() == 4 ? 1U : 0U;
    if (!talk.client().active()) {
      BOOST_TEST(talk.client().idle());
      BOOST_TEST(!talk.received().has_value());
      const std::string before = talk.heard;
      talk.client().read(&talk, {"late"}, [&talk](const StorePort::Values&) { talk.heard += 'x'; });
      talk.loop.settle();
      BOOST_TEST(talk.heard == before);
    }
    talk.client().forget(&talk);
  }
  BOOST_TEST(ended > 50U);
  BOOST_TEST(answered > 50U);
}

BOOST_AUTO_TEST_CASE(the_connection_is_not_inherited_and_does_not_block) {
  // No xenstored here, as a rule: then the message names both ways.
  const auto connection = StoreClient::connect();
  if (connection.has_error()) {
    BOOST_TEST(connection.error().message.find("/run/xenstored/socket") != std::string::npos);
    BOOST_TEST(connection.error().message.find("/dev/xen/xenbus") != std::string::npos);
    return;
  }
  BOOST_TEST((::fcntl(connection->get(), F_GETFD) & FD_CLOEXEC) != 0);
  BOOST_TEST((::fcntl(connection->get(), F_GETFL) & O_NONBLOCK) != 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
