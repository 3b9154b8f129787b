// SPDX-License-Identifier: MIT
// The other side of a card's cable goes, at every point of every exchange: the interface is taken
// down, or away. The card hears of it, nothing spins, each frame is counted once, and what can come
// back does.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "net_rig.h"

namespace {

using namespace dm;
using namespace dm::test;

/// A moment of a conversation between tap and packet socket.
struct Moment {
  const char* name;
  std::function<void(Cable&)> come;
};

const std::vector<Moment>& moments() {
  static const std::vector<Moment> kMoments{
      {"frames are wanted and none is there", [](Cable&) {}},
      {"the card has no buffers",
       [](Cable& c) {
         c.tap->want_receive(false);
         c.packet->want_receive(false);
       }},
      {"frames wait in the kernel and the card has no buffers",
       [](Cable& c) {
         c.tap->want_receive(false);
         c.packet->want_receive(false);
         BOOST_TEST((c.send(*c.tap, udp_frame(100)) == SendStatus::sent));
         BOOST_TEST((c.send(*c.packet, udp_frame(100)) == SendStatus::sent));
         run_for(c.loop, 2ms);
       }},
      {"frames have been told of and not taken",
       [](Cable& c) {
         BOOST_TEST((c.send(*c.tap, udp_frame(100)) == SendStatus::sent));
         BOOST_TEST((c.send(*c.packet, udp_frame(100)) == SendStatus::sent));
         BOOST_TEST(c.wait(*c.tap));
         BOOST_TEST(c.wait(*c.packet));
       }},
      {"one of two frames is taken",
       [](Cable& c) {
         for (int i = 0; i < 2; ++i) {
           BOOST_TEST((c.send(*c.tap, udp_frame(100)) == SendStatus::sent));
           BOOST_TEST((c.send(*c.packet, udp_frame(100)) == SendStatus::sent));
         }
         BOOST_TEST(!c.take(*c.tap).empty());
         BOOST_TEST(!c.take(*c.packet).empty());
       }},
      {"a long frame has just been sent",
       [](Cable& c) {
         BOOST_TEST((c.send(*c.tap, tcp_frame(60000), gso_of(1448)) == SendStatus::sent));
       }},
      {"everything was read",
       [](Cable& c) {
         BOOST_TEST((c.send(*c.tap, udp_frame(100)) == SendStatus::sent));
         (void)c.take_all(*c.packet);
         (void)c.take_all(*c.tap);
       }},
  };
  return kMoments;
}

bool remove(const char* interface) {
  const std::string command = std::string{"ip link delete "} + interface + " 2>/dev/null";
  return std::system(command.c_str()) == 0;
}

/// What a card does when it is told of frames, and when it has none.
std::size_t read_dry(NetBackend& at) {
  Bytes room(std::size_t{1} << 17);
  std::span<std::byte> piece{room};
  NetOffload offload;
  std::size_t frames = 0;
  while (at.receive(offload, {&piece, 1}).size != 0) {
    ++frames;
  }
  return frames;
}

/// No wake-up in a tenth of a second, with frames wanted and not.
void expect_silence(Cable& cable) {
  run_for(cable.loop, 5ms);
  for (const bool wanted : {true, false, true}) {
    for (NetBackend* const end : {cable.tap.get(), static_cast<NetBackend*>(cable.packet.get())}) {
      end->want_receive(wanted);
      run_for(cable.loop, 2ms);
      (void)read_dry(*end);
    }
    run_for(cable.loop, 5ms);
    BOOST_TEST(stays_idle(cable.loop, 100ms));
  }
}

BOOST_AUTO_TEST_SUITE(net_gone)

BOOST_AUTO_TEST_CASE(an_interface_that_is_removed_takes_the_link_down_at_every_moment) {
  for (const Moment& moment : moments()) {
    BOOST_TEST_CONTEXT(moment.name) {
      Cable cable;
      if (!cable.there()) {
        return;
      }
      moment.come(cable);
      if (!remove("cable0")) {
        std::cout << "NOT RUN: no ip(8) to remove an interface\n";
        return;
      }
      BOOST_TEST(run_until(cable.loop, [&] {
        return cable.tap_client->links == "-" && cable.packet_client->links == "-";
      }));
      BOOST_TEST(!cable.tap->link_up());
      BOOST_TEST(!cable.packet->link_up());
      expect_silence(cable);
      // Each frame once, and the link is told of once.
      const auto tap_failed = cable.tap->counters().send_failed;
      const auto packet_failed = cable.packet->counters().send_failed;
      for (int i = 0; i < 5; ++i) {
        BOOST_TEST((cable.send(*cable.tap, udp_frame(100)) == SendStatus::failed));
        BOOST_TEST((cable.send(*cable.packet, udp_frame(100)) == SendStatus::failed));
      }
      BOOST_TEST(cable.tap->counters().send_failed - tap_failed == 5U);
      BOOST_TEST(cable.packet->counters().send_failed - packet_failed == 5U);
      BOOST_TEST(read_dry(*cable.tap) == 0U);
      expect_silence(cable);
      BOOST_TEST(cable.tap_client->links == "-");
      BOOST_TEST(cable.packet_client->links == "-");
      BOOST_TEST(cable.tap->counters().receive_failed == 0U);
    }
  }
}

/// The write, or the read, is what hears of it first: before the loop has turned.
BOOST_AUTO_TEST_CASE(a_call_that_finds_the_interface_gone_does_not_tell_the_card_from_inside) {
  for (const bool by_sending : {true, false}) {
    Cable cable;
    if (!cable.there()) {
      return;
    }
    if (!remove("cable0")) {
      return;
    }
    for (NetBackend* const end : {cable.tap.get(), static_cast<NetBackend*>(cable.packet.get())}) {
      if (by_sending) {
        BOOST_TEST((cable.send(*end, udp_frame(100)) == SendStatus::failed));
        BOOST_TEST(end->counters().send_failed == 1U);
      } else {
        BOOST_TEST(read_dry(*end) == 0U);
      }
    }
    BOOST_TEST(cable.tap_client->links.empty());
    BOOST_TEST(cable.packet_client->links.empty());
    BOOST_TEST(run_until(cable.loop, [&] {
      return cable.tap_client->links == "-" && cable.packet_client->links == "-";
    }));
    expect_silence(cable);
    BOOST_TEST(cable.tap_client->links == "-");
    BOOST_TEST(cable.packet_client->links == "-");
  }
}

BOOST_AUTO_TEST_CASE(an_interface_that_goes_down_at_any_moment_carries_on_when_it_is_up_again) {
  for (const Moment& moment : moments()) {
    BOOST_TEST_CONTEXT(moment.name) {
      Cable cable;
      if (!cable.there()) {
        return;
      }
      moment.come(cable);
      cable.set_up(false);
      BOOST_TEST(run_until(cable.loop, [&] {
        return cable.tap_client->links == "-" && cable.packet_client->links == "-";
      }));
      expect_silence(cable);
      const auto failed = cable.tap->counters().send_failed;
      BOOST_TEST((cable.send(*cable.tap, udp_frame(100)) == SendStatus::failed));
      BOOST_TEST((cable.send(*cable.packet, udp_frame(100)) == SendStatus::failed));
      BOOST_TEST(cable.tap->counters().send_failed - failed == 1U);
      expect_silence(cable);
      cable.set_up(true);
      BOOST_TEST(run_until(cable.loop, [&] {
        return cable.tap_client->links == "-+" && cable.packet_client->links == "-+";
      }));
      run_for(cable.loop, 5ms);
      (void)read_dry(*cable.tap);
      (void)read_dry(*cable.packet);
      cable.tap_client->receivable = cable.packet_client->receivable = 0;
      const Bytes there = udp_frame(700);
      BOOST_TEST((cable.send(*cable.tap, there) == SendStatus::sent));
      BOOST_TEST(cable.wait(*cable.packet));
      BOOST_TEST((cable.take(*cable.packet) == there));
      const Bytes back = udp_frame(1400);
      BOOST_TEST((cable.send(*cable.packet, back) == SendStatus::sent));
      BOOST_TEST(cable.wait(*cable.tap));
      BOOST_TEST((cable.take(*cable.tap) == back));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_packet_socket_takes_the_interface_that_gets_the_name_of_the_one_that_went) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  cable.packet->set_promiscuous(true);
  if (!remove("cable0")) {
    return;
  }
  BOOST_TEST(run_until(cable.loop, [&] { return cable.packet_client->links == "-"; }));
  auto again = host::TapNet::create(cable.loop, "cable0");
  BOOST_TEST_REQUIRE(again.has_value());
  cable.set_up(true);
  BOOST_TEST(run_until(cable.loop, [&] { return cable.packet_client->links == "-+"; }));
  BOOST_TEST(cable.promiscuity() >= 1U);
  // The old tap is not the new one: its link stays down.
  BOOST_TEST(cable.tap_client->links == "-");
  run_for(cable.loop, 5ms);
  (void)read_dry(*cable.packet);
  cable.packet_client->receivable = 0;
  const Bytes there = udp_frame(700);
  BOOST_TEST((cable.send(**again, there) == SendStatus::sent));
  BOOST_TEST(cable.wait(*cable.packet));
  BOOST_TEST((cable.take(*cable.packet) == there));
  BOOST_TEST((cable.send(*cable.packet, there) == SendStatus::sent));
  const auto arrives = [&] { return read_dry(**again) != 0; };
  BOOST_TEST(run_until(cable.loop, arrives));
}

/// The kernel loses events when nobody reads them: that is a reason to look.
BOOST_AUTO_TEST_CASE(link_events_that_the_kernel_had_to_drop_are_not_missed) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  for (int i = 0; i < 1000; ++i) {
    cable.set_up(i % 2 != 0);
  }
  cable.set_up(false);
  BOOST_TEST(run_until(cable.loop, [&] { return cable.tap_client->links == "-"; }));
  expect_silence(cable);
  for (int i = 0; i < 1000; ++i) {
    cable.set_up(i % 2 == 0);
  }
  cable.set_up(true);
  BOOST_TEST(run_until(cable.loop, [&] { return cable.tap->link_up(); }));
  BOOST_TEST(cable.tap_client->links == "-+");
  expect_silence(cable);
}

BOOST_AUTO_TEST_CASE(a_tap_without_headers_that_is_removed_ends_as_quietly) {
  Cable cable{Cable::WithoutHeader{}};
  if (!cable.there()) {
    return;
  }
  if (!remove("cable0")) {
    return;
  }
  const auto failed = cable.tap->counters().send_failed;
  BOOST_TEST((cable.send(*cable.tap, tcp_frame(9001), gso_of(1400)) == SendStatus::failed));
  BOOST_TEST(cable.tap->counters().send_failed - failed == 1U);
  BOOST_TEST(run_until(cable.loop, [&] { return cable.tap_client->links == "-"; }));
  expect_silence(cable);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
