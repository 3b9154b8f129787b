// SPDX-License-Identifier: MIT
// QMP on memory that the client may write to as it likes, and clients that go at any moment.
#include "tests/unit/platform/toolstack/qmp_vchan_rig.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace dm::toolstack::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(qmp_vchan_hostile, QmpVchanRig)

// Nobody was there when it was changed. The next client would read old answers first, or take the
// ring for dead.
BOOST_AUTO_TEST_CASE(a_ring_that_was_changed_while_nobody_was_there_is_not_used_again) {
  const auto spoilt = [this](auto&& spoil) {
    VchanClient first = negotiated();
    first.go();
    event();
    spoil(first);
    VchanClient second{line.announced};
    second.byte(VchanClient::kCliLive) = 1;
    second.byte(VchanClient::kSrvNotify) = 1;
    event();
    BOOST_TEST(!second.server_lives());
    VchanClient third = client();
    third.come();
    event();
    BOOST_TEST(is_greeting(third.read()));
    third.go();
    event();
  };
  for (const std::uint32_t back : {1U, 100U, 2048U, 5000U}) {
    spoilt([back](VchanClient& one) {
      one.set32(VchanClient::kRightCons, one.u32(VchanClient::kRightProd) - back);
    });
    spoilt([back](VchanClient& one) {
      one.set32(VchanClient::kRightProd, one.u32(VchanClient::kRightProd) + back);
    });
  }
  for (const std::size_t at : {16U, 17U, 18U, 19U, 21U}) {
    spoilt([at](VchanClient& one) { one.byte(at) ^= 2; });
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_asks_without_reading_is_dropped) {
  VchanClient one = negotiated();
  for (int i = 0; i < 100'000 && one.server_lives(); ++i) {
    one.write("{\"execute\":\"query-commands\"}");
    event();
  }
  BOOST_TEST(!one.server_lives());
  BOOST_TEST(is_greeting([&] {
    VchanClient next = client();
    next.come();
    event();
    return next.read();
  }()));
}

BOOST_AUTO_TEST_CASE(rubbish_is_answered_and_the_connection_goes_on) {
  VchanClient one = negotiated();
  one.write("]");
  event();
  BOOST_TEST(one.read().find("GenericError") != std::string::npos);
  one.write("{\"execute\":\"cont\",\"id\":4}\r\n");
  event();
  BOOST_TEST(one.read() == "{\"return\":{},\"id\":4}\r\n");
  BOOST_TEST(line.pages.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_command_without_end_ends_the_connection) {
  VchanClient one = negotiated();
  one.write(R"({"a":)" + std::string(40, '['));
  event();
  BOOST_TEST(!one.server_lives());
  BOOST_TEST(line.pages.size() == 2U);
}

BOOST_AUTO_TEST_CASE(one_turn_takes_one_ring_of_bytes) {
  VchanClient one = negotiated();
  one.write(std::string(1024, ' '));
  BOOST_TEST(!qmp.serve());
  one.write(std::string(1024, ' '));
  // The client fills the ring again as soon as there is room: that is for the next turn.
  BOOST_TEST(one.u32(VchanClient::kLeftProd) - one.u32(VchanClient::kLeftCons) == 1024U);
  BOOST_TEST(!qmp.serve());
  BOOST_TEST(one.u32(VchanClient::kLeftProd) == one.u32(VchanClient::kLeftCons));
}

BOOST_AUTO_TEST_CASE(indices_that_make_no_sense_cost_the_client_its_ring) {
  for (const std::uint32_t wrong : {1025U, 0x7fffffffU, 0xffffffffU}) {
    VchanClient one = negotiated();
    one.set32(VchanClient::kLeftProd, one.u32(VchanClient::kLeftCons) + wrong);
    event();
    BOOST_TEST(!one.server_lives());
  }
  for (const std::uint32_t wrong : {1U, 2049U, 0x80000000U}) {
    VchanClient one = negotiated();
    one.set32(VchanClient::kRightCons, one.u32(VchanClient::kRightProd) + wrong);
    one.write("{\"execute\":\"query-status\",\"id\":7}\r\n");
    event();
    BOOST_TEST(!one.server_lives());
  }
}

BOOST_AUTO_TEST_CASE(what_the_client_does_to_the_servers_own_indices_changes_nothing) {
  VchanClient one = negotiated();
  one.set32(VchanClient::kLeftCons, 0xdead'0000);
  one.set32(VchanClient::kRightProd, 0xbeef'0000);
  const auto read_before = one.u32(VchanClient::kRightCons);
  BOOST_TEST(qmp.has_client());
  event();
  one.set32(VchanClient::kLeftProd, one.u32(VchanClient::kLeftCons));
  one.write("{\"execute\":\"cont\",\"id\":4}\r\n");
  event();
  one.set32(VchanClient::kRightCons, read_before);
  BOOST_TEST(one.read() == "{\"return\":{},\"id\":4}\r\n");
}

BOOST_AUTO_TEST_CASE(no_page_of_any_content_stops_the_server) {
  std::mt19937 random{20'261'121};
  for (int round = 0; round < 3000; ++round) {
    VchanClient one = client();
    one.come();
    for (int step = 0; step < 8; ++step) {
      switch (random() % 4) {
        case 0:
          one.set32(random() % 4 * 4, static_cast<std::uint32_t>(random()));
          break;
        case 1:
          one.byte(20 + random() % 4) = static_cast<std::uint8_t>(random());
          break;
        case 2:
          one.write("{\"execute\":\"qmp_capabilities\"}");
          break;
        default:
          one.read(random() % 64);
          break;
      }
      for (int turn = 0; turn < 4; ++turn) {
        (void)qmp.serve();
      }
    }
    one.go();
    event();
  }
  // Whatever was left of the last one: who comes to what is announced now is served, at the second
  // attempt at the latest.
  bool greeted = false;
  for (int attempt = 0; attempt < 2 && !greeted; ++attempt) {
    VchanClient last = client();
    last.go();
    event();
    last = client();
    last.come();
    event();
    greeted = is_greeting(last.read());
  }
  BOOST_TEST(greeted);
}

// It writes, is served and reads in pieces; then it goes, or is replaced, without a word. Whoever
// comes next reads a greeting first and is served, on this page or the one that is announced.
BOOST_AUTO_TEST_CASE(a_client_may_go_at_every_byte_of_a_conversation) {
  const std::string words =
      "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n{\"execute\":\"query-status\",\"id\":2}\r\n"
      "{\"execute\":\"stop\",\"id\":3}";
  for (std::size_t written = 0; written <= words.size(); ++written) {
    for (const std::size_t read : {0U, 1U, 50U, 5000U}) {
      for (const bool seen : {true, false}) {
        BOOST_TEST_CONTEXT(written << " bytes written, " << read << " read, seen " << seen) {
          VchanClient one = client();
          one.come();
          event();
          one.write(std::string_view{words}.substr(0, written));
          event();
          one.read(read);
          one.go();
          if (seen) {
            event();
            BOOST_TEST(!qmp.has_client());
          }
          VchanClient next = client();
          next.come();
          event();
          if (!next.server_lives()) {  // it came to a page on which something was left
            BOOST_TEST(!seen);
            next = client();
            next.come();
            event();
          }
          BOOST_TEST(is_greeting(next.read()));
          next.write("{\"execute\":\"qmp_capabilities\",\"id\":9}");
          event();
          BOOST_TEST(next.read() == "{\"return\":{},\"id\":9}\r\n");
          next.go();
          event();
        }
      }
    }
  }
  BOOST_TEST(machine.stops != 0);
}

// With its answers read or not, seen to go or not: the next one is greeted, at the second attempt
// at the latest, and nothing of the one before is in what it reads.
BOOST_AUTO_TEST_CASE(a_client_may_leave_at_any_point) {
  const std::string all =
      "{\"execute\":\"qmp_capabilities\"}\r\n{\"execute\":\"query-name\",\"id\":\"old\"}\r\n"
      "{\"execute\":\"no-such\"}\xff{\"execute\":\"cont\",\"id\":[\"old\"]}\r\n";
  for (unsigned way = 0; way < 4; ++way) {
    for (std::size_t length = 0; length <= all.size(); ++length) {
      VchanClient one = client();
      one.come();
      event();
      one.write(std::string_view{all}.substr(0, length));
      event();
      if ((way & 1U) != 0) {
        one.read();
        event();
      }
      one.go();
      if ((way & 2U) != 0) {
        event();
        BOOST_TEST(!qmp.has_client());
      }
      std::string got;
      for (int attempt = 0; attempt < 2 && !is_greeting(got); ++attempt) {
        VchanClient next = client();
        next.come();
        event();
        got = next.read();
        // Who slips in behind unread answers finds the line dead.
        BOOST_TEST((got.find("old") == std::string::npos || !next.server_lives()));
        next.go();
        event();
      }
      BOOST_TEST(is_greeting(got), got);
      BOOST_TEST(!qmp.has_client());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
