// SPDX-License-Identifier: MIT
// The other side of a serial line goes and the next one comes: what each of them gets, what the
// guest gets of both, and what many of them cost.
#include "tests/rig/open_descriptors.h"
#include "tests/unit/platform/linux/departures_rig.h"

using namespace dm;
using namespace dm::test;
using rig::open_descriptors;

BOOST_FIXTURE_TEST_SUITE(departures_next, Departures)

BOOST_AUTO_TEST_CASE(two_that_come_and_go_between_two_looks_are_nobody) {
  for_each_kind([&](const CharKind& kind) {
    if (!kind.comes_back) {
      return;
    }
    CharLine line{*this, kind};
    Client uart{*line.device};
    uart.room = 1;
    CharPeer first = line.come();
    settle();
    if (kind.types) {
      first.type("first");
    }
    first.leave();
    CharPeer second = line.come();
    if (kind.types) {
      second.type("second");
    }
    second.leave();
    check_nobody_there(kind, *line.device, uart);
    check_next(kind, line);
  });
}

BOOST_AUTO_TEST_CASE(who_waits_while_another_leaves_gets_every_character_printed_after_that) {
  for_each_kind([&](const CharKind& kind) {
    if (!kind.comes_back) {
      return;
    }
    for (const std::size_t room : kRooms) {
      CharLine line{*this, kind};
      Client uart{*line.device};
      uart.room = room;
      CharPeer first = line.come();
      settle();
      if (kind.types) {
        first.type(std::string(100, 'k'));
      }
      settle();
      first.leave();
      const CharPeer second = line.come();
      // The loop has not looked yet.
      for (const char c : std::string_view{"HELLO"}) {
        BOOST_TEST(line.device->write(bytes({&c, 1})) == 1U);
        loop.wait(0ns);
      }
      BOOST_TEST(receive(second.fd.get(), 5) == "HELLO");
      settle();
      BOOST_TEST((!kind.carrier || uart.lines.dcd));
    }
  });
}

BOOST_AUTO_TEST_CASE(who_waits_while_another_does_not_read_gets_nothing_stale) {
  for_each_kind([&](const CharKind& kind) {
    if (!kind.comes_back || kind.keeps) {
      return;
    }
    CharLine line{*this, kind};
    Client uart{*line.device};
    uart.room = 0;
    CharPeer first = line.come();
    settle();
    static_cast<void>(fill(*line.device));
    const CharPeer second = line.come();
    settle();
    const int before = uart.lines_calls;
    first.leave();
    settle();
    BOOST_TEST(uart.lines_calls == before + 2);  // down, and up again
    BOOST_TEST(uart.lines.dcd);
    BOOST_TEST(line.device->write(bytes("HELLO")) == 5U);
    BOOST_TEST(receive(second.fd.get(), 5) == "HELLO");
  });
}

// A script that connects, sends a command and goes, while the guest is slow.
BOOST_AUTO_TEST_CASE(what_was_typed_before_somebody_left_is_the_guests_in_the_order_of_typing) {
  for_each_kind([&](const CharKind& kind) {
    if (!kind.types || kind.name == "tty") {  // a terminal's hang-up empties it
      return;
    }
    CharLine line{*this, kind};
    Client uart{*line.device};
    uart.room = 1;
    const std::string command = numbered(3000);
    std::string all;
    for (int round = 0; round < (kind.comes_back ? 3 : 1); ++round) {
      CharPeer peer = line.come();
      settle();
      peer.type(command);
      settle();
      peer.leave();
      settle();
      all += command;
    }
    CharPeer last;
    if (kind.comes_back) {
      last = line.come();
      settle();
      last.type("last");
      all += "last";
    }
    settle();
    BOOST_TEST(uart.received == "0");
    uart.room = 1 << 20;
    uart.pull();
    settle();
    BOOST_TEST((uart.received == all));
    last.leave();
    check_nobody_there(kind, *line.device, uart);
  });
}

BOOST_AUTO_TEST_CASE(what_many_have_left_unread_is_bounded) {
  for_each_kind([&](const CharKind& kind) {
    if (!kind.types || !kind.comes_back) {
      return;
    }
    CharLine line{*this, kind};
    Client uart{*line.device};
    uart.room = 0;
    const std::size_t before = open_descriptors();
    for (int round = 0; round < 20; ++round) {
      CharPeer peer = line.come();
      settle();
      peer.type("command\n");
      settle();
      peer.leave();
      settle();
    }
    BOOST_TEST(open_descriptors() <= before + 4);
    uart.room = 1 << 20;
    uart.pull();
    settle();
    BOOST_TEST(uart.received.starts_with("command\ncommand\ncommand\ncommand\n"));
    BOOST_TEST(open_descriptors() == before);
    check_nobody_there(kind, *line.device, uart);
  });
}

BOOST_AUTO_TEST_CASE(leaving_costs_the_same_however_often_it_happens) {
  for_each_kind([&](const CharKind& kind) {
    if (!kind.comes_back) {
      return;
    }
    CharLine line{*this, kind};
    Client uart{*line.device};
    uart.room = 0;
    constexpr unsigned kRounds = 20;
    reset_calls();
    const auto before = loop.counters();
    for (unsigned round = 0; round < kRounds; ++round) {
      CharPeer peer = line.come();
      settle();
      if (kind.types) {
        peer.type("k");
      }
      static_cast<void>(fill(*line.device));
      settle();
      peer.leave();
      settle();
    }
    BOOST_TEST(calls().epoll_changes <= kRounds * 16U);
    BOOST_TEST(loop.counters().handlers - before.handlers <= kRounds * 12U);
  });
}

BOOST_AUTO_TEST_SUITE_END()
