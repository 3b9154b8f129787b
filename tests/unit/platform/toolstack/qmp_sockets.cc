// SPDX-License-Identifier: MIT
// Where QMP is listened for: making, taking over, replacing and removing sockets; several of them,
// several clients.
#include "platform/linux/listen_socket.h"
#include "platform/toolstack/qmp/qmp_medium.h"
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>

namespace dm::toolstack::test {
namespace {

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// A listening socket, made by somebody else.
int listening_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of(path);
  BOOST_TEST_REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  BOOST_TEST_REQUIRE(::listen(fd, 4) == 0);
  return fd;
}

BOOST_FIXTURE_TEST_SUITE(qmp_sockets, QmpRig)

BOOST_AUTO_TEST_CASE(the_socket_is_its_owner_s_alone_and_goes_with_the_server) {
  struct stat status {};
  BOOST_TEST_REQUIRE(::lstat(path.c_str(), &status) == 0);
  BOOST_TEST(S_ISSOCK(status.st_mode));
  BOOST_TEST((status.st_mode & 0777) == 0600U);
  server.reset();
  BOOST_TEST(!exists(path));
}

BOOST_AUTO_TEST_CASE(clients_come_and_go_many_times) {
  loop.settle();
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 200; ++i) {
    Peer client = connect();
    client.enter();
    BOOST_TEST(client.command(R"({"execute":"cont","id":1})").contains("return"));
  }
  BOOST_TEST(machine.conts == 200);
  BOOST_TEST(loop.run_until([&] { return server->clients() == 0; }));
  BOOST_TEST(open_descriptors() == before);
}

enum class Leaving { hang_up, half_close, unread };

/// `client` leaves, in one of three ways: at once, with its input open, with answers unread.
void leave(Peer& client, Leaving how) {
  if (how == Leaving::half_close) {
    client.half_close();
    BOOST_TEST(client.ended());
  } else {
    if (how == Leaving::hang_up) {
      (void)client.unread();
    }
    client.hang_up();
  }
}

// Every prefix of a conversation of all kinds of answers, the descriptor's command included.
BOOST_AUTO_TEST_CASE(a_client_may_leave_at_any_point_in_any_way) {
  add_medium_commands(commands, machine, fd_sets, machine.discs());
  machine.drive_list.push_back(
      {.name = "cd", .image = "/srv/a.iso", .removable = true, .stats = {}});
  const std::string all =
      "{\"execute\":\"qmp_capabilities\"}\r\n{\"execute\":\"query-block\",\"id\":[1]}\r\n"
      "{\"execute\":\"no-such\"}\xff{\"execute\":\"blockdev-change-medium\",\"arguments\":"
      "{\"id\":\"cd\",\"filename\":\"/srv/b.iso\"}}\r\n";
  loop.settle();
  const std::size_t before = open_descriptors();
  for (const Leaving how : {Leaving::hang_up, Leaving::half_close, Leaving::unread}) {
    for (std::size_t length = 0; length <= all.size(); ++length) {
      Peer client = connect();
      BOOST_TEST_REQUIRE(client.send(std::string_view{all}.substr(0, length)));
      if (length % 2 == 0) {
        loop.settle();
      }
      leave(client, how);
      client.hang_up();
      BOOST_TEST_REQUIRE(loop.run_until([&] { return server->clients() == 0; }));
    }
  }
  BOOST_TEST(open_descriptors() == before);
  Peer client = connect();
  client.enter();
  BOOST_TEST(client.command(R"({"execute":"query-block","id":1})").contains("return"));
}

// The image takes its time; whoever asked for it does not wait.
BOOST_AUTO_TEST_CASE(a_client_may_leave_while_its_command_is_under_way) {
  add_medium_commands(commands, machine, fd_sets, machine.discs());
  machine.drive_list.push_back(
      {.name = "cd", .image = "/srv/a.iso", .removable = true, .stats = {}});
  machine.slow = true;
  for (const Leaving how : {Leaving::hang_up, Leaving::unread}) {
    Peer client = connect();
    client.enter();
    BOOST_TEST_REQUIRE(client.send(
        R"({"execute":"blockdev-change-medium","arguments":{"id":"cd","filename":"/srv/b.iso"}})"));
    BOOST_TEST(loop.run_until([&] { return machine.insertions.size() == 1; }));
    leave(client, how);
    loop.settle();
    machine.finish_insertion();
    BOOST_TEST(loop.run_until([&] { return server->clients() == 0; }));
  }
  Peer client = connect();
  client.enter();
  const auto drives = client.command(R"({"execute":"query-block"})");
  BOOST_TEST(drives.at("return").at(0).at("inserted").at("file").as_string() == "/srv/b.iso");
}

// Half a command, or nothing, costs a place among four; the other socket is not touched by it.
BOOST_AUTO_TEST_CASE(clients_that_send_half_hold_their_places_and_no_more) {
  const std::string second = directory.file("qmp-libxenstat-7");
  BOOST_TEST_REQUIRE(server->listen({"libxenstat-cmd", second, -1}).has_value());
  std::vector<std::unique_ptr<Peer>> halves;
  for (int i = 0; i < 4; ++i) {
    halves.push_back(std::make_unique<Peer>(loop, path));
    BOOST_TEST_REQUIRE(halves.back()->send(R"({"execute":"st)"));
  }
  loop.settle();
  Peer other{loop, second};
  other.enter();
  BOOST_TEST(other.command(R"({"execute":"query-status","id":1})").contains("return"));
  halves.pop_back();
  Peer client = connect();
  client.enter();
  BOOST_TEST(machine.stops == 0);
}

BOOST_AUTO_TEST_CASE(clients_beyond_the_fourth_wait_in_the_backlog) {
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<Peer>(loop, path));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    clients[i]->enter();
  }
  loop.settle();
  BOOST_TEST(server->clients() == 4U);
  BOOST_TEST(clients[4]->unread().empty());
  clients[1].reset();
  clients[4]->enter();
  clients[0].reset();
  clients[5]->enter();
  BOOST_TEST(clients[2]->command(R"({"execute":"query-status","id":1})").contains("return"));
}

