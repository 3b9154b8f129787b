// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/chardev.h"

#include "core/obs/log.h"
#include "platform/linux/chardev/break_decoder.h"
#include "tests/unit/platform/linux/char_fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

using namespace dm;
using namespace dm::test;

BOOST_FIXTURE_TEST_SUITE(plain, CharFixture)

BOOST_AUTO_TEST_CASE(null_and_none_take_everything_and_give_nothing) {
  for (const std::string_view spec : {"null", "none"}) {
    const auto null = open(spec);
    Client uart{*null};
    BOOST_TEST(null->write(bytes("lost")) == 4U);
    BOOST_TEST(null->counters().dropped == 4U);
    run_for(loop, 5ms);
    BOOST_TEST(uart.received == "");
    BOOST_TEST(null->description() == spec);
  }
}

BOOST_AUTO_TEST_CASE(a_file_is_truncated_and_then_written) {
  const std::string path = dir.file("serial.log");
  {
    const UniqueFd old{::open(path.c_str(), O_WRONLY | O_CREAT, 0600)};
    say(old.get(), "from an earlier run");
  }
  const auto file = open("file:" + path);
  Client uart{*file};
  const std::string text = numbered(100'000);
  BOOST_TEST(file->write(bytes(text)) == text.size());
  loop.wait(0ns);
  BOOST_TEST((contents(path) == text));
  BOOST_TEST(file->description() == "file");
}

BOOST_AUTO_TEST_CASE(a_files_name_may_hold_commas) {
  const std::string path = dir.file("a,b,server=on");
  const auto file = open("file:" + path);
  file->write(bytes("x"));
  loop.wait(0ns);
  BOOST_TEST(contents(path) == "x");
}

BOOST_AUTO_TEST_CASE(a_file_that_may_not_grow_loses_output_and_nothing_else) {
  const std::string path = dir.file("limited.log");
  const auto file = open("file:" + path);
  Client uart{*file};
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{.rlim_cur = 1000, .rlim_max = old.rlim_max};
  BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string text = numbered(5000);
  BOOST_TEST(file->write(bytes(text)) == text.size());
  loop.wait(0ns);
  ::setrlimit(RLIMIT_FSIZE, &old);
  BOOST_TEST(contents(path) == text.substr(0, 1000));
  BOOST_TEST(file->counters().dropped > 0U);
  file->write(bytes("after"));
  loop.wait(0ns);
  BOOST_TEST(contents(path).ends_with("after"));
}

BOOST_AUTO_TEST_CASE(stdio_is_standard_input_and_output_and_leaves_their_flags_alone) {
  int in[2];
  int out[2];
  BOOST_REQUIRE_EQUAL(::pipe(in), 0);
  BOOST_REQUIRE_EQUAL(::pipe(out), 0);
  const int old_in = ::dup(STDIN_FILENO);
  const int old_out = ::dup(STDOUT_FILENO);
  ::dup2(in[0], STDIN_FILENO);
  ::dup2(out[1], STDOUT_FILENO);
  auto opened = host::open_chardev(loop, "stdio");
  ::dup2(old_in, STDIN_FILENO);
  ::dup2(old_out, STDOUT_FILENO);
  for (const int fd : {old_in, old_out}) {
    ::close(fd);
  }
  BOOST_REQUIRE(opened.has_value());
  const auto stdio = std::move(*opened);
  Client uart{*stdio};
  say(in[1], "typed");
  BOOST_TEST(run_until(loop, [&] { return uart.received == "typed"; }));
  stdio->write(bytes("shown"));
  loop.wait(0ns);
  ::fcntl(out[0], F_SETFL, O_NONBLOCK);
  BOOST_TEST(read_all(out[0]) == "shown");
  BOOST_TEST((::fcntl(in[0], F_GETFL) & O_NONBLOCK) == 0);
  BOOST_TEST((::fcntl(out[1], F_GETFL) & O_NONBLOCK) == 0);
  ::close(in[1]);  // end of input
  run_for(loop, 20ms);
  const auto before = loop.counters();
  run_for(loop, 50ms);
  BOOST_TEST(loop.counters().wakeups == before.wakeups);
  stdio->write(bytes("still"));  // output stays
  loop.wait(0ns);
  BOOST_TEST(read_all(out[0]) == "still");
  for (const int fd : {in[0], out[0], out[1]}) {
    ::close(fd);
  }
}

// `stubdm ... | less`, and less is left.
BOOST_AUTO_TEST_CASE(who_reads_standard_output_may_leave_while_input_goes_on) {
  int in[2];
  int out[2];
  BOOST_REQUIRE_EQUAL(::pipe(in), 0);
  BOOST_REQUIRE_EQUAL(::pipe(out), 0);
  const int old_in = ::dup(STDIN_FILENO);
  const int old_out = ::dup(STDOUT_FILENO);
  ::dup2(in[0], STDIN_FILENO);
  ::dup2(out[1], STDOUT_FILENO);
  auto opened = host::open_chardev(loop, "stdio");
  ::dup2(old_in, STDIN_FILENO);
  ::dup2(old_out, STDOUT_FILENO);
  for (const int fd : {old_in, old_out, out[1], in[0]}) {
    ::close(fd);
  }
  BOOST_REQUIRE(opened.has_value());
  const auto stdio = std::move(*opened);
  Client uart{*stdio};
  uart.room = 1;
  say(in[1], "typed");
  run_for(loop, 10ms);
  const std::string text(1 << 20, 'x');
  while (stdio->write(bytes(text)) == text.size()) {
  }
  ::close(out[0]);
  BOOST_TEST(run_until(
      loop, [&] { return uart.writable_calls == 1; }, 500ms));
  run_for(loop, 10ms);
  reset_calls();
  BOOST_TEST(stdio->write(bytes(text)) == text.size());
  BOOST_TEST(stays_idle(loop, 100ms));
  BOOST_TEST(calls().vector_writes == 0U);
  uart.room = 100;
  uart.pull();
  BOOST_TEST(uart.received == "typed");
  say(in[1], " and more");
  BOOST_TEST(run_until(loop, [&] { return uart.received == "typed and more"; }));
  ::close(in[1]);
  run_for(loop, 10ms);
  BOOST_TEST(stays_idle(loop, 100ms));
}

// A stub domain's console, which libxl puts into a file of /var/log/xen.
BOOST_AUTO_TEST_CASE(a_file_with_a_limit_gets_so_many_bytes_and_one_line_that_says_so) {
  const std::string path = dir.file("console.log");
  auto opened = host::open_chardev(loop, "file:" + path, {.file_bytes = 1000});
  BOOST_REQUIRE(opened.has_value());
  const auto file = std::move(*opened);
  std::vector<std::string> log;
  static std::vector<std::string>* lines = nullptr;
  lines = &log;
  log::set_sink([](log::Level, std::string_view line) noexcept { lines->emplace_back(line); });
  const std::string text = numbered(5000);
  for (std::size_t at = 0; at < text.size(); at += 7) {
    const auto piece = bytes(text).subspan(at, std::min<std::size_t>(7, text.size() - at));
    BOOST_TEST(file->write(piece) == piece.size());
  }
  loop.wait(0ns);
  log::set_sink(nullptr);
  const std::string seen = contents(path);
  BOOST_TEST(seen.starts_with(text.substr(0, 1000) + "\r\n"));
  BOOST_TEST(seen.size() < 1200U);
  BOOST_TEST(seen.find("XEN_QEMU_CONSOLE_LIMIT") != std::string::npos);
  BOOST_TEST(file->counters().dropped == 4000U);
  BOOST_REQUIRE_EQUAL(log.size(), 1U);
  BOOST_TEST(log[0].find(path) != std::string::npos);
  BOOST_TEST(log[0].find("XEN_QEMU_CONSOLE_LIMIT") != std::string::npos);
  reset_calls();
  file->write(bytes(text));
  loop.wait(0ns);
  BOOST_TEST(calls().vector_writes == 0U);
}

BOOST_AUTO_TEST_CASE(a_limit_is_for_files_that_fill_a_disk) {
  const std::string path = dir.file("fifo");
  BOOST_REQUIRE_EQUAL(::mkfifo(path.c_str(), 0600), 0);
  const UniqueFd reader{::open(path.c_str(), O_RDONLY | O_NONBLOCK)};
  auto opened = host::open_chardev(loop, "file:" + path, {.file_bytes = 10});
  BOOST_REQUIRE(opened.has_value());
  const std::string text = numbered(1000);
  (*opened)->write(bytes(text));
  loop.wait(0ns);
  BOOST_TEST(read_all(reader.get()) == text);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_a_pipe_keeps_output_for_its_next_reader) {
  const std::string path = dir.file("fifo");
  BOOST_REQUIRE_EQUAL(::mkfifo(path.c_str(), 0600), 0);
  const auto come = [&] {
    return UniqueFd{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  };
  UniqueFd reader = come();
  const auto file = open("file:" + path);
  Client uart{*file};
  const std::string text(1 << 20, 'x');
  while (file->write(bytes(text)) == text.size()) {
  }
  reader.reset();
  BOOST_TEST(run_until(
      loop, [&] { return uart.writable_calls == 1; }, 500ms));
  run_for(loop, 10ms);
  reset_calls();
  BOOST_TEST(file->write(bytes(text)) == text.size());
  file->write(bytes("the end"));
  BOOST_TEST(stays_idle(loop, 20ms));
  BOOST_TEST(calls().vector_writes == 0U);
  reader = come();
  std::string seen;
  BOOST_TEST(run_until(loop, [&] {
    seen += read_all(reader.get());
    return seen.ends_with("the end");
  }));
}

// libxl's way to hand a stub domain the state to be restored (pipe:/var/lib/xen/qemu-resume.7).
BOOST_AUTO_TEST_CASE(a_regular_file_as_a_pipe_is_input_once) {
  const std::string path = dir.image("resume", 5000);
  const auto pipe = open("pipe:" + path);
  BOOST_TEST(pipe->description() == "pipe");
  Client uart{*pipe};
  uart.room = 3000;
  run_for(loop, 5ms);
  BOOST_TEST(uart.received.size() == 3000U);
  uart.room = 100'000;
  uart.pull();
  BOOST_TEST((uart.received == contents(path)));
  BOOST_TEST(pipe->write(bytes("answer")) == 6U);
  BOOST_TEST(pipe->counters().dropped == 6U);
  BOOST_TEST(contents(path).size() == 5000U);
  BOOST_TEST(stays_idle(loop, 20ms));
}

BOOST_AUTO_TEST_CASE(a_pair_of_pipes) {
  const std::string path = dir.file("fifo");
  BOOST_REQUIRE_EQUAL(::mkfifo((path + ".in").c_str(), 0600), 0);
  BOOST_REQUIRE_EQUAL(::mkfifo((path + ".out").c_str(), 0600), 0);
  const auto pipe = open("pipe:" + path);
  Client uart{*pipe};
  const UniqueFd to{::open((path + ".in").c_str(), O_WRONLY | O_NONBLOCK)};
  const UniqueFd from{::open((path + ".out").c_str(), O_RDONLY | O_NONBLOCK)};
  say(to.get(), "in");
  BOOST_TEST(run_until(loop, [&] { return uart.received == "in"; }));
  pipe->write(bytes("out"));
  BOOST_TEST(receive(from.get(), 3) == "out");
}

BOOST_AUTO_TEST_CASE(a_tty_is_raw_at_once_and_as_it_was_afterwards) {
  const UniqueFd master{::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK)};
  BOOST_REQUIRE_EQUAL(::unlockpt(master.get()), 0);
  const std::string path = ::ptsname(master.get());
  termios before{};
  ::tcgetattr(master.get(), &before);
  BOOST_TEST((before.c_lflag & ECHO) != 0U);
  {
    const auto tty = open(path);
    Client uart{*tty};
    tty->set_line(9600, 8, 1, 'n');
    tty->set_outputs(true, true);
    tty->set_break(true);
    tty->set_break(false);
    const std::string all = every_byte();
    say(master.get(), all);
    BOOST_TEST(run_until(loop, [&] { return uart.received.size() >= all.size(); }));
    BOOST_TEST(uart.received == all);
    tty->write(bytes(all));
    BOOST_TEST(receive(master.get(), all.size()) == all);
    BOOST_TEST(tty->description() == "serial:" + path);
  }
  termios after{};
  ::tcgetattr(master.get(), &after);
  BOOST_TEST((after.c_lflag & ECHO) != 0U);
}

BOOST_AUTO_TEST_CASE(a_tty_that_hangs_up_takes_output_and_drops_it) {
  UniqueFd master{::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK)};
  BOOST_REQUIRE_EQUAL(::unlockpt(master.get()), 0);
  const auto tty = open(::ptsname(master.get()));
  Client uart{*tty};
  run_for(loop, 10ms);
  master = UniqueFd{};
  run_for(loop, 20ms);
  BOOST_TEST(tty->write(bytes("gone")) == 4U);
  run_for(loop, 20ms);
  BOOST_TEST(tty->counters().dropped == 4U);
  const auto before = loop.counters();
  run_for(loop, 50ms);
  BOOST_TEST(loop.counters().wakeups == before.wakeups);
}

