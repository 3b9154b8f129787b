// SPDX-License-Identifier: MIT
// The vocabulary between worker and supervisor, typed anew from platform/supervisor/README.md:
// every message in every wrong form, and every order of them.
#include "platform/supervisor/protocol.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

using namespace dm::supervisor;

namespace {

using Bytes = std::vector<std::byte>;
using Phase = Account::Phase;

/// Version, kind, two zeros, value: eight bytes.
Bytes message(unsigned version, unsigned kind, unsigned zero, std::uint32_t value) {
  Bytes bytes(8);
  bytes[0] = static_cast<std::byte>(version);
  bytes[1] = static_cast<std::byte>(kind);
  const auto middle = static_cast<std::uint16_t>(zero);
  std::memcpy(bytes.data() + 2, &middle, sizeof middle);
  std::memcpy(bytes.data() + 4, &value, sizeof value);
  return bytes;
}

Bytes serving(std::uint32_t server) {
  return message(1, 1, 0, server);
}
Bytes leaving() {
  return message(1, 2, 0, 0);
}
Bytes sleep(std::uint32_t state) {
  return message(1, 3, 0, state);
}
Bytes disc(std::uint32_t position) {
  return message(1, 5, 0, position);
}
Bytes done(std::uint32_t error) {
  return message(1, 4, 0, error);
}
Bytes encoded(const Message& of) {
  const MessageBytes bytes = encode(of);
  return {bytes.begin(), bytes.end()};
}

BOOST_AUTO_TEST_SUITE(protocol)

BOOST_AUTO_TEST_CASE(messages_look_as_the_table_says) {
  BOOST_TEST((encoded({Kind::serving, 0x1234}) == serving(0x1234)));
  BOOST_TEST((encoded({Kind::leaving}) == leaving()));
  for (const std::uint32_t server : {0U, 1U, 0xffffU}) {
    BOOST_TEST((parse_worker(serving(server)) == Message{Kind::serving, server}));
  }
  BOOST_TEST((parse_worker(leaving()) == Message{Kind::leaving}));
}

BOOST_AUTO_TEST_CASE(every_other_length_is_no_message) {
  for (const Bytes& good : {serving(5), leaving()}) {
    for (std::size_t length = 0; length <= 4096; ++length) {
      Bytes bytes = good;
      bytes.resize(length);
      BOOST_TEST(parse_worker(bytes).has_value() == (length == 8), length);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_other_version_and_kind_is_no_message) {
  for (unsigned version = 0; version < 256; ++version) {
    for (unsigned kind = 0; kind < 256; ++kind) {
      const bool known = version == 1 && kind >= 1 && kind <= 5 && kind != 4;
      BOOST_TEST(parse_worker(message(version, kind, 0, 0)).has_value() == known,
                 version << ' ' << kind);
    }
  }
}

BOOST_AUTO_TEST_CASE(bits_that_mean_nothing_are_zero) {
  for (unsigned zero = 1; zero < 0x10000; ++zero) {
    BOOST_TEST_REQUIRE(!parse_worker(message(1, 1, zero, 5)).has_value());
    BOOST_TEST_REQUIRE(!parse_worker(message(1, 2, zero, 0)).has_value());
  }
  for (unsigned bit = 0; bit < 32; ++bit) {
    BOOST_TEST(parse_worker(serving(1U << bit)).has_value() == (bit < 16), bit);
    BOOST_TEST(!parse_worker(message(1, 2, 0, 1U << bit)).has_value(), bit);
  }
}

BOOST_AUTO_TEST_CASE(a_guest_is_asked_to_sleep_in_one_way_and_to_wake) {
  BOOST_TEST((encoded({Kind::sleep, 3}) == sleep(3)));
  for (std::uint32_t state = 0; state < 256; ++state) {
    BOOST_TEST(parse_worker(sleep(state)).has_value() == (state == 0 || state == 3), state);
  }
  BOOST_TEST(!parse_worker(sleep(0x80000003)).has_value());
}

BOOST_AUTO_TEST_CASE(answers_are_errno_values_and_come_from_supervisors_alone) {
  BOOST_TEST((encoded({Kind::done, 22}) == done(22)));
  BOOST_TEST((parse_supervisor(done(0)) == 0));
  BOOST_TEST((parse_supervisor(done(4095)) == 4095));
  BOOST_TEST(!parse_supervisor(done(4096)).has_value());
  BOOST_TEST(!parse_supervisor(done(0xffffffff)).has_value());
  BOOST_TEST(!parse_worker(done(0)).has_value());
  for (const Bytes& other :
       {serving(5), leaving(), sleep(3), disc(2), Bytes{}, Bytes(7), Bytes(9)}) {
    BOOST_TEST(!parse_supervisor(other).has_value());
  }
  BOOST_TEST(!parse_supervisor(message(2, 4, 0, 0)).has_value());
  BOOST_TEST(!parse_supervisor(message(1, 4, 1, 0)).has_value());
}

BOOST_AUTO_TEST_CASE(there_are_four_drives_whose_disc_can_be_asked_for) {
  BOOST_TEST((encoded({Kind::disc, 2}) == disc(2)));
  for (std::uint32_t position = 0; position < 4; ++position) {
    BOOST_TEST((parse_worker(disc(position)) == Message{Kind::disc, position}));
  }
  for (const std::uint32_t position : {4U, 256U, 0xffffffffU}) {
    BOOST_TEST(!parse_worker(disc(position)).has_value());
  }
}

BOOST_AUTO_TEST_CASE(only_a_worker_that_serves_may_ask_and_each_question_is_told_once) {
  Account account;
  BOOST_TEST(account.hear(serving(5)));
  BOOST_TEST(!account.asked().has_value());
  for (const std::uint32_t state : {3U, 0U, 3U}) {
    BOOST_TEST(account.hear(sleep(state)));
    BOOST_TEST((account.asked() == Message{Kind::sleep, state}));
  }
  BOOST_TEST(account.hear(disc(1)));
  BOOST_TEST((account.asked() == Message{Kind::disc, 1}));
  BOOST_TEST((account.phase() == Phase::serving));
  BOOST_TEST(account.hear(leaving()));
  BOOST_TEST(!account.asked().has_value());
  BOOST_TEST(!account.hear(sleep(0)));
  BOOST_TEST(!account.asked().has_value());
  for (const Bytes& question : {sleep(3), disc(2)}) {
    Account early;
    BOOST_TEST(!early.hear(question));
    BOOST_TEST(!early.asked().has_value());
  }
}

/// What a supervisor should believe, written as plainly as can be.
struct Plain {
  Phase phase = Phase::starting;
  unsigned server = 0;
  bool deaf = false;

  bool hear(const Bytes& bytes) {
    if (!deaf && bytes == leaving() && phase != Phase::leaving) {
      phase = Phase::leaving;
    } else if (!deaf && bytes.size() == 8 && bytes[1] == std::byte{1} && phase == Phase::starting) {
      phase = Phase::serving;
      server = std::to_integer<unsigned>(bytes[4]);
    } else {
      deaf = true;
    }
    return !deaf;
  }
};

BOOST_AUTO_TEST_CASE(every_order_of_five_messages_is_believed_as_far_as_it_makes_sense) {
  const std::array<Bytes, 6> words{serving(5), serving(6), leaving(),
                                   Bytes{},    Bytes(7),   message(1, 2, 0, 7)};
  std::size_t orders = 1;
  for (int i = 0; i < 5; ++i) {
    orders *= words.size();
  }
  for (std::size_t order = 0; order < orders; ++order) {
    Account account;
    Plain plain;
    for (std::size_t left = order, i = 0; i < 5; ++i, left /= words.size()) {
      const Bytes& word = words.at(left % words.size());
      BOOST_TEST_REQUIRE(account.hear(word) == plain.hear(word), order);
      BOOST_TEST_REQUIRE((account.phase() == plain.phase), order);
      BOOST_TEST_REQUIRE(account.server() == plain.server, order);
    }
  }
}

BOOST_AUTO_TEST_CASE(who_has_talked_nonsense_while_serving_has_no_orderly_end) {
  Account account;
  BOOST_TEST(account.hear(serving(5)));
  BOOST_TEST(!account.hear(Bytes(9)));
  BOOST_TEST(!account.hear(leaving()));
  BOOST_TEST((account.phase() == Phase::serving));
  BOOST_TEST(account.server() == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
