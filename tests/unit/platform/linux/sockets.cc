// SPDX-License-Identifier: MIT
#include "platform/linux/unix_address.h"
#include "tests/unit/platform/linux/char_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

using namespace dm;
using namespace dm::test;

namespace {

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

template <class Address>
const sockaddr* generic(const Address& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

UniqueFd connect_unix(const std::string& path) {
  UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM, 0)};
  const sockaddr_un address = unix_address(path);
  BOOST_REQUIRE_EQUAL(::connect(fd.get(), generic(address), sizeof address), 0);
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return fd;
}

UniqueFd connect_tcp(std::uint16_t port) {
  UniqueFd fd{::socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  BOOST_REQUIRE_EQUAL(::connect(fd.get(), generic(address), sizeof address), 0);
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return fd;
}

UniqueFd listen_tcp(std::uint16_t& port) {
  UniqueFd fd{::socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  BOOST_REQUIRE_EQUAL(::bind(fd.get(), generic(address), sizeof address), 0);
  BOOST_REQUIRE_EQUAL(::listen(fd.get(), 1), 0);
  socklen_t size = sizeof address;
  sockaddr_in bound{};
  ::getsockname(fd.get(), static_cast<sockaddr*>(static_cast<void*>(&bound)), &size);
  port = ntohs(bound.sin_port);
  return fd;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sockets, CharFixture)

BOOST_AUTO_TEST_CASE(a_server_serves_one_client_after_the_other) {
  const std::string path = dir.file("serial.sock");
  const auto server = open("unix:" + path + ",server=on,wait=off");
  Client uart{*server};
  for (int round = 0; round < 3; ++round) {
    const UniqueFd client = connect_unix(path);
    BOOST_TEST(run_until(loop, [&] { return uart.lines_calls > 0 && uart.lines.dcd; }));
    server->write(bytes("out"));
    BOOST_TEST(receive(client.get(), 3) == "out");
    say(client.get(), "in");
    BOOST_TEST(run_until(loop, [&] { return uart.received == "in"; }));
    uart.received.clear();
    if (round == 1) {
      ::shutdown(client.get(), SHUT_WR);
    }
    uart.lines_calls = 0;
  }
}

BOOST_AUTO_TEST_CASE(the_older_spelling_of_the_options_is_understood) {
  const std::string path = dir.file("old.sock");
  const auto server = open("unix:" + path + ",server,nowait");
  const UniqueFd client = connect_unix(path);
  server->write(bytes(""));
  BOOST_TEST(server->description() == "unix:" + path + ",server=on");
}

BOOST_AUTO_TEST_CASE(a_second_client_waits_until_the_first_goes) {
  const std::string path = dir.file("two.sock");
  const auto server = open("unix:" + path + ",server=on,wait=off");
  Client uart{*server};
  UniqueFd first = connect_unix(path);
  run_for(loop, 20ms);
  const UniqueFd second = connect_unix(path);
  say(second.get(), "second");
  run_for(loop, 20ms);
  server->write(bytes("to the first"));
  BOOST_TEST(receive(first.get(), 12) == "to the first");
  BOOST_TEST(uart.received == "");
  first = UniqueFd{};
  BOOST_TEST(run_until(loop, [&] { return uart.received == "second"; }));
  server->write(bytes("to the second"));
  BOOST_TEST(receive(second.get(), 13) == "to the second");
}

BOOST_AUTO_TEST_CASE(modem_lines_follow_the_connection) {
  const std::string path = dir.file("lines.sock");
  const auto server = open("unix:" + path + ",server=on,wait=off");
  Client uart{*server};
  BOOST_TEST(run_until(loop, [&] { return uart.lines_calls == 1; }));
  BOOST_TEST(!uart.lines.dcd);
  BOOST_TEST(!uart.lines.cts);
  BOOST_TEST(!uart.lines.dsr);
  UniqueFd client = connect_unix(path);
  BOOST_TEST(run_until(loop, [&] { return uart.lines.dcd; }));
  BOOST_TEST(uart.lines.cts);
  BOOST_TEST(uart.lines.dsr);
  client = UniqueFd{};
  BOOST_TEST(run_until(loop, [&] { return !uart.lines.dcd; }));
  BOOST_TEST(!uart.lines.cts);
}

BOOST_AUTO_TEST_CASE(without_a_client_output_is_dropped_and_counted) {
  const std::string path = dir.file("drop.sock");
  const auto server = open("unix:" + path + ",server=on,wait=off");
  Client uart{*server};
  const std::string text(100'000, 'x');
  BOOST_TEST(server->write(bytes(text)) == text.size());
  BOOST_TEST(server->counters().dropped == text.size());
  const UniqueFd client = connect_unix(path);
  run_for(loop, 20ms);
  server->write(bytes("now"));
  BOOST_TEST(receive(client.get(), 3) == "now");  // and nothing stale before it
}

BOOST_AUTO_TEST_CASE(a_client_that_vanishes_while_it_is_written_to_ends_nothing) {
  const std::string path = dir.file("gone.sock");
  const auto server = open("unix:" + path + ",server=on,wait=off");
  Client uart{*server};
  for (int round = 0; round < 5; ++round) {
    UniqueFd client = connect_unix(path);
    BOOST_TEST(run_until(loop, [&] { return uart.lines.dcd; }));
    client = UniqueFd{};
    // SIGPIPE would end us here.
    for (int i = 0; i < 10; ++i) {
      BOOST_TEST(server->write(bytes("into the void")) == 13U);
      loop.wait(0ns);
    }
    BOOST_TEST(run_until(loop, [&] { return !uart.lines.dcd; }));
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_holds_the_guest_back_and_is_then_given_up) {  // C6
  const std::string path = dir.file("stalled.sock");
  const auto server = open("unix:" + path + ",server=on,wait=off");
  Client uart{*server};
  const UniqueFd client = connect_unix(path);
  BOOST_TEST(run_until(loop, [&] { return uart.lines.dcd; }));
  const std::string text(1 << 20, 'x');
  const std::size_t taken = server->write(bytes(text));
  BOOST_TEST(taken < text.size());
  BOOST_TEST(server->write(bytes(text)) == 0U);
  BOOST_TEST(run_until(loop, [&] { return uart.writable_calls > 0; }));
  BOOST_TEST(server->write(bytes(text)) == text.size());
  BOOST_TEST(server->counters().dropped > 0U);
  // It wakes up, and is served again.
  BOOST_TEST(receive(client.get(), taken).size() >= taken);
  static_cast<void>(receive(client.get(), 1 << 20));
  server->write(bytes("end"));
  BOOST_TEST(receive(client.get(), 3).ends_with("end"));
}

BOOST_AUTO_TEST_CASE(the_socket_file_goes_with_the_server_and_an_old_one_is_replaced) {
  const std::string path = dir.file("file.sock");
  {
    const UniqueFd stale{::socket(AF_UNIX, SOCK_STREAM, 0)};
    const sockaddr_un address = unix_address(path);
    BOOST_REQUIRE_EQUAL(::bind(stale.get(), generic(address), sizeof address), 0);
  }
  {
    const auto server = open("unix:" + path + ",server=on,wait=off");
    const UniqueFd client = connect_unix(path);
  }
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_socket_that_somebody_listens_on_is_never_taken) {
  const std::string path = dir.file("live.sock");
  const auto first = open("unix:" + path + ",server=on,wait=off");
  const std::string message = error_of("unix:" + path + ",server=on,wait=off");
  BOOST_TEST(message.find("another process listens there") != std::string::npos);
  BOOST_TEST(message.find("another path") != std::string::npos);
  Client uart{*first};
  run_for(loop, 20ms);
  const UniqueFd client = connect_unix(path);
  BOOST_TEST(run_until(loop, [&] { return uart.lines.dcd; }));
  first->write(bytes("still here"));
  BOOST_TEST(receive(client.get(), 10) == "still here");
}

BOOST_AUTO_TEST_CASE(a_port_that_somebody_listens_on_says_what_to_change) {
  std::uint16_t port = 0;
  const UniqueFd listener = listen_tcp(port);
  const std::string message =
      error_of("tcp:127.0.0.1:" + std::to_string(port) + ",server=on,wait=off");
  BOOST_TEST(message.find("another process listens there") != std::string::npos);
  BOOST_TEST(message.find("another port") != std::string::npos);
}

// A guest that reboots: its next device model starts while the last one ends.
// A guest has rebooted, and its last device model is still writing out the disks.
BOOST_AUTO_TEST_CASE(who_has_stopped_listening_is_in_nobodys_way) {
  std::uint16_t port = 0;
  static_cast<void>(listen_tcp(port));
  const std::string path = dir.file("reboot.sock");
  for (const bool is_unix : {true, false}) {
    const std::string spec = is_unix ? "unix:" + path : "tcp:127.0.0.1:" + std::to_string(port);
    const auto come = [&](Chardev& to) {
      UniqueFd peer = is_unix ? connect_unix(path) : connect_tcp(port);
      BOOST_TEST(run_until(loop, [&] {
        to.write(bytes("x"));
        loop.wait(1ms);
        return !read_all(peer.get()).empty();
      }));
      return peer;
    };
    auto last = open(spec + ",server=on,wait=off");
    const UniqueFd reader = come(*last);
    last->stop_listening();
    last->stop_listening();
    reset_calls();
    const auto next = open(spec + ",server=on,wait=off");
    BOOST_TEST(calls().naps == 0U);
    last->write(bytes("end"));
    loop.wait(0ns);
    BOOST_TEST(receive(reader.get(), 3).ends_with("end"));
    last.reset();
    const UniqueFd other = come(*next);
  }
}

BOOST_AUTO_TEST_CASE(a_predecessor_that_is_about_to_end_is_waited_for) {
  const std::string path = dir.file("reboot.sock");
  UniqueFd predecessor{::socket(AF_UNIX, SOCK_STREAM, 0)};
  const sockaddr_un address = unix_address(path);
  BOOST_REQUIRE_EQUAL(::bind(predecessor.get(), generic(address), sizeof address), 0);
  BOOST_REQUIRE_EQUAL(::listen(predecessor.get(), 1), 0);
  std::thread end{[&] {
    const UniqueFd probe{::accept(predecessor.get(), nullptr, nullptr)};
    predecessor.reset();
  }};
  reset_calls();
  const auto server = open("unix:" + path + ",server=on,wait=off");
  BOOST_TEST(calls().naps != 0U);
  end.join();
  Client uart{*server};
  const UniqueFd client = connect_unix(path);
  BOOST_TEST(run_until(loop, [&] { return uart.lines.dcd; }));
  server->write(bytes("served"));
  BOOST_TEST(receive(client.get(), 6) == "served");
}

BOOST_AUTO_TEST_CASE(the_file_of_a_successor_is_left_alone) {
  const std::string path = dir.file("successor.sock");
  auto server = open("unix:" + path + ",server=on,wait=off");
  std::filesystem::remove(path);
  const auto successor = open("unix:" + path + ",server=on,wait=off");
  server.reset();
  Client uart{*successor};
  const UniqueFd client = connect_unix(path);
  BOOST_TEST(run_until(loop, [&] { return uart.lines.dcd; }));
  successor->write(bytes("served"));
  BOOST_TEST(receive(client.get(), 6) == "served");
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_its_owners_alone) {
  const std::string path = dir.file("mode.sock");
  const mode_t before = ::umask(0);
  const auto server = open("unix:" + path + ",server=on,wait=off");
  ::umask(before);
  struct stat status {};
  BOOST_REQUIRE_EQUAL(::stat(path.c_str(), &status), 0);
  BOOST_TEST((status.st_mode & 0777U) == 0600U);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_socket_is_never_removed) {
  const std::string path = dir.image("precious", 100);
  auto opened = host::open_chardev(loop, "unix:" + path + ",server=on,wait=off");
  BOOST_TEST(!opened.has_value());
  BOOST_TEST(contents(path).size() == 100U);
}

BOOST_AUTO_TEST_CASE(a_client_connects_once_and_speaks) {
  const std::string path = dir.file("peer.sock");
  const UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM, 0)};
  const sockaddr_un address = unix_address(path);
  BOOST_REQUIRE_EQUAL(::bind(listener.get(), generic(address), sizeof address), 0);
  BOOST_REQUIRE_EQUAL(::listen(listener.get(), 1), 0);
  const auto client = open("unix:" + path);
  Client uart{*client};
  UniqueFd peer{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK)};
  client->write(bytes("hello"));
  BOOST_TEST(receive(peer.get(), 5) == "hello");
  say(peer.get(), "back");
  BOOST_TEST(run_until(loop, [&] { return uart.received == "back"; }));
  peer = UniqueFd{};
  BOOST_TEST(run_until(loop, [&] { return !uart.lines.dcd; }));
  BOOST_TEST(client->write(bytes("x")) == 1U);
  const auto before = loop.counters();
  run_for(loop, 50ms);
  BOOST_TEST(loop.counters().wakeups == before.wakeups);
}

BOOST_AUTO_TEST_CASE(tcp_both_as_client_and_as_server) {
  std::uint16_t port = 0;
  UniqueFd listener = listen_tcp(port);
  const std::string where = "tcp:127.0.0.1:" + std::to_string(port);
  {
    const auto client = open(where);
    Client uart{*client};
    const UniqueFd peer{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK)};
    client->write(bytes("hello"));
    BOOST_TEST(receive(peer.get(), 5) == "hello");
  }
  listener = UniqueFd{};
  const auto server = open("tcp:localhost:" + std::to_string(port) + ",server=on,wait=off,nodelay");
  Client uart{*server};
  const auto client = open(where);
  Client other{*client};
  client->write(bytes("there"));
  BOOST_TEST(run_until(loop, [&] { return uart.received == "there"; }));
  server->write(bytes("and back"));
  BOOST_TEST(run_until(loop, [&] { return other.received == "and back"; }));
}

BOOST_AUTO_TEST_CASE(a_waiting_server_wakes_nobody) {
  const auto server = open("unix:" + dir.file("idle.sock") + ",server=on,wait=off");
  Client uart{*server};
  run_for(loop, 20ms);
  BOOST_TEST(stays_idle(loop, 200ms));
}

BOOST_AUTO_TEST_CASE(a_unix_socket_has_a_path_of_1_to_107_bytes_without_a_zero) {
  const std::string longest(107, 'x');
  const auto address = host::unix_address(longest);
  BOOST_REQUIRE(address.has_value());
  BOOST_TEST(address->sun_family == AF_UNIX);
  BOOST_TEST(std::string{address->sun_path} == longest);
  BOOST_TEST(!host::unix_address(longest + "x").has_value());
  BOOST_TEST(!host::unix_address("").has_value());
  BOOST_TEST(!host::unix_address(std::string_view{"/a\0b", 4}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
