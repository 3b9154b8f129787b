// SPDX-License-Identifier: MIT
// xl save and xl migrate, as libxl 4.17 sends them (libxl_dom_suspend.c, libxl_qmp.c).
#include "platform/toolstack/qmp/qmp_migration.h"

#include "platform/linux/whole_io.h"
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 10s reads better

struct MigrationRig : QmpRig {
  MigrationRig() { client.enter(); }
  json::object run(std::string_view command, std::string_view arguments = "{}") {
    std::string line = R"({"execute":")";
    line.append(command).append(R"(","arguments":)").append(arguments).append(R"(,"id":5})");
    return client.command(line);
  }
  /// As libxl: add-fd without arguments, the descriptor with it.
  std::int64_t pass(int fd) {
    client.send_with_fds("{\"execute\":\"add-fd\",\"id\":6}\r\n", {fd});
    return client.message().at("return").at("fdset-id").as_int64();
  }
  json::object save_to(int fd, std::string_view live = R"("live":false,)") {
    return run("xen-save-devices-state", "{" + std::string{live} + R"("filename":"/dev/fdset/)" +
                                             std::to_string(pass(fd)) + "\"}");
  }
  [[nodiscard]] host::UniqueFd file(int flags = O_WRONLY | O_CREAT) {
    return host::UniqueFd{::open(path.c_str(), flags | O_CLOEXEC, 0600)};
  }
  [[nodiscard]] std::vector<std::byte> saved() const {
    std::vector<std::byte> bytes(std::filesystem::file_size(path));
    const host::UniqueFd from{::open(path.c_str(), O_RDONLY)};
    BOOST_TEST_REQUIRE(host::read_whole(from.get(), bytes, 10s).has_value());
    return bytes;
  }
  std::string desc_of(const json::object& reply) {
    BOOST_TEST_REQUIRE(reply.contains("error"));
    return reply.at("error").at("desc").as_string().c_str();
  }

  TemporaryDirectory directory;
  std::string path = directory.file("qemu-save.7");
  Peer client = connect();
};

BOOST_FIXTURE_TEST_SUITE(qmp_migration, MigrationRig)

BOOST_AUTO_TEST_CASE(xl_save_stops_the_machine_and_takes_its_state) {
  BOOST_TEST(run("xen-set-global-dirty-log", R"({"enable":true})").contains("return"));
  BOOST_TEST(run("stop").contains("return"));
  const auto reply = save_to(file().get());
  BOOST_TEST(json::serialize(reply) == R"({"return":{},"id":5})");
  BOOST_TEST((saved() == machine.state));
  BOOST_TEST(!machine.is_running);
  BOOST_TEST(!machine.saved_running);
  BOOST_TEST(run("xen-set-global-dirty-log", R"({"enable":false})").contains("return"));
  BOOST_TEST((machine.tracking == std::vector<bool>{true, false}));
}

/// xl migrate and Remus. QEMU takes a missing `live` for true (migration/savevm.c).
BOOST_AUTO_TEST_CASE(after_a_live_save_the_images_are_anothers_until_cont) {
  for (const std::string_view live : {R"("live":true,)", ""}) {
    run("stop");
    BOOST_TEST(save_to(file().get(), live).contains("return"));
    BOOST_TEST((saved() == machine.state));
    BOOST_TEST(!machine.images_here);
    run("cont");
    BOOST_TEST(machine.images_here);
  }
  BOOST_TEST(machine.hand_overs == 2);
}

BOOST_AUTO_TEST_CASE(after_any_other_save_the_images_stay) {
  run("stop");
  BOOST_TEST(save_to(file().get()).contains("return"));
  run("cont");
  BOOST_TEST(save_to(file().get(), R"("live":true,)").contains("return"));  // it goes on here
  BOOST_TEST(machine.is_running);
  run("stop");
  const host::UniqueFd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  desc_of(save_to(full.get(), R"("live":true,)"));
  BOOST_TEST(machine.hand_overs == 0);
}

BOOST_AUTO_TEST_CASE(an_image_that_stays_here_is_an_error) {
  machine.images_stay = true;
  run("stop");
  const std::string why = desc_of(save_to(file().get(), R"("live":true,)"));
  BOOST_TEST(why.find("cannot be left to another device model") != std::string::npos);
  BOOST_TEST(run("cont").contains("return"));
}

/// A flush that fails is told to the guest once. A saved guest would never hear of it.
BOOST_AUTO_TEST_CASE(a_machine_with_a_disk_that_cannot_be_flushed_is_not_saved) {
  machine.is_durable = false;
  for (const std::string_view live : {R"("live":true,)", R"("live":false,)"}) {
    run("stop");
    const std::string why = desc_of(save_to(file().get(), live));
    BOOST_TEST(why.find("could not be flushed") != std::string::npos);
    BOOST_TEST(std::filesystem::file_size(path) == 0U);
    run("cont");
  }
  BOOST_TEST(machine.hand_overs == 0);
}

