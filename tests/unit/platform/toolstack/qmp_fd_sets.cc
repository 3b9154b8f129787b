// SPDX-License-Identifier: MIT
// Descriptor sets: handed over with add-fd, named /dev/fdset/K by later commands.
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <boost/json/serialize.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <fcntl.h>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;

struct FdRig : QmpRig {
  FdRig() { client.enter(); }
  json::object add(int fd, std::string_view arguments = "{}") {
    std::string text = R"({"execute":"add-fd","arguments":)";
    text.append(arguments).append("}\r\n");
    client.send_with_fds(text, {fd});
    return client.message();
  }
  Peer client = connect();
  host::UniqueFd null_read{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  host::UniqueFd null_write{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
};

BOOST_FIXTURE_TEST_SUITE(qmp_fd_sets, FdRig)

// xl save: add-fd, then a command that names the set, on one connection.
BOOST_AUTO_TEST_CASE(a_descriptor_becomes_a_set_that_can_be_opened_by_name) {
  const auto reply = add(null_write.get(), R"({"opaque":"xl save"})");
  const auto id = reply.at("return").at("fdset-id").as_int64();
  BOOST_TEST(reply.at("return").at("fd").is_int64());
  const std::string name = "/dev/fdset/" + std::to_string(id);
  auto opened = fd_sets.open(name, O_WRONLY);
  BOOST_TEST_REQUIRE(opened.has_value());
  BOOST_TEST((::fcntl(opened->get(), F_GETFD) & FD_CLOEXEC) != 0);
  BOOST_TEST(fd_sets.open(name, O_RDONLY).has_error());
  client.hang_up();
  loop.run_until([&] { return server->clients() == 0; });
  loop.settle();
  BOOST_TEST(fd_sets.describe().empty());
  BOOST_TEST(::write(opened->get(), "x", 1) == 1);  // a duplicate outlives the set
}

BOOST_AUTO_TEST_CASE(a_set_can_hold_one_descriptor_for_reading_and_one_for_writing) {
  add(null_read.get(), R"({"fdset-id":5})");
  add(null_write.get(), R"({"fdset-id":5})");
  for (const int access : {O_RDONLY, O_WRONLY}) {
    const auto opened = fd_sets.open("/dev/fdset/5", access);
    BOOST_TEST_REQUIRE(opened.has_value());
    BOOST_TEST((::fcntl(opened->get(), F_GETFL) & O_ACCMODE) == access);
  }
  BOOST_TEST(fd_sets.open("/dev/fdset/5", O_RDWR).has_error());
}

BOOST_AUTO_TEST_CASE(sets_are_listed_and_removed_whole_or_by_descriptor) {
  const auto first = add(null_read.get(), R"({"opaque":"a"})").at("return").at("fd").as_int64();
  add(null_read.get(), R"({"fdset-id":0})");
  auto list = client.command(R"({"execute":"query-fdsets"})").at("return").as_array();
  BOOST_TEST_REQUIRE(list.size() == 1U);
  BOOST_TEST(list.at(0).at("fds").as_array().size() == 2U);
  BOOST_TEST(list.at(0).at("fds").at(0).at("opaque").as_string() == "a");
  const std::size_t open = open_descriptors();
  BOOST_TEST(client
                 .command(R"({"execute":"remove-fd","arguments":{"fdset-id":0,"fd":)" +
                          std::to_string(first) + "}}")
                 .contains("return"));
  BOOST_TEST(open_descriptors() == open - 1);
  BOOST_TEST(
      client.command(R"({"execute":"remove-fd","arguments":{"fdset-id":0}})").contains("return"));
  BOOST_TEST(open_descriptors() == open - 2);
  BOOST_TEST(
      client.command(R"({"execute":"remove-fd","arguments":{"fdset-id":0}})").contains("error"));
}

// libxl 4.17 (libxl_disk.c) tells the disc's format and its whole path.
BOOST_AUTO_TEST_CASE(a_descriptor_may_be_described_by_any_path) {
  const std::string longest = "raw:/" + std::string(4095, 'x');
  BOOST_TEST(add(null_read.get(), R"({"opaque":")" + longest + "\"}").contains("return"));
  BOOST_TEST(add(null_read.get(), R"({"opaque":")" + longest + std::string(4096, 'x') + "\"}")
                 .contains("error"));
}

