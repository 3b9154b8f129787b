// SPDX-License-Identifier: MIT
// xl cd-insert and xl cd-eject, as libxl 4.17 sends them (libxl_disk.c).
#include "platform/toolstack/qmp/qmp_medium.h"

#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <fcntl.h>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;

struct MediumRig : QmpRig {
  MediumRig() {
    add_medium_commands(commands, machine, fd_sets, machine.discs());
    client.enter();
  }
  json::object run(std::string_view command, std::string_view arguments) {
    std::string line = R"({"execute":")";
    line.append(command).append(R"(","arguments":)").append(arguments).append(R"(,"id":5})");
    return client.command(line);
  }
  std::string error_class(const json::object& reply) {
    return std::string{reply.at("error").at("class").as_string()};
  }
  Peer client = connect();
  DriveInfo& cd = [this]() -> DriveInfo& {
    machine.drive_list.push_back({.name = "ide0-hd0", .image = "/dev/vg/guest", .stats = {}});
    machine.drive_list.push_back(
        {.name = "ide-5632", .image = "/srv/a.iso", .removable = true, .stats = {}});
    return machine.drive_list[1];
  }();
};

BOOST_FIXTURE_TEST_SUITE(qmp_medium, MediumRig)

BOOST_AUTO_TEST_CASE(xl_cd_insert_ejects_hands_a_descriptor_over_and_changes_the_medium) {
  BOOST_TEST(run("query-version", "{}").contains("return"));
  BOOST_TEST(run("eject", R"({"id":"ide-5632"})").contains("return"));
  BOOST_TEST(cd.image.empty());
  host::UniqueFd image{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  client.send_with_fds("{\"execute\":\"add-fd\",\"arguments\":{},\"id\":6}\r\n", {image.get()});
  const auto set = client.message().at("return").at("fdset-id").as_int64();
  const auto reply =
      run("blockdev-change-medium", R"({"id":"ide-5632","filename":"/dev/fdset/)" +
                                        std::to_string(set) + R"(","format":"raw"})");
  BOOST_TEST(reply.contains("return"));
  BOOST_TEST(reply.at("id").as_int64() == 5);
  BOOST_TEST(cd.image == "/dev/fdset/" + std::to_string(set));
  BOOST_TEST(machine.fds_inserted == 1);
  BOOST_TEST(!cd.tray_open);
}

BOOST_AUTO_TEST_CASE(xl_cd_eject_of_an_empty_drive_succeeds) {
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(run("eject", R"({"id":"ide-5632"})").contains("return"));
    BOOST_TEST(run("eject", R"({"device":"ide-5632","force":false})").contains("return"));
  }
}

BOOST_AUTO_TEST_CASE(a_locked_tray_is_an_error_unless_forced) {
  cd.locked = true;
  const auto reply = run("eject", R"({"id":"ide-5632"})");
  BOOST_TEST(error_class(reply) == "GenericError");
  BOOST_TEST(reply.at("error").at("desc").as_string().find("locked") != json::string::npos);
  BOOST_TEST(cd.image == "/srv/a.iso");
  BOOST_TEST(error_class(run("blockdev-change-medium",
                             R"({"id":"ide-5632","filename":"/b.iso"})")) == "GenericError");
  BOOST_TEST(run("eject", R"({"id":"ide-5632","force":true})").contains("return"));
  BOOST_TEST(cd.image.empty());
}

BOOST_AUTO_TEST_CASE(the_old_command_and_paths_work_too) {
  BOOST_TEST(
      run("change", R"({"device":"ide-5632","target":"/b.iso","arg":"raw"})").contains("return"));
  BOOST_TEST(cd.image == "/b.iso");
  BOOST_TEST(run("blockdev-change-medium",
                 R"({"device":"ide-5632","filename":"/c.iso","read-only-mode":"retain"})")
                 .contains("return"));
  BOOST_TEST(cd.image == "/c.iso");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused_and_changes_nothing) {
  for (const auto& [command, arguments, error] : std::vector<std::array<std::string, 3>>{
           {"eject", R"({"id":"ide0-hd0"})", "DeviceNotFound"},
           {"eject", R"({"id":"ide-832"})", "DeviceNotFound"},
           {"eject", R"({})", "GenericError"},
           {"eject", R"({"id":7})", "GenericError"},
           {"eject", R"({"id":"ide-5632","force":1})", "GenericError"},
           {"blockdev-change-medium", R"({"id":"ide-5632"})", "GenericError"},
           {"blockdev-change-medium", R"({"id":"ide-5632","filename":""})", "GenericError"},
           {"blockdev-change-medium", R"({"id":"ide-5632","filename":"/dev/fdset/9"})",
            "GenericError"},
           {"blockdev-change-medium", R"({"id":"ide-5632","filename":"/missing"})", "GenericError"},
           {"blockdev-change-medium", R"({"id":"ide-5632","filename":"/q","format":"luks"})",
            "GenericError"},
           {"blockdev-change-medium",
            R"({"id":"ide-5632","filename":"/q","read-only-mode":"read-write"})", "GenericError"},
           {"blockdev-change-medium", R"({"id":"ide-832","filename":"/q"})", "DeviceNotFound"},
           {"change", R"({"device":"vnc","target":"password","arg":"x"})", "GenericError"},
           {"change", R"({"device":"ide-5632","target":"/q","arg":7})", "GenericError"}}) {
    BOOST_TEST(error_class(run(command, arguments)) == error, arguments);
  }
  BOOST_TEST(cd.image == "/srv/a.iso");
}

