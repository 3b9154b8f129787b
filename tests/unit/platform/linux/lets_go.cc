// SPDX-License-Identifier: MIT
// An image is let go with its disk, and who comes next is not told that somebody has it.
#include "tests/unit/platform/linux/disk_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

using namespace dm;
using namespace dm::test;

namespace {

constexpr int kRestarts = 30;

unsigned warnings = 0;

struct LetsGoFixture : DiskFixture {
  LetsGoFixture() {
    warnings = 0;
    log::set_sink([](log::Level, std::string_view line) noexcept {
      warnings += line.find("another stubdm") != std::string_view::npos ? 1U : 0U;
    });
  }
  /// May another one lock it at this very moment? A stubdm that has it open for writing does.
  static bool is_free(const std::string& path) {
    const host::UniqueFd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x7374'7562'646d'0000;
    lock.l_len = 1;
    return ::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0;
  }
  void use(BlockBackend& disk) {
    Io io{8192};
    BOOST_TEST(run(disk, io, BlockOp::write, 0, true) == BlockStatus::ok);
    BOOST_TEST(run(disk, io, BlockOp::read, 65536) == BlockStatus::ok);
    BOOST_TEST(flush(disk) == BlockStatus::ok);
  }
};

/// A process that has the image open, has used it, and says so by a byte.
pid_t start_user(const std::string& path, int ready) {
  const pid_t child = ::fork();
  if (child == 0) {
    log::set_sink([](log::Level, std::string_view) noexcept {});
    host::Loop loop;
    DiskConfig config;
    config.path = path;
    auto disk = host::open_disk(loop, config);
    static_cast<void>((*disk)->flush_now());
    static_cast<void>(!::write(ready, "x", 1));
    for (;;) {
      ::pause();
    }
  }
  return child;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(lets_go, LetsGoFixture)

BOOST_AUTO_TEST_CASE(an_image_is_free_at_the_moment_its_disk_is_gone) {
  for (const bool direct : {false, true}) {
    DiskConfig config;
    config.path = dir.image("a.img", kMiB + (direct ? 100 : 0));
    for (int i = 0; i < kRestarts; ++i) {
      auto opened = host::open_disk(loop, config);
      if (!opened && direct) {
        std::fputs("NOT RUN: the file system below /var/tmp has no O_DIRECT\n", stderr);
        break;
      }
      BOOST_REQUIRE(opened.has_value());
      use(**opened);
      BOOST_TEST(!is_free(config.path));
      opened->reset();
      BOOST_TEST(is_free(config.path));
    }
  }
  BOOST_TEST(warnings == 0U);
}

BOOST_AUTO_TEST_CASE(who_follows_a_process_that_was_killed_is_not_warned) {
  const std::string path = dir.image("a.img", kMiB);
  std::array<int, 2> ready{};
  BOOST_REQUIRE_EQUAL(::pipe2(ready.data(), O_CLOEXEC), 0);
  const host::UniqueFd read_end{ready[0]};
  const host::UniqueFd write_end{ready[1]};
  for (int i = 0; i < kRestarts; ++i) {
    const pid_t user = start_user(path, ready[1]);
    char byte = 0;
    BOOST_REQUIRE_EQUAL(::read(ready[0], &byte, 1), 1);
    ::kill(user, SIGKILL);
    BOOST_REQUIRE_EQUAL(::waitpid(user, nullptr, 0), user);
    use(*open(path));
  }
  BOOST_TEST(warnings == 0U);
}

BOOST_AUTO_TEST_CASE(who_opens_an_image_that_is_in_use_is_warned_once) {
  const std::string path = dir.image("a.img", kMiB);
  const auto first = open(path);
  BOOST_TEST(warnings == 0U);
  const auto second = open(path);
  BOOST_TEST(warnings == 1U);
  const auto reader = open(path, true);
  BOOST_TEST(warnings == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
