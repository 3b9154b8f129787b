// SPDX-License-Identifier: MIT
// The other side of a serial line goes, at every point of every exchange: it is noticed whether or
// not the device has room, and what follows is as if nobody had ever been there.
#include "tests/unit/platform/linux/departures_rig.h"

using namespace dm;
using namespace dm::test;

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

BOOST_AUTO_TEST_SUITE_END()