BOOST_AUTO_TEST_CASE(sets_and_their_contents_are_bounded) {
  for (std::size_t i = 0; i < FdSets::kMaxSets; ++i) {
    BOOST_TEST(add(null_read.get()).contains("return"));
  }
  const std::size_t open = open_descriptors();
  BOOST_TEST(add(null_read.get()).contains("error"));
  for (std::size_t i = 1; i < FdSets::kMaxPerSet; ++i) {
    BOOST_TEST(add(null_read.get(), R"({"fdset-id":3})").contains("return"));
  }
  BOOST_TEST(add(null_read.get(), R"({"fdset-id":3})").contains("error"));
  BOOST_TEST(open_descriptors() == open + FdSets::kMaxPerSet - 1);
  client.hang_up();
  loop.run_until([&] { return server->clients() == 0; });
  loop.settle();
  BOOST_TEST(open_descriptors() < open - FdSets::kMaxSets + 1);
}

BOOST_AUTO_TEST_CASE(a_connection_takes_its_own_descriptors_with_it_and_no_others) {
  add(null_read.get(), R"({"fdset-id":1})");
  {
    Peer other = connect();
    other.enter();
    other.send_with_fds("{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":1}}\r\n",
                        {null_write.get()});
    BOOST_TEST(other.message().contains("return"));
  }
  loop.run_until([&] { return server->clients() == 1; });
  loop.settle();
  BOOST_TEST(fd_sets.open("/dev/fdset/1", O_RDONLY).has_value());
  BOOST_TEST(fd_sets.open("/dev/fdset/1", O_WRONLY).has_error());
}

// The stub domain's init hands console 1 over as set 1 before anybody connects.
BOOST_AUTO_TEST_CASE(a_set_without_an_owner_stays) {
  BOOST_TEST(
      fd_sets.add(host::UniqueFd{::open("/dev/null", O_WRONLY | O_CLOEXEC)}, 1, {}, 0).has_value());
  add(null_read.get());
  client.hang_up();
  loop.run_until([&] { return server->clients() == 0; });
  loop.settle();
  BOOST_TEST(fd_sets.open("/dev/fdset/1", O_WRONLY).has_value());
  BOOST_TEST(fd_sets.describe().size() == 1U);
}

BOOST_AUTO_TEST_CASE(add_fd_without_a_descriptor_is_an_error) {
  BOOST_TEST(client.command(R"({"execute":"add-fd"})").at("error").at("class").as_string() ==
             "GenericError");
  BOOST_TEST(fd_sets.describe().empty());
}

const std::vector<std::string> kBadArguments = {R"({"fdset-id":-1})",
                                                R"({"fdset-id":"0"})",
                                                R"({"fdset-id":2147483648})",
                                                R"({"fdset-id":1.0})",
                                                R"({"opaque":7})",
                                                R"({"opaque":")" + std::string(5000, 'x') + "\"}"};

BOOST_DATA_TEST_CASE(bad_arguments_close_the_descriptor,
                     boost::unit_test::data::make(kBadArguments),
                     arguments) {
  const std::size_t open = open_descriptors();
  BOOST_TEST(add(null_read.get(), arguments).contains("error"));
  BOOST_TEST(open_descriptors() == open);
}

BOOST_AUTO_TEST_CASE(names_that_are_no_sets_are_refused) {
  add(null_read.get());
  for (const std::string_view name :
       {"/dev/fdset/", "/dev/fdset/1", "/dev/fdset/0/", "/dev/fdset/-0", "/dev/fdset/+0",
        "/dev/fdset/ 0", "/dev/fdset/99999999999999999999", "/dev/null", ""}) {
    BOOST_TEST(fd_sets.open(name, O_RDONLY).has_error(), name);
  }
  BOOST_TEST(!FdSets::is_name("/dev/null"));
}

BOOST_AUTO_TEST_CASE(the_server_may_go_while_a_connection_holds_sets) {
  add(null_read.get());
  server.reset();
  BOOST_TEST(fd_sets.describe().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