BOOST_AUTO_TEST_CASE(a_second_and_shorter_state_leaves_nothing_of_the_first) {
  run("stop");
  BOOST_TEST(save_to(file().get()).contains("return"));
  run("cont");
  machine.state.assign(100, std::byte{7});
  run("stop");
  BOOST_TEST(save_to(file().get()).contains("return"));  // libxl does not empty the file
  BOOST_TEST((saved() == machine.state));
}

BOOST_AUTO_TEST_CASE(a_machine_that_runs_is_stopped_for_it_and_goes_on) {
  BOOST_TEST(save_to(file().get()).contains("return"));
  BOOST_TEST(!machine.saved_running);
  BOOST_TEST(machine.is_running);
}

BOOST_AUTO_TEST_CASE(a_pipe_takes_the_state_too) {
  std::array<int, 2> ends{};
  BOOST_TEST_REQUIRE(::pipe(ends.data()) == 0);
  const host::UniqueFd from{ends[0]};
  host::UniqueFd to{ends[1]};
  run("stop");
  BOOST_TEST(save_to(to.get()).contains("return"));
  std::vector<std::byte> bytes(machine.state.size());
  BOOST_TEST(host::read_whole(from.get(), bytes, 10s).has_value());
  BOOST_TEST((bytes == machine.state));
}

/// A stub domain's console.
BOOST_AUTO_TEST_CASE(where_a_state_goes_through_a_stream_it_has_padding_behind_it) {
  std::array<int, 2> ends{};
  BOOST_TEST_REQUIRE(::pipe(ends.data()) == 0);
  const host::UniqueFd from{ends[0]};
  const host::UniqueFd to{ends[1]};
  QmpCommands streaming;
  add_migration_commands(streaming, machine, [&](const std::string& name) -> Result<StateTarget> {
    BOOST_TEST(name == "/dev/fdset/1");
    return StateTarget{.fd = host::duplicate(to.get()), .file = false, .padding = 100};
  });
  const json::object arguments{{"filename", "/dev/fdset/1"}};
  QmpDescriptors none;
  QmpCall call{.arguments = arguments, .descriptors = none};
  BOOST_TEST(streaming.call("xen-save-devices-state", call).has_value());
  std::vector<std::byte> bytes(machine.state.size() + 100);
  BOOST_TEST(host::read_whole(from.get(), bytes, 10s).has_value());
  BOOST_TEST(std::equal(machine.state.begin(), machine.state.end(), bytes.begin()));
}

BOOST_AUTO_TEST_CASE(a_pipe_that_nobody_reads_is_an_error_and_the_guest_can_go_on) {
  std::array<int, 2> ends{};
  BOOST_TEST_REQUIRE(::pipe(ends.data()) == 0);
  const host::UniqueFd from{ends[0]};
  const host::UniqueFd to{ends[1]};
  machine.state.resize(std::size_t{1} << 20);
  run("stop");
  desc_of(save_to(to.get()));
  BOOST_TEST(run("cont").contains("return"));
  BOOST_TEST(machine.is_running);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_only_added_to_gets_no_state_behind_an_old_one) {
  run("stop");
  BOOST_TEST(save_to(file().get()).contains("return"));
  machine.state.assign(100, std::byte{7});
  BOOST_TEST(save_to(file(O_WRONLY | O_APPEND).get()).contains("return"));
  BOOST_TEST((saved() == machine.state));
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_an_error_and_the_guest_can_go_on) {
  const host::UniqueFd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  run("stop");
  BOOST_TEST(desc_of(save_to(full.get())).find("No space left") != std::string::npos);
  BOOST_TEST(run("cont").contains("return"));
  BOOST_TEST(machine.is_running);
}

/// dm_restrict=1: libxl_linux.c sets RLIMIT_FSIZE to 256 KiB.
BOOST_AUTO_TEST_CASE(a_state_beyond_the_limit_of_files_is_an_error_and_leaves_no_part_of_it) {
  ::rlimit before{};
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const ::rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  run("stop");
  const auto reply = save_to(file().get());
  BOOST_TEST(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, ignored);
  BOOST_TEST(desc_of(reply).find("File too large") != std::string::npos);
  BOOST_TEST(std::filesystem::file_size(path) == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_no_passed_descriptor_is_refused_and_stops_nothing) {
  for (const std::string name : {"/tmp/state", "", "/dev/fdset/77", "/dev/fdset/x"}) {
    desc_of(run("xen-save-devices-state", R"({"filename":")" + name + R"("})"));
  }
  desc_of(run("xen-save-devices-state"));
  desc_of(run("xen-save-devices-state", R"({"filename":7})"));
  desc_of(run("xen-save-devices-state", R"({"filename":"/dev/fdset/0","live":1})"));
  BOOST_TEST(machine.stops == 0);
}

BOOST_AUTO_TEST_CASE(a_descriptor_for_reading_is_refused) {
  static_cast<void>(file());
  desc_of(save_to(file(O_RDONLY).get()));
  BOOST_TEST(machine.stops == 0);
}

BOOST_AUTO_TEST_CASE(the_dirty_log_wants_to_know_on_or_off) {
  desc_of(run("xen-set-global-dirty-log"));
  desc_of(run("xen-set-global-dirty-log", R"({"enable":1})"));
  BOOST_TEST(machine.tracking.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
