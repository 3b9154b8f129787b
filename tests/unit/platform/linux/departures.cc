// SPDX-License-Identifier: MIT
// The other side of a serial line goes, at every point of every exchange: it is noticed whether or
// not the device has room, and what follows is as if nobody had ever been there.
#include "tests/unit/platform/linux/char_peers.h"

using namespace dm;
using namespace dm::test;

namespace {

constexpr std::size_t kBacklog = 16384;

struct Departures : CharFixture {
  /// Everything that the loop has to do is done.
  void settle() {
    for (int quiet = 0; quiet < 3;) {
      const auto before = loop.counters();
      loop.wait(2ms);
      quiet = loop.counters().handlers == before.handlers ? quiet + 1 : 0;
    }
  }
  /// The device sees a line on which nobody has ever been, and the process sleeps.
  void check_nobody_there(const CharKind& kind,
                          Chardev& device,
                          Client& uart,
                          std::chrono::milliseconds idle = 10ms) {
    settle();
    if (kind.carrier) {
      BOOST_TEST(!uart.lines.dcd);
      BOOST_TEST(!uart.lines.dsr);
      BOOST_TEST(!uart.lines.cts);
    }
    BOOST_TEST(stays_idle(loop, idle));
    reset_calls();
    const auto before = device.output();
    const std::string text = numbered(100'000);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < text.size(); at += 16) {
      refused += 16 - device.write(bytes(text).subspan(at, 16));
      if (at % 4096 == 0) {
        loop.wait(0ns);
      }
    }
    BOOST_TEST(refused == 0U);
    BOOST_TEST(calls().vector_writes == 0U);
    BOOST_TEST(calls().epoll_changes == 0U);
    const auto after = device.output();
    BOOST_TEST(after.waiting == (kind.keeps ? kBacklog : 0U));
    BOOST_TEST(after.dropped - before.dropped ==
               before.waiting + text.size() - (kind.keeps ? kBacklog : 0U));
    BOOST_TEST(stays_idle(loop, 5ms));
  }
  /// Writes until the line takes no more.
  static std::size_t fill(Chardev& device) {
    const std::string text(1 << 20, '.');
    std::size_t taken = 0;
    for (;;) {
      const std::size_t now = device.write(bytes(text));
      taken += now;
      if (now < text.size()) {
        return taken;
      }
    }
  }
  /// The next one sees what is printed for it from its first character on.
  void check_next(const CharKind& kind, CharLine& line) {
    if (!kind.comes_back) {
      return;
    }
    const CharPeer next = line.come();
    settle();
    while (!read_all(next.fd.get()).empty()) {  // what was kept for it
      settle();
    }
    for (const char c : std::string_view{"HELLO"}) {
      BOOST_TEST(line.device->write(bytes({&c, 1})) == 1U);
      loop.wait(0ns);
    }
    BOOST_TEST(receive(next.fd.get(), 5) == "HELLO");
  }
};

void for_each_kind(const std::function<void(const CharKind&)>& check) {
  for (const CharKind& kind : char_kinds()) {
    BOOST_TEST_CONTEXT(kind.name) {
      check(kind);
    }
  }
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

/// How much the device reads of what is typed: nothing (loopback, a chip that is full), a chip
/// without FIFOs, and one with.
constexpr std::size_t kRooms[] = {0, 1, 16};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(departures, Departures)

BOOST_AUTO_TEST_CASE(who_leaves_is_noticed_whether_or_not_the_device_has_room) {
  for_each_kind([&](const CharKind& kind) {
    for (const std::size_t room : kRooms) {
      for (const std::size_t unread : {0U, 1U, 100U}) {
        BOOST_TEST_CONTEXT("room for " << room << ", " << unread << " typed") {
          CharLine line{*this, kind};
          Client uart{*line.device};
          uart.room = room;
          CharPeer peer = line.come();
          settle();
          if (kind.types && unread != 0) {
            peer.type(std::string(unread, 'k'));
            settle();
          }
          line.device->write(bytes("boot\n"));
          BOOST_TEST(receive(peer.fd.get(), 5) == "boot\n");
          peer.leave();
          check_nobody_there(kind, *line.device, uart, unread == 100 ? 100ms : 10ms);
          check_next(kind, line);
        }
      }
    }
  });
}

// `xl console -t serial` during the BIOS: a key that nobody reads, and then Ctrl-].
BOOST_AUTO_TEST_CASE(a_reader_killed_while_it_does_not_read_lets_the_guest_go_on_at_once) {
  for_each_kind([&](const CharKind& kind) {
    for (const std::size_t room : kRooms) {
      BOOST_TEST_CONTEXT("room for " << room) {
        CharLine line{*this, kind};
        Client uart{*line.device};
        uart.room = room;
        CharPeer peer = line.come();
        settle();
        if (kind.types) {
          peer.type("kkkkkkkkkkkkkkkkkkkk");
        }
        settle();
        static_cast<void>(fill(*line.device));
        settle();
        uart.writable_calls = 0;
        peer.leave();
        settle();  // not after a second
        BOOST_TEST(uart.writable_calls == 1);
        check_nobody_there(kind, *line.device, uart);
        check_next(kind, line);
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(a_reader_killed_after_it_was_given_up_leaves_nothing_behind) {
  for_each_kind([&](const CharKind& kind) {
    if (kind.name != "pty" && kind.name != "unix server" && kind.name != "pipe") {
      return;  // a second each
    }
    CharLine line{*this, kind};
    Client uart{*line.device};
    uart.room = 0;
    CharPeer peer = line.come();
    settle();
    if (kind.types) {
      peer.type("kkkkkkkkkkkkkkkkkkkk");
    }
    settle();
    static_cast<void>(fill(*line.device));
    BOOST_TEST(run_until(loop, [&] { return uart.writable_calls > 0; }));
    const std::string text(1 << 20, ',');
    BOOST_TEST(line.device->write(bytes(text)) == text.size());
    settle();
    peer.leave();
    check_nobody_there(kind, *line.device, uart);
    check_next(kind, line);
  });
}

BOOST_AUTO_TEST_CASE(a_hang_up_does_not_start_the_readers_patience_anew) {
  for_each_kind([&](const CharKind& kind) {
    if (kind.name != "pty" && kind.name != "unix server" && kind.name != "pipe") {
      return;  // a second each
    }
    CharLine line{*this, kind};
    Client uart{*line.device};
    uart.room = 0;
    CharPeer peer = line.come();
    settle();
    static_cast<void>(fill(*line.device));
    peer.leave();
    settle();
    // Nothing is armed any more: a second later nothing has happened.
    BOOST_TEST(stays_idle(loop, 1100ms));
  });
}

BOOST_AUTO_TEST_CASE(somebody_who_went_before_the_loop_looked_is_nobody) {
  for_each_kind([&](const CharKind& kind) {
    for (const bool types : {false, true}) {
      CharLine line{*this, kind};
      Client uart{*line.device};
      uart.room = 0;
      CharPeer peer = line.come();
      if (types && kind.types) {
        peer.type("hello");
      }
      peer.leave();
      check_nobody_there(kind, *line.device, uart);
      check_next(kind, line);
    }
  });
}

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

BOOST_AUTO_TEST_CASE(who_says_that_no_more_comes_has_gone) {
  for_each_kind([&](const CharKind& kind) {
    if (!kind.carrier) {
      return;
    }
    for (const std::size_t room : kRooms) {
      CharLine line{*this, kind};
      Client uart{*line.device};
      uart.room = room;
      CharPeer peer = line.come();
      settle();
      peer.type("kkkkkkkkkkkkkkkkkkkk");
      settle();
      peer.half_close();
      settle();
      char byte = 0;
      BOOST_TEST(::read(peer.fd.get(), &byte, 1) == 0);  // and is told so
      check_nobody_there(kind, *line.device, uart);
      check_next(kind, line);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_reset_is_gone) {
  for_each_kind([&](const CharKind& kind) {
    if (!kind.name.starts_with("tcp")) {
      return;
    }
    for (const std::size_t room : kRooms) {
      for (const bool full : {false, true}) {
        CharLine line{*this, kind};
        Client uart{*line.device};
        uart.room = room;
        CharPeer peer = line.come();
        settle();
        peer.type("kkkkkkkkkkkkkkkkkkkk");
        settle();
        if (full) {
          static_cast<void>(fill(*line.device));
        }
        peer.reset_connection();
        check_nobody_there(kind, *line.device, uart);
        check_next(kind, line);
      }
    }
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
