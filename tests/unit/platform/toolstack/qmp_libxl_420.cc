// SPDX-License-Identifier: MIT
// Conversations that libxl has since 4.20: the probe before a guest, and a disc that is changed in
// a stub domain.
#include "platform/toolstack/command_line/command_line.h"
#include "platform/toolstack/qmp/qmp_medium.h"
#include "platform/toolstack/qmp/qmp_probe.h"
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <boost/json/serialize.hpp>

#include <fcntl.h>

#include <array>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 11> kProbe{
    "-S",          "-no-user-config",
    "-nodefaults", "-nographic",
    "-machine",    "none,accel=xen",
    "-chardev",    "socket,id=libxl-cmd,fd=9,server=on,wait=off",
    "-mon",        "chardev=libxl-cmd,mode=control",
    "-no-shutdown"};

BOOST_AUTO_TEST_SUITE(qmp_libxl_420)

BOOST_AUTO_TEST_CASE(the_probe_s_command_line_asks_for_no_guest) {
  const auto invocation = parse_command_line(kProbe, {});
  BOOST_TEST_REQUIRE(invocation.has_value());
  BOOST_TEST((invocation->action == Invocation::Action::probe));
  BOOST_TEST_REQUIRE(invocation->config.qmp.size() == 1U);
  BOOST_TEST(invocation->config.qmp[0].fd == 9);
}

BOOST_AUTO_TEST_CASE(no_machine_has_no_devices_and_somebody_who_asks) {
  const std::vector<std::string_view> base{kProbe.begin(), kProbe.end()};
  for (const std::vector<std::string_view>& more :
       {std::vector<std::string_view>{"-serial", "pty"},
        {"-drive", "file=/x,if=ide,index=0,media=disk,format=raw"}}) {
    auto arguments = base;
    arguments.insert(arguments.end(), more.begin(), more.end());
    BOOST_TEST(parse_command_line(arguments, {}).has_error());
  }
  BOOST_TEST(parse_command_line(std::vector<std::string_view>{"-machine", "none"}, {}).has_error());
  BOOST_TEST(parse_command_line(std::vector<std::string_view>{"-machine", "none,accel=kvm"}, {})
                 .has_error());
}

BOOST_AUTO_TEST_CASE(run_with_is_what_libxl_writes_when_it_is_listed) {
  const std::vector<std::string_view> arguments{
      "-xen-domid", "7",     "-run-with", "chroot=/var/run/xen/qemu-root-7",
      "-machine",   "xenfv", "-run-with", "user=100:101"};
  const auto invocation = parse_command_line(arguments, {});
  BOOST_TEST_REQUIRE(invocation.has_value());
  BOOST_TEST(invocation->config.chroot == "/var/run/xen/qemu-root-7");
  BOOST_TEST(invocation->config.run_as == "100:101");
  for (const std::string_view bad : {"chroot=here", "user=", "jail=/x"}) {
    BOOST_TEST(parse_command_line(std::vector<std::string_view>{"-xen-domid", "7", "-machine",
                                                                "xenfv", "-run-with", bad},
                                  {})
                   .has_error());
  }
}

struct ProbeRig {
  ProbeRig() {
    add_probe_commands(commands, [this] { ++quits; });
    BOOST_TEST_REQUIRE(server.listen({"libxl-cmd", path, -1}).has_value());
  }
  ProbeRig(const ProbeRig&) = delete;
  ProbeRig& operator=(const ProbeRig&) = delete;

  QuietLog quiet;
  TemporaryDirectory directory;
  std::string path = directory.file("qmp-probe");
  Loop loop;
  QmpCommands commands;
  QmpServer server{loop.io(), commands};
  int quits = 0;
};

BOOST_FIXTURE_TEST_CASE(the_probe_is_asked_for_its_options_and_told_to_quit, ProbeRig) {
  Peer client{loop, path};
  client.enter();
  const auto reply = client.command(R"({"execute":"query-command-line-options","id":2})");
  bool found = false;
  std::size_t options = 0;
  for (const auto& entry : reply.at("return").as_array()) {
    const auto& parameters = entry.at("parameters").as_array();
    ++options;
    if (entry.at("option").as_string() == "run-with") {
      found = true;
      BOOST_TEST_REQUIRE(parameters.size() == 2U);
      BOOST_TEST(parameters.at(0).at("name").as_string() == "chroot");
      BOOST_TEST(parameters.at(1).at("name").as_string() == "user");
      BOOST_TEST(parameters.at(1).at("type").as_string() == "string");
    }
  }
  BOOST_TEST(found);
  BOOST_TEST(options > 30U);
  BOOST_TEST(quits == 0);
  BOOST_TEST(json::serialize(client.command(R"({"execute":"quit","id":3})")) ==
             R"({"return":{},"id":3})");
  BOOST_TEST(quits == 1);
  BOOST_TEST(client.command(R"({"execute":"quit"})").contains("return"));
  BOOST_TEST(quits == 1);
}

