// SPDX-License-Identifier: MIT
// An image that is closed for another device model, and opened anew.
#include "platform/linux/nbd/reopenable_disk.h"

#include "tests/rig/scripted_block.h"
#include "tests/unit/platform/linux/disk_fixture.h"

#include <string>
#include <vector>

using namespace dm;
using namespace dm::test;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> lines;

struct ReopenableFixture : DiskFixture {
  ReopenableFixture() {
    lines.clear();
    log::set_sink([](log::Level, std::string_view line) noexcept { lines.emplace_back(line); });
    make(60s);
  }
  void make(std::chrono::milliseconds patience) {
    disk.reset();
    disk = std::make_unique<host::ReopenableDisk>(
        image.open(),
        host::ReopenableDisk::Ways{.check = [this]() -> Result<> {
                                     return may_reopen ? Result<>{} : Error{"no rights left"};
                                   },
                                   .open = [this]() -> Result<std::unique_ptr<BlockBackend>> {
                                     ++openings;
                                     if (openings <= failures) {
                                       return Error{"somebody has its lock"};
                                     }
                                     return image.open();
                                   }},
        patience);
  }
  BlockStatus write(std::uint64_t sector) {
    Io io{512};
    fill(io.buffer, 9);
    return run(*disk, io, BlockOp::write, sector * 512);
  }
  [[nodiscard]] bool written(std::uint64_t sector) const {
    return image.sector(sector)[1] == std::byte{16};
  }

  rig::ScriptedBlock image{kMiB};
  bool may_reopen = true;
  int openings = 0;
  int failures = 0;
  std::unique_ptr<host::ReopenableDisk> disk;
};

BOOST_FIXTURE_TEST_SUITE(reopenable_disk, ReopenableFixture)

BOOST_AUTO_TEST_CASE(what_was_written_is_durable_and_the_image_closed) {
  BOOST_TEST(write(5) == BlockStatus::ok);
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  BOOST_TEST(!image.is_open());
  image.power_cut();
  BOOST_TEST(written(5));
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);  // again: nothing
  BOOST_TEST(disk->flush_now() == BlockStatus::ok);
  BOOST_TEST(openings == 0);
}

BOOST_AUTO_TEST_CASE(it_goes_on_as_before_when_it_is_back) {
  BOOST_TEST(write(5) == BlockStatus::ok);
  BOOST_TEST(disk->take_back());  // nobody has it
  BOOST_TEST(openings == 0);
  for (int round = 0; round < 20; ++round) {
    BOOST_TEST(disk->hand_over() == BlockStatus::ok);
    BOOST_TEST(disk->take_back());
  }
  BOOST_TEST(openings == 20);
  BOOST_TEST(write(6) == BlockStatus::ok);
  BOOST_TEST(disk->stats().operations[1] == 2U);
  BOOST_TEST(disk->info().size == kMiB);
  BOOST_TEST(disk->name() == "scripted");
  BOOST_TEST(disk->engine() == "memory");
}

BOOST_AUTO_TEST_CASE(a_request_meanwhile_fails_and_nothing_is_written) {
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  BOOST_TEST(write(5) == BlockStatus::io_error);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST(disk->in_flight() == 0U);
  BOOST_TEST(disk->take_back());
  BOOST_TEST(!written(5));
  BOOST_TEST(write(5) == BlockStatus::ok);
}

/// The other device model was killed a moment ago: its server still ends.
BOOST_AUTO_TEST_CASE(a_lock_that_goes_a_moment_later_is_waited_for) {
  failures = 2;
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  BOOST_TEST(disk->take_back());
  BOOST_TEST(openings == 3);
  BOOST_TEST(write(5) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_had_again_is_one_line_and_errors_for_good) {
  make(100ms);
  failures = 1000;
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  lines.clear();
  BOOST_TEST(!disk->take_back());
  BOOST_TEST_REQUIRE(lines.size() == 1U);
  BOOST_TEST(lines[0].find("every request fails from here on") != std::string::npos);
  BOOST_TEST(lines[0].find("somebody has its lock") != std::string::npos);
  failures = 0;
  const int tried = openings;
  BOOST_TEST(!disk->take_back());
  BOOST_TEST(openings == tried);
  BOOST_TEST(write(5) == BlockStatus::io_error);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST(disk->flush_now() == BlockStatus::io_error);
  BOOST_TEST(disk->hand_over() == BlockStatus::io_error);
}

BOOST_AUTO_TEST_CASE(an_image_of_another_size_is_another_image) {
  make(100ms);
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  image.info.size = 2 * kMiB;
  BOOST_TEST(!disk->take_back());
  BOOST_TEST(!image.is_open());
  BOOST_TEST(write(5) == BlockStatus::io_error);
}

/// With dm_restrict=1 the process could not start a server any more.
BOOST_AUTO_TEST_CASE(what_could_not_be_had_again_is_not_given_away) {
  may_reopen = false;
  lines.clear();
  BOOST_TEST(disk->hand_over() == BlockStatus::io_error);
  BOOST_TEST(image.is_open());
  BOOST_TEST_REQUIRE(lines.size() == 1U);
  BOOST_TEST(lines[0].find("no rights left") != std::string::npos);
  BOOST_TEST(write(5) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_flushed_is_not_given_away) {
  BOOST_TEST(write(5) == BlockStatus::ok);
  image.fail_flushes();
  BOOST_TEST(disk->hand_over() == BlockStatus::io_error);
  BOOST_TEST(image.is_open());
}

BOOST_AUTO_TEST_CASE(requests_under_way_finish_first) {
  image.hold();
  Io io{512};
  disk->submit(io.as(BlockOp::write, 512));
  BOOST_TEST(!io.done());
  BOOST_TEST(disk->in_flight() == 1U);
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  BOOST_TEST(io.done());
  BOOST_TEST(io.status == BlockStatus::ok);
  BOOST_TEST(image.abandoned == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