BOOST_AUTO_TEST_CASE(a_disc_has_the_format_that_xl_says_and_query_block_tells_it) {
  for (const auto& [command, arguments] : std::vector<std::array<std::string, 2>>{
           {"blockdev-change-medium",
            R"({"id":"ide-5632","filename":"/q.qcow2","format":"qcow2"})"},
           {"change", R"({"device":"ide-5632","target":"/q.qcow2","arg":"qcow2"})"}}) {
    cd.format = "raw";
    BOOST_TEST(run(command, arguments).contains("return"));
    const auto reply = run("query-block", "{}");
    const auto& inserted =
        reply.at("return").as_array().at(1).as_object().at("inserted").as_object();
    BOOST_TEST(inserted.at("drv").as_string() == "qcow2");
    BOOST_TEST(inserted.at("image").as_object().at("format").as_string() == "qcow2");
  }
}

// qemu-nbd has to start and to open it.
BOOST_AUTO_TEST_CASE(while_an_image_is_being_opened_others_are_served_and_the_client_waits) {
  machine.slow = true;
  BOOST_TEST_REQUIRE(client.send(
      R"({"execute":"blockdev-change-medium","arguments":{"id":"ide-5632","filename":"/q","format":"qcow2"},"id":5})"
      R"({"execute":"query-name","id":6}{"execute":"query-name")"));
  loop.settle();
  BOOST_TEST_REQUIRE(client.send(R"(,"id":7})"));
  loop.settle();
  BOOST_TEST(client.unread().empty());
  Peer other = connect();
  other.enter();
  BOOST_TEST(other.command(R"({"execute":"query-status","id":1})").contains("return"));
  BOOST_TEST_REQUIRE(machine.insertions.size() == 1U);
  machine.finish_insertion();
  auto reply = client.message();
  BOOST_TEST(reply.contains("return"));
  BOOST_TEST(reply.at("id").as_int64() == 5);
  BOOST_TEST(cd.image == "/q");
  BOOST_TEST(client.message().at("id").as_int64() == 6);
  BOOST_TEST(client.message().at("id").as_int64() == 7);
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_opened_in_the_end_is_an_error_of_its_command) {
  machine.slow = true;
  BOOST_TEST_REQUIRE(client.send(
      R"({"execute":"blockdev-change-medium","arguments":{"id":"ide-5632","filename":"/missing"}})"));
  loop.settle();
  machine.finish_insertion();
  const auto reply = client.message();
  BOOST_TEST(error_class(reply) == "GenericError");
  BOOST_TEST(!reply.contains("id"));
  BOOST_TEST(cd.image == "/srv/a.iso");
}

BOOST_AUTO_TEST_CASE(a_client_or_the_server_may_be_gone_when_the_image_is_open) {
  machine.slow = true;
  const std::string_view insert =
      R"({"execute":"blockdev-change-medium","arguments":{"id":"ide-5632","filename":"/q"},"id":5})";
  BOOST_TEST_REQUIRE(client.send(insert));
  loop.settle();
  client.hang_up();
  loop.settle();
  machine.finish_insertion();
  loop.settle();
  BOOST_TEST(cd.image == "/q");
  Peer other = connect();
  other.enter();
  BOOST_TEST_REQUIRE(other.send(insert));
  loop.settle();
  server.reset();
  machine.finish_insertion();
  loop.settle();
  BOOST_TEST(machine.insertions.empty());
}

BOOST_AUTO_TEST_CASE(query_block_tells_tray_and_lock) {
  cd.locked = true;
  cd.tray_open = true;
  const auto reply = run("query-block", "{}");
  const auto& entry = reply.at("return").as_array().at(1).as_object();
  BOOST_TEST(entry.at("tray_open").as_bool());
  BOOST_TEST(entry.at("locked").as_bool());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