BOOST_AUTO_TEST_CASE(breaks_of_a_line_are_told_from_data_wherever_a_read_ends) {
  // termios(3), PARMRK.
  static constexpr std::array<unsigned char, 14> kInput = {'a',  0xff, 0xff, 0,    0xff, 0, 0,
                                                           0xff, 0,    'e',  0xff, 0,    0, 'z'};
  for (std::size_t chunk = 1; chunk <= kInput.size(); ++chunk) {
    for (std::size_t room = 1; room <= 4; ++room) {
      host::BreakDecoder decoder;
      std::string seen;
      for (std::size_t at = 0; at < kInput.size(); at += chunk) {
        auto in = std::as_bytes(std::span{kInput}).subspan(at, std::min(chunk, kInput.size() - at));
        while (!in.empty()) {
          std::array<char, 4> out;
          const auto step = decoder.decode(in, std::as_writable_bytes(std::span{out}).first(room));
          BOOST_REQUIRE(step.used != 0);
          in = in.subspan(step.used);
          seen.append(out.data(), step.given);
          seen += step.is_break ? "<break>" : "";
        }
      }
      BOOST_TEST(seen == (std::string{"a\xff"} + '\0' + "<break>e<break>z"));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_supported_says_what_to_write_instead) {
  for (const std::string_view spec : {"mon:stdio", "chardev:serial0", "vc", "vc:80Cx24C",
                                      "udp:127.0.0.1:9", "telnet:127.0.0.1:9,server", "msmouse",
                                      "braille", "", "PTY", "ptyx", "websocket:127.0.0.1:9"}) {
    const std::string message = error_of(spec);
    BOOST_TEST(message.find("serial = \"pty\"") != std::string::npos, spec << ": " << message);
  }
  BOOST_TEST(error_of("mon:pty").find("no monitor") != std::string::npos);  // C5
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_says_why) {
  BOOST_TEST(error_of("/dev/null").find("no terminal") != std::string::npos);
  BOOST_TEST(error_of("/dev/no-such-tty").find("No such file") != std::string::npos);
  BOOST_TEST(error_of("file:/no/such/directory/x").find("No such file") != std::string::npos);
  BOOST_TEST(error_of("pipe:" + dir.file("none")).find("mkfifo") != std::string::npos);
  BOOST_TEST(error_of("tcp:somewhere.example:4555").find("numbers") != std::string::npos);
  BOOST_TEST(error_of("tcp:127.0.0.1").find("tcp:HOST:PORT") != std::string::npos);
  BOOST_TEST(error_of("tcp:127.0.0.1:70000").find("tcp:HOST:PORT") != std::string::npos);
  BOOST_TEST(error_of("tcp::4555").find("address") != std::string::npos);
  BOOST_TEST(error_of("tcp:127.0.0.1:1").find("refused") != std::string::npos);
  BOOST_TEST(error_of("unix:").find("1 to 107") != std::string::npos);
  BOOST_TEST(error_of("unix:/" + std::string(200, 'x')).find("1 to 107") != std::string::npos);
  BOOST_TEST(error_of("unix:" + dir.file("s") + ",server,telnet").find("telnet") !=
             std::string::npos);
  BOOST_TEST(error_of("unix:" + dir.file("s") + ",server=perhaps").find("on or off") !=
             std::string::npos);
  BOOST_TEST(error_of("unix:" + dir.file("s")).find("connect") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
