// SPDX-License-Identifier: MIT
#include "tests/unit/platform/linux/char_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>

using namespace dm;
using namespace dm::test;

namespace {

constexpr std::size_t kBacklog = 16384;

/// What libxl and xl console do with the description.
std::string slave_of(const Chardev& pty) {
  BOOST_REQUIRE(pty.description().starts_with("pty:/dev/pts/"));
  return std::string{pty.description().substr(4)};
}
UniqueFd open_slave(const Chardev& pty) {
  UniqueFd fd{::open(slave_of(pty).c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK)};
  BOOST_REQUIRE(static_cast<bool>(fd));
  return fd;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pty, CharFixture)

BOOST_AUTO_TEST_CASE(every_byte_passes_unchanged_both_ways) {
  const auto pty = open("pty");
  Client uart{*pty};
  const UniqueFd console = open_slave(*pty);
  const std::string all = every_byte();
  BOOST_TEST(pty->write(bytes(all)) == all.size());
  BOOST_TEST(receive(console.get(), all.size()) == all);
  say(console.get(), all);
  BOOST_TEST(run_until(loop, [&] { return uart.received.size() >= all.size(); }));
  BOOST_TEST(uart.received == all);
}

BOOST_AUTO_TEST_CASE(nothing_echoes) {
  const auto pty = open("pty");
  Client uart{*pty};
  const UniqueFd console = open_slave(*pty);
  pty->write(bytes("login: "));
  say(console.get(), "root\r");
  run_for(loop, 50ms);
  BOOST_TEST(uart.received == "root\r");
  BOOST_TEST(read_all(console.get()) == "login: ");
}

BOOST_AUTO_TEST_CASE(with_nobody_there_output_never_stops_and_makes_no_system_call) {
  const auto pty = open("pty");
  Client uart{*pty};
  const std::string text = numbered(1 << 20);
  for (std::size_t i = 0; i < text.size(); i += 16) {
    BOOST_REQUIRE_EQUAL(pty->write(bytes(text).subspan(i, 16)), 16U);
    if (i % 4096 == 0) {
      loop.wait(0ns);
    }
  }
  BOOST_TEST(pty->counters().writes == 0U);
  BOOST_TEST(pty->counters().dropped == text.size() - kBacklog);
  BOOST_TEST(pty->output().waiting == kBacklog);
  BOOST_TEST(pty->output().dropped == text.size() - kBacklog);
}

BOOST_AUTO_TEST_CASE(who_comes_later_sees_the_newest_output) {
  const auto pty = open("pty");
  Client uart{*pty};
  const std::string text = numbered(100'000);
  pty->write(bytes(text));
  run_for(loop, 10ms);
  const UniqueFd console = open_slave(*pty);
  const std::string seen = receive(console.get(), kBacklog);
  BOOST_TEST(seen == text.substr(text.size() - kBacklog));
  pty->write(bytes("# "));
  BOOST_TEST(receive(console.get(), 2) == "# ");
}

BOOST_AUTO_TEST_CASE(readers_come_and_go) {
  const auto pty = open("pty");
  Client uart{*pty};
  for (int round = 0; round < 5; ++round) {
    UniqueFd console = open_slave(*pty);
    pty->write(bytes("one"));
    BOOST_TEST(receive(console.get(), 3) == "one");
    say(console.get(), "in");
    BOOST_TEST(run_until(loop, [&] { return uart.received == "in"; }));
    uart.received.clear();
    console = UniqueFd{};
    run_for(loop, 10ms);
    pty->write(bytes("between "));
    run_for(loop, 10ms);
    console = open_slave(*pty);
    BOOST_TEST(receive(console.get(), 8) == "between ");
  }
  BOOST_TEST(pty->counters().dropped == 0U);
}

BOOST_AUTO_TEST_CASE(a_reader_that_comes_again_at_once_is_not_missed) {
  const auto pty = open("pty");
  Client uart{*pty};
  for (int round = 0; round < 20; ++round) {
    { const UniqueFd before = open_slave(*pty); }
    if (round % 2 == 0) {
      loop.poll();
    }
    const UniqueFd console = open_slave(*pty);
    pty->write(bytes("x"));
    BOOST_REQUIRE_EQUAL(receive(console.get(), 1), "x");
  }
}

BOOST_AUTO_TEST_CASE(input_of_one_who_has_left_already_arrives) {
  const auto pty = open("pty");
  Client uart{*pty};
  {
    const UniqueFd echo = open_slave(*pty);
    say(echo.get(), "hello");
  }
  BOOST_TEST(run_until(loop, [&] { return uart.received == "hello"; }));
}

BOOST_AUTO_TEST_CASE(input_waits_outside_while_the_device_has_no_room) {  // C3
  const auto pty = open("pty");
  Client uart{*pty};
  uart.room = 16;
  const UniqueFd console = open_slave(*pty);
  const std::string text = numbered(1 << 20);
  std::size_t accepted = 0;
  for (int turn = 0; turn < 50; ++turn) {
    const ssize_t count = ::write(console.get(), text.data() + accepted, text.size() - accepted);
    accepted += count > 0 ? static_cast<std::size_t>(count) : 0;
    run_for(loop, 2ms);
  }
  BOOST_TEST(uart.received == text.substr(0, 16));
  BOOST_TEST(accepted < 65536U);  // the kernel's own bound
  const auto sleeps = loop.counters();
  run_for(loop, 100ms);
  BOOST_TEST(loop.counters().wakeups <= sleeps.wakeups + 1);  // and nothing spins meanwhile
  uart.room = accepted;
  uart.pull();
  BOOST_TEST(run_until(loop, [&] { return uart.received.size() == accepted; }));
  BOOST_TEST(uart.received == text.substr(0, accepted));
}

BOOST_AUTO_TEST_CASE(a_slow_reader_loses_nothing) {
  const auto pty = open("pty");
  Client uart{*pty};
  const UniqueFd console = open_slave(*pty);
  run_for(loop, 10ms);
  const std::string text = numbered(200'000);
  std::string seen;
  std::size_t written = 0;
  bool was_refused = false;
  const bool all = run_until(
      loop,
      [&] {
        if (written < text.size() && (!was_refused || uart.writable_calls > 0)) {
          uart.writable_calls = 0;
          const std::size_t taken = pty->write(bytes(text).subspan(written));
          written += taken;
          was_refused = written < text.size();
        }
        std::array<char, 3000> some;
        const ssize_t count = ::read(console.get(), some.data(), some.size());
        seen.append(some.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
        return seen.size() >= text.size();
      },
      20s);
  BOOST_TEST(all);
  BOOST_TEST((seen == text));
  BOOST_TEST(pty->counters().dropped == 0U);
}

BOOST_AUTO_TEST_CASE(a_reader_that_never_reads_does_not_stop_the_guest) {  // C6
  const auto pty = open("pty");
  Client uart{*pty};
  const UniqueFd console = open_slave(*pty);
  run_for(loop, 10ms);
  const std::string text = numbered(64 * 1024);
  const std::size_t first = pty->write(bytes(text));
  BOOST_TEST(first < text.size());  // first it holds the guest back
  BOOST_TEST(run_until(loop, [&] { return uart.writable_calls > 0; }));
  BOOST_TEST(pty->write(bytes(text)) == text.size());  // then it drops the oldest
  BOOST_TEST(pty->counters().dropped > 0U);
  pty->write(bytes("the end"));
  std::string seen;
  run_until(loop, [&] {
    seen += read_all(console.get());
    return seen.ends_with("the end");
  });
  BOOST_TEST(seen.ends_with("the end"));
  const std::size_t now = pty->counters().dropped;
  pty->write(bytes("again"));  // and it is a reader again
  BOOST_TEST(receive(console.get(), 5) == "again");
  BOOST_TEST(pty->counters().dropped == now);
}

BOOST_AUTO_TEST_CASE(characters_of_one_turn_are_one_system_call) {
  const auto pty = open("pty");
  Client uart{*pty};
  const UniqueFd console = open_slave(*pty);
  run_for(loop, 10ms);
  for (const char c : std::string_view{"login: "}) {
    pty->write(bytes({&c, 1}));
  }
  BOOST_TEST(pty->counters().writes == 0U);
  loop.wait(0ns);
  BOOST_TEST(pty->counters().writes == 1U);
  BOOST_TEST(receive(console.get(), 7) == "login: ");
}

BOOST_AUTO_TEST_CASE(a_character_leaves_before_the_loop_sleeps) {
  const auto pty = open("pty");
  Client uart{*pty};
  const UniqueFd console = open_slave(*pty);
  run_for(loop, 10ms);
  pty->write(bytes("#"));
  loop.wait(0ns);
  pollfd state{.fd = console.get(), .events = POLLIN, .revents = 0};
  BOOST_TEST(::poll(&state, 1, 2000) == 1);
  BOOST_TEST(read_all(console.get()) == "#");
}

BOOST_AUTO_TEST_CASE(an_idle_pty_wakes_nobody_with_and_without_a_reader) {
  const auto pty = open("pty");
  Client uart{*pty};
  pty->write(bytes("boot"));
  run_for(loop, 20ms);
  BOOST_TEST(stays_idle(loop, 200ms));
  const UniqueFd console = open_slave(*pty);
  BOOST_TEST(receive(console.get(), 4) == "boot");
  run_for(loop, 20ms);
  BOOST_TEST(stays_idle(loop, 200ms));
}

BOOST_AUTO_TEST_CASE(without_inotify_a_reader_is_found_within_a_second) {
  set_faults({.no_inotify = true});
  const auto pty = open("pty");
  set_faults({});
  Client uart{*pty};
  for (int round = 0; round < 2; ++round) {
    run_for(loop, 20ms);  // the one before has left
    pty->write(bytes("hello"));
    run_for(loop, 20ms);
    BOOST_TEST(pty->counters().output == 5U * static_cast<unsigned>(round));
    const UniqueFd console = open_slave(*pty);
    BOOST_TEST(receive(console.get(), 5) == "hello");
  }
}

BOOST_AUTO_TEST_CASE(a_reader_that_leaves_it_cooked_does_not_spoil_it_for_the_next) {
  const auto pty = open("pty");
  Client uart{*pty};
  {
    const UniqueFd careless = open_slave(*pty);
    termios mode{};
    BOOST_REQUIRE_EQUAL(::tcgetattr(careless.get(), &mode), 0);
    mode.c_lflag |= ECHO | ICANON;
    mode.c_oflag |= OPOST | ONLCR;
    BOOST_REQUIRE_EQUAL(::tcsetattr(careless.get(), TCSANOW, &mode), 0);
    run_for(loop, 10ms);
  }
  run_for(loop, 20ms);
  const UniqueFd console = open_slave(*pty);
  pty->write(bytes("a\n"));
  BOOST_TEST(receive(console.get(), 2) == "a\n");
  run_for(loop, 20ms);
  BOOST_TEST(uart.received == "");
}

BOOST_AUTO_TEST_CASE(escape_sequences_pass_as_they_are) {  // C4, C5
  const auto pty = open("pty");
  Client uart{*pty};
  const UniqueFd console = open_slave(*pty);
  const std::string evil =
      "\x1b[2147483647;2147483647H\x01"
      "c\x1d"
      "quit\n";
  pty->write(bytes(evil));
  BOOST_TEST(receive(console.get(), evil.size()) == evil);
  say(console.get(), evil);
  BOOST_TEST(run_until(loop, [&] { return uart.received == evil; }));
}

BOOST_AUTO_TEST_CASE(one_character_costs_no_allocation) {
  const auto pty = open("pty");
  Client uart{*pty};
  uart.received.reserve(4096);
  const UniqueFd console = open_slave(*pty);
  run_for(loop, 20ms);
  char c = 'x';
  const auto exchange = [&] {
    pty->write(bytes({&c, 1}));
    static_cast<void>(!::write(console.get(), &c, 1));
    for (int i = 0; i < 3; ++i) {
      loop.wait(1ms);
    }
    char back = 0;
    static_cast<void>(!::read(console.get(), &back, 1));
  };
  exchange();
  const std::uint64_t before = allocations();
  for (int i = 0; i < 100; ++i) {
    exchange();
  }
  BOOST_TEST(allocations() == before);
  BOOST_TEST(uart.received.size() > 90U);
}

BOOST_AUTO_TEST_CASE(a_device_may_go_and_another_come) {
  const auto pty = open("pty");
  const UniqueFd console = open_slave(*pty);
  {
    Client uart{*pty};
    run_for(loop, 10ms);
  }
  say(console.get(), "kept");
  run_for(loop, 20ms);
  Client next{*pty};
  BOOST_TEST(run_until(loop, [&] { return next.received == "kept"; }));
}

BOOST_AUTO_TEST_SUITE_END()
