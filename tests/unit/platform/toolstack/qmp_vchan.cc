// SPDX-License-Identifier: MIT
// QMP for libxl through vchan-socket-proxy: one client after the other on one page.
#include "tests/unit/platform/toolstack/qmp_vchan_rig.h"

#include <memory>
#include <string>
#include <string_view>

namespace dm::toolstack::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(qmp_vchan, QmpVchanRig)

BOOST_AUTO_TEST_CASE(the_page_is_laid_out_before_anybody_is_told_of_it) {
  VchanClient one = client();
  BOOST_TEST(one.u32(VchanClient::kLeftProd) == 0U);
  BOOST_TEST(one.u32(VchanClient::kRightProd) == 0U);
  BOOST_TEST(one.byte(VchanClient::kCliLive) == 2);
  BOOST_TEST(one.byte(VchanClient::kSrvLive) == 1);
  BOOST_TEST(one.byte(VchanClient::kCliNotify) == 1);  // a client's write is to be told
  BOOST_TEST(!qmp.has_client());
}

BOOST_AUTO_TEST_CASE(xl_create_says_cont) {
  machine.is_running = false;
  VchanClient one = negotiated();
  one.write("{\"execute\":\"cont\",\"id\":2}\r\n");
  event();
  BOOST_TEST(one.read() == "{\"return\":{},\"id\":2}\r\n");
  BOOST_TEST(machine.conts == 1);
}

BOOST_AUTO_TEST_CASE(a_client_that_asked_to_be_told_is_told_once) {
  VchanClient one = client();
  one.come();  // srv_notify: tell of what is written
  const unsigned before = line.bells;
  event();
  BOOST_TEST(line.bells == before + 1);
  BOOST_TEST((one.byte(VchanClient::kSrvNotify) & 1) == 0);
  one.read();
  one.write("{}");
  event();
  BOOST_TEST(line.bells == before + 1);    // it did not ask again
  one.byte(VchanClient::kSrvNotify) |= 2;  // tell of what is read
  one.write("{}");
  event();
  BOOST_TEST(line.bells == before + 2);
}

BOOST_AUTO_TEST_CASE(the_server_asks_to_be_told_of_the_next_bytes) {
  VchanClient one = negotiated();
  one.byte(VchanClient::kCliNotify) = 0;  // the client has rung for what it wrote
  one.write("{\"execute\":");
  event();
  BOOST_TEST((one.byte(VchanClient::kCliNotify) & 1) == 1);
}

BOOST_AUTO_TEST_CASE(a_client_that_is_half_there_is_waited_for) {
  VchanClient one = client();
  one.byte(VchanClient::kCliLive) = 1;  // an event of somebody else's, between its two writes
  event();
  BOOST_TEST(one.read().empty());
  one.byte(VchanClient::kSrvNotify) = 1;
  event();
  BOOST_TEST(is_greeting(one.read()));
  event();
  BOOST_TEST(one.read().empty());
}

BOOST_AUTO_TEST_CASE(clients_follow_each_other_on_the_same_ring) {
  for (int i = 0; i < 1000; ++i) {
    VchanClient one = negotiated();
    one.write("{\"execute\":\"query-status\",\"id\":7}\r\n");
    event();
    BOOST_TEST_REQUIRE(one.read().find("\"id\":7") != std::string::npos);
    one.go();
    event();
    BOOST_TEST_REQUIRE(!qmp.has_client());
  }
  BOOST_TEST(line.pages.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_client_that_came_before_the_other_ones_end_was_seen_is_greeted) {
  VchanClient first = negotiated();
  first.write("{\"execute\":\"half a");  // never ended
  first.go();
  VchanClient second = client();
  second.come();
  event();  // one event for both
  BOOST_TEST(is_greeting(second.read()));
  second.write("{\"execute\":\"qmp_capabilities\",\"id\":9}\r\n");
  event();
  BOOST_TEST(second.read() == "{\"return\":{},\"id\":9}\r\n");
  BOOST_TEST(line.pages.size() == 1U);
}

BOOST_AUTO_TEST_CASE(negotiation_is_each_clients_own) {
  negotiated().go();
  event();
  VchanClient second = client();
  second.come();
  event();
  second.read();
  second.write("{\"execute\":\"query-status\",\"id\":1}\r\n");
  event();
  BOOST_TEST(second.read().find("CommandNotFound") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_a_client_has_not_read_is_not_given_to_the_next) {
  VchanClient first = negotiated();
  first.write("{\"execute\":\"query-status\",\"id\":7}\r\n");
  event();
  first.go();  // without reading
  event();
  BOOST_TEST_REQUIRE(line.pages.size() == 2U);
  BOOST_TEST(!first.server_lives());
  VchanClient second = client();
  second.come();
  event();
  BOOST_TEST(is_greeting(second.read()));
}

BOOST_AUTO_TEST_CASE(a_client_that_slips_in_behind_unread_answers_finds_the_line_dead) {
  VchanClient first = negotiated();
  first.write("{\"execute\":\"query-status\",\"id\":7}\r\n");
  event();
  first.go();
  VchanClient second{line.announced};
  second.come();
  const unsigned before = line.bells;
  event();
  BOOST_TEST(!second.server_lives());
  BOOST_TEST(line.bells > before);
  VchanClient third = client();
  third.come();
  event();
  BOOST_TEST(is_greeting(third.read()));
}

BOOST_AUTO_TEST_CASE(answers_longer_than_the_ring_come_in_pieces) {
  VchanClient one = negotiated();
  std::string long_id(900, 'x');
  std::string expected;
  for (int i = 0; i < 8; ++i) {
    const std::string command = "{\"execute\":\"cont\",\"id\":\"" + long_id + "\"}\r\n";
    BOOST_TEST_REQUIRE(one.write(command) == command.size());
    event();
    expected += "{\"return\":{},\"id\":\"" + long_id + "\"}\r\n";
  }
  BOOST_TEST((one.byte(VchanClient::kCliNotify) & 2) == 2);  // tell when you have read
  std::string got;
  for (int i = 0; i < 100 && got.size() < expected.size(); ++i) {
    got += one.read(500);
    event();
  }
  BOOST_TEST(got == expected);
}

BOOST_AUTO_TEST_CASE(a_command_may_come_byte_by_byte_and_be_longer_than_the_ring) {
  VchanClient one = negotiated();
  const std::string command =
      "{\"execute\":\"cont\",\"id\":\"" + std::string(5000, 'y') + "\"}\r\n";
  for (std::size_t sent = 0; sent < command.size();) {
    sent += one.write(std::string_view{command}.substr(sent, 1 + sent % 700));
    event();
  }
  std::string got;
  for (int i = 0; i < 10; ++i) {
    got += one.read();
    event();
  }
  BOOST_TEST(got == "{\"return\":{},\"id\":\"" + std::string(5000, 'y') + "\"}\r\n");
}

BOOST_AUTO_TEST_CASE(without_a_new_page_the_guest_goes_on_without_commands) {
  VchanClient one = negotiated();
  line.fails = true;
  one.write(R"({"a":)" + std::string(40, '['));
  event();
  BOOST_TEST(!one.server_lives());
  BOOST_TEST(!qmp.serve());
  BOOST_TEST(!qmp.has_client());
}

BOOST_AUTO_TEST_CASE(at_the_end_the_client_is_told) {
  FakeLine other;
  auto server = std::make_unique<QmpVchan>(commands, other);
  BOOST_TEST_REQUIRE(server->start().has_value());
  VchanClient one{other.announced};
  one.come();
  server.reset();
  BOOST_TEST(!one.server_lives());
  BOOST_TEST(other.bells == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
