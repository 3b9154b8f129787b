// SPDX-License-Identifier: MIT
#include "platform/toolstack/store/domain_watch.h"

#include "tests/unit/platform/toolstack/store_rig.h"

#include <memory>

namespace dm::toolstack::test {
namespace {

struct WatchRig : StoreRig {
  explicit WatchRig(std::uint32_t domid = 7) {
    watch = std::make_unique<DomainWatch>(client(), domid,
                                          host::Callback::bind<&WatchRig::on_gone>(*this));
  }
  void on_gone() noexcept { ++gone; }

  void event() { send(message(15, 0, pair("@releaseDomain", token))); }
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
    BOOST_TEST_REQUIRE(subscription->payload.starts_with(std::string{"@releaseDomain\0", 15}));
    token = subscription->payload.substr(15, subscription->payload.size() - 16);
    send(message(4, subscription->request, std::string_view{"OK\0", 3}));
    event();
  }

  std::string token;
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
  const auto last = received();  // and nothing is asked any more
  BOOST_TEST_REQUIRE(last.has_value());
  BOOST_TEST(last->type == 5U);
  event();
  BOOST_TEST(!received().has_value());
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
  const std::string one = message(15, 0, pair("@releaseDomain", token));
  const std::string two = one + one;
  for (const char c : two) {
    send({&c, 1});
  }
  answer('T');
  answer('T');
  send(two);
  answer('F');
  BOOST_TEST(gone == 1);
}

// Neither ends the guest's device model, nor is the next event passed over.
BOOST_AUTO_TEST_CASE(an_answer_that_says_nothing_is_asked_for_again) {
  subscribe();
  answer('T');
  for (const std::uint32_t type : {16U, 17U}) {
    for (const std::string_view words : {"EAGAIN", "", "X", "FALSE", "f"}) {
      event();
      const auto question = received();
      BOOST_TEST_REQUIRE(question.has_value());
      send(message(type, question->request, std::string{words}.append(1, '\0')));
      BOOST_TEST(gone == 0);
    }
  }
  event();
  answer('F');
  BOOST_TEST(gone == 1);
}

// A stub domain may not watch special nodes (XSA-115).
BOOST_AUTO_TEST_CASE(a_refusal_is_lived_with) {
  const auto subscription = received();
  send(message(16, subscription->request, std::string_view{"EACCES\0", 7}));
  BOOST_TEST(client().active());
  BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_CASE(a_xenstored_that_ends_is_lived_with) {
  subscribe();
  answer('T');
  store.reset();
  loop.settle();
  BOOST_TEST(!client().active());
  BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_CASE(an_answer_that_nobody_asked_for_changes_nothing) {
  subscribe();
  answer('T');
  send(message(17, 2, std::string_view{"F\0", 2}));
  BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_CASE(the_watch_may_go_at_any_time) {
  subscribe();
  watch.reset();
  loop.settle();
  BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