BOOST_FIXTURE_TEST_CASE(one_option_can_be_asked_for, ProbeRig) {
  Peer client{loop, path};
  client.enter();
  const auto ask = [&](const std::string& name) {
    return client.command(R"({"execute":"query-command-line-options","arguments":{"option":")" +
                          name + "\"}}");
  };
  BOOST_TEST(ask("machine").at("return").as_array().size() == 1U);
  BOOST_TEST(ask("no-such").at("error").at("desc").as_string() == "invalid option name: no-such");
  BOOST_TEST(client.command(R"({"execute":"stop"})").at("error").at("class").as_string() ==
             "CommandNotFound");
}

// libxl_disk.c of 4.20 with a stub domain: /dev/xvdc (5632, hdc) is exchanged under the device
// model, which gives up its descriptor of the old one and shows by a set when it has the new one.
struct StubCdRig : QmpRig {
  StubCdRig() {
    add_medium_commands(commands, machine, fd_sets, machine.discs());
    machine.drive_list.push_back({.name = "ide-768", .image = "/dev/xvda", .stats = {}});
    machine.drive_list.push_back(
        {.name = "ide-5632", .image = "/dev/xvdc", .removable = true, .stats = {}});
    fetch_disc = [this](std::string_view drive) {
      ++asked;
      BOOST_TEST(drive == "ide-5632");
      return there ? host::UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)} : host::UniqueFd{};
    };
    client.enter();
  }
  /// The set whose descriptors have this opaque.
  std::optional<std::int64_t> find_set(std::string_view opaque) {
    const auto reply = client.command(R"({"execute":"query-fdsets","id":1})");
    for (const auto& set : reply.at("return").as_array()) {
      for (const auto& fd : set.at("fds").as_array()) {
        const auto* const name = fd.as_object().if_contains("opaque");
        if (name != nullptr && name->as_string() == opaque) {
          BOOST_TEST(fd.at("fd").is_int64());
          return set.at("fdset-id").as_int64();
        }
      }
    }
    return std::nullopt;
  }
  bool there = true;  ///< the stub domain's /dev/xvdc
  int asked = 0;
  Peer client = connect();
};

BOOST_FIXTURE_TEST_CASE(while_a_disc_is_in_its_drive_nobody_is_asked_for_another, StubCdRig) {
  BOOST_TEST(!find_set("stub-devid:5632").has_value());
  BOOST_TEST(asked == 0);
}

BOOST_FIXTURE_TEST_CASE(a_disc_is_changed_in_a_stub_domain, StubCdRig) {
  BOOST_TEST(
      client.command(R"({"execute":"eject","arguments":{"id":"ide-5632","force":true},"id":1})")
          .contains("return"));
  const auto old = find_set("stub-devid:5632");
  BOOST_TEST_REQUIRE(old.has_value());
  BOOST_TEST((find_set("stub-devid:5632") == old));  // no second one
  BOOST_TEST(asked == 1);
  const std::size_t before = open_descriptors();
  BOOST_TEST(client
                 .command(R"({"execute":"remove-fd","arguments":{"fdset-id":)" +
                          std::to_string(*old) + R"(},"id":1})")
                 .contains("return"));
  BOOST_TEST(open_descriptors() == before - 1);  // or the old device could not go
  there = false;
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(!find_set("stub-devid:5632").has_value());  // every 200 ms
  }
  there = true;
  const auto set = find_set("stub-devid:5632");
  BOOST_TEST_REQUIRE(set.has_value());
  BOOST_TEST(client
                 .command(R"({"execute":"blockdev-change-medium","arguments":{"id":"ide-5632",)"
                          R"("filename":"/dev/fdset/)" +
                          std::to_string(*set) + R"(","format":"host_device"},"id":1})")
                 .contains("return"));
  BOOST_TEST(machine.drive_list[1].image == "/dev/fdset/" + std::to_string(*set));
  BOOST_TEST(machine.fds_inserted == 1);
}

BOOST_FIXTURE_TEST_CASE(a_set_of_the_stub_domain_s_own_outlives_the_connection, StubCdRig) {
  machine.drive_list[1].image.clear();
  BOOST_TEST(find_set("stub-devid:5632").has_value());
  client.hang_up();
  BOOST_TEST(loop.run_until([&] { return server->clients() == 0; }));
  loop.settle();
  BOOST_TEST(fd_sets.describe().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