BOOST_AUTO_TEST_CASE(two_clients_have_a_conversation_each) {
  Peer one = connect();
  Peer two = connect();
  one.enter();
  two.line();
  BOOST_TEST_REQUIRE(one.send(R"({"execute":"query-st)"));
  BOOST_TEST(two.command(R"({"execute":"stop","id":2})").contains("error"));  // not negotiated here
  BOOST_TEST_REQUIRE(one.send(R"(atus","id":1})"));
  BOOST_TEST(one.message().at("id").as_int64() == 1);
}

BOOST_AUTO_TEST_CASE(libxl_s_and_xentop_s_sockets_are_served_at_once) {
  const std::string second = directory.file("qmp-libxenstat-7");
  BOOST_TEST_REQUIRE(server->listen({"libxenstat-cmd", second, -1}).has_value());
  Peer libxl = connect();
  Peer xentop{loop, second};
  xentop.enter();
  libxl.enter();
  BOOST_TEST(xentop.command(R"({"execute":"query-blockstats"})").contains("return"));
  BOOST_TEST(libxl.command(R"({"execute":"cont","id":1})").contains("return"));
  BOOST_TEST(server->clients() == 2U);
  server.reset();
  BOOST_TEST(!exists(path));
  BOOST_TEST(!exists(second));
}

BOOST_AUTO_TEST_CASE(the_server_may_go_while_clients_are_connected) {
  Peer client = connect();
  client.enter();
  BOOST_TEST_REQUIRE(client.send(R"({"execute":"query-sta)"));
  server.reset();
  loop.settle();
  BOOST_TEST(client.ended());
}

BOOST_AUTO_TEST_CASE(a_given_listening_socket_is_served_and_its_file_left_alone) {
  const std::string given = directory.file("given");
  const int fd = listening_socket(given);
  BOOST_TEST_REQUIRE(server->listen({"libxl-cmd", "", fd}).has_value());
  BOOST_TEST((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  {
    Peer client{loop, given};
    client.enter();
    BOOST_TEST(client.command(R"({"execute":"query-status","id":1})").contains("return"));
  }
  server.reset();
  BOOST_TEST(exists(given));
  BOOST_TEST(::fcntl(fd, F_GETFD) == -1);  // it was ours to close
}

BOOST_AUTO_TEST_CASE(a_given_descriptor_that_is_no_listening_socket_is_refused) {
  const auto refused = [&](int fd) {
    const auto result = server->listen({"libxl-cmd", "", fd});
    return !result.has_value() &&
           result.error().message.find("descriptor " + std::to_string(fd)) != std::string::npos;
  };
  BOOST_TEST(refused(9999));
  BOOST_TEST(refused(0));
  int pair[2];
  BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  const host::UniqueFd one{pair[0]};
  const host::UniqueFd two{pair[1]};
  BOOST_TEST(refused(one.get()));
}

BOOST_AUTO_TEST_CASE(a_socket_left_by_a_dead_process_is_replaced) {
  const std::string stale = directory.file("stale");
  host::UniqueFd{listening_socket(stale)}.reset();
  BOOST_TEST_REQUIRE(exists(stale));
  BOOST_TEST_REQUIRE(server->listen({"libxl-cmd", stale, -1}).has_value());
  Peer client{loop, stale};
  client.enter();
}

BOOST_AUTO_TEST_CASE(a_living_socket_and_a_file_are_not_replaced) {
  const std::string living = directory.file("living");
  const host::UniqueFd owner{listening_socket(living)};
  const auto result = server->listen({"libxl-cmd", living, -1});
  BOOST_TEST_REQUIRE(!result.has_value());
  BOOST_TEST(result.error().message.find("another process listens there") != std::string::npos);
  BOOST_TEST(exists(living));

  const std::string file = directory.file("file");
  std::ofstream{file} << "precious";
  BOOST_TEST(!server->listen({"libxl-cmd", file, -1}).has_value());
  BOOST_TEST(exists(file));
}

BOOST_AUTO_TEST_CASE(a_socket_that_somebody_made_anew_is_not_removed) {
  ::unlink(path.c_str());
  const host::UniqueFd successor{listening_socket(path)};
  server.reset();
  BOOST_TEST(exists(path));
}

BOOST_AUTO_TEST_CASE(a_path_that_cannot_be_is_told) {
  const auto too_long = server->listen({"libxl-cmd", directory.file(std::string(120, 'x')), -1});
  BOOST_TEST_REQUIRE(!too_long.has_value());
  BOOST_TEST(too_long.error().message.find("1 to 107 bytes") != std::string::npos);
  const auto nowhere = server->listen({"libxl-cmd", directory.file("no/such/directory"), -1});
  BOOST_TEST_REQUIRE(!nowhere.has_value());
  BOOST_TEST(nowhere.error().message.find("No such file or directory") != std::string::npos);
  BOOST_TEST(!server->listen({"libxl-cmd", "", -1}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
