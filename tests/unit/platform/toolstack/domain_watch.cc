// SPDX-License-Identifier: MIT
// A xenstored of a few lines on the other end of a socket pair: the bytes are those of Xen's public
// header io/xs_wire.h, typed anew.
#include "platform/toolstack/domain_watch.h"

#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <fcntl.h>

#include <memory>

namespace dm::toolstack::test {
namespace {

struct Message {
  std::uint32_t type;
  std::uint32_t request;
  std::string payload;
};

struct WatchRig {
  explicit WatchRig(std::uint32_t domid = 7) {
    int ends[2];
    BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) ==
                       0);
    store = UniqueFd{ends[0]};
    watch = std::make_unique<DomainWatch>(loop.io(), UniqueFd{ends[1]}, domid,
                                          host::Callback::bind<&WatchRig::on_gone>(*this));
  }
  WatchRig(const WatchRig&) = delete;
  WatchRig& operator=(const WatchRig&) = delete;
  void on_gone() noexcept { ++gone; }

  /// What the watch has sent; nothing when it has sent nothing.
  std::optional<Message> received() {
    loop.settle();
    std::uint32_t header[4];
    if (::recv(store.get(), header, sizeof header, 0) != sizeof header) {
      return std::nullopt;
    }
    BOOST_TEST(header[2] == 0U);  // no transaction
    std::string payload(header[3], '\0');
    BOOST_TEST_REQUIRE(::recv(store.get(), payload.data(), payload.size(), 0) ==
                       static_cast<ssize_t>(payload.size()));
    return Message{header[0], header[1], payload};
  }
  static std::string message(std::uint32_t type, std::uint32_t request, std::string_view payload) {
    const std::uint32_t header[4]{type, request, 0, static_cast<std::uint32_t>(payload.size())};
    std::string bytes(reinterpret_cast<const char*>(header), sizeof header);
    return bytes.append(payload);
  }
  void send(std::string_view bytes) {
    BOOST_TEST_REQUIRE(::send(store.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(bytes.size()));
    loop.settle();
  }
  void event() { send(message(15, 0, std::string_view{"@releaseDomain\0dm\0", 18})); }
  /// To the question that must be open.
  void answer(char known) {
    const auto question = received();
    BOOST_TEST_REQUIRE(question.has_value());
    BOOST_TEST(question->type == 17U);
    BOOST_TEST((question->payload == std::string{"7\0", 2}));
    send(message(17, question->request, std::string{known, '\0'}));
  }
  /// As xenstored does: "OK", and one event at once.
  void subscribe() {
    const auto subscription = received();
    BOOST_TEST_REQUIRE(subscription.has_value());
    BOOST_TEST(subscription->type == 4U);
    BOOST_TEST((subscription->payload == std::string{"@releaseDomain\0dm\0", 18}));
    send(message(4, subscription->request, std::string_view{"OK\0", 3}));
    event();
  }

  QuietLog quiet;
  Loop loop;
  UniqueFd store;
  std::unique_ptr<DomainWatch> watch;
  int gone = 0;
};

BOOST_FIXTURE_TEST_SUITE(domain_watch, WatchRig)

BOOST_AUTO_TEST_CASE(a_domain_that_vanishes_is_told_once) {
  subscribe();
  answer('T');
  BOOST_TEST(gone == 0);
  event();
  answer('F');
  BOOST_TEST(gone == 1);
  BOOST_TEST(!watch->active());
  char byte = 0;
  BOOST_TEST(::recv(store.get(), &byte, 1, 0) == 0);  // and nothing is asked any more
}

// @releaseDomain fires for every domain that ends, and for ours when it shuts down.
BOOST_AUTO_TEST_CASE(other_domains_ends_change_nothing) {
  subscribe();
  answer('T');
  for (int i = 0; i < 3; ++i) {
    event();
    answer('T');
  }
  BOOST_TEST(gone == 0);
  BOOST_TEST(watch->active());
  BOOST_TEST(!received().has_value());
}

BOOST_AUTO_TEST_CASE(an_event_during_a_question_asks_once_more) {
  subscribe();
  event();
  event();
  answer('T');
  answer('F');
  BOOST_TEST(gone == 1);
}

BOOST_AUTO_TEST_CASE(a_domain_that_is_not_known_yet_is_not_missed) {
  subscribe();
  answer('F');
  BOOST_TEST(gone == 0);
  event();
  answer('T');
  event();
  answer('F');
  BOOST_TEST(gone == 1);
}

BOOST_AUTO_TEST_CASE(messages_may_come_byte_by_byte_and_several_at_once) {
  subscribe();
  answer('T');
  const std::string two = message(15, 0, std::string_view{"@releaseDomain\0dm\0", 18}) +
                          message(15, 0, std::string_view{"@releaseDomain\0dm\0", 18});
  for (const char c : two) {
    send({&c, 1});
  }
  answer('T');
  answer('T');
  send(two);
  answer('F');
  BOOST_TEST(gone == 1);
}

// A stub domain may not watch special nodes (XSA-115).
BOOST_AUTO_TEST_CASE(a_refusal_is_lived_with) {
  const auto subscription = received();
  send(message(16, subscription->request, std::string_view{"EACCES\0", 7}));
  BOOST_TEST(!watch->active());
  BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_CASE(a_xenstored_that_ends_is_lived_with) {
  subscribe();
  answer('T');
  store.reset();
  loop.settle();
  BOOST_TEST(!watch->active());
  BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_CASE(a_stream_without_sense_ends_the_watch_and_nothing_else) {
  subscribe();
  answer('T');
  send(message(99, 5, "unknown types are skipped"));
  BOOST_TEST(watch->active());
  send(message(17, 2, std::string_view{"F\0", 2}));  // an answer that nobody asked for
  BOOST_TEST(gone == 0);
  const std::uint32_t header[4]{15, 0, 0, 0xffffffff};
  send({reinterpret_cast<const char*>(header), sizeof header});
  BOOST_TEST(!watch->active());
  BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_CASE(the_watch_may_go_at_any_time) {
  subscribe();
  watch.reset();
  loop.settle();
  BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_CASE(the_connection_is_not_inherited_and_does_not_block) {
  // No xenstored here, as a rule: then the message names both ways.
  const auto connection = DomainWatch::connect();
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
