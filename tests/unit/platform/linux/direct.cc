// SPDX-License-Identifier: MIT
// Past the page cache, through buffers of our own.
#include "platform/linux/disk/direct_disk.h"
#include "tests/unit/platform/linux/disk_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <random>
#include <string>

using namespace dm;
using namespace dm::test;

namespace {

struct DirectFixture : DiskFixture {
  /// False, and said so, where the file system of the tests has no O_DIRECT.
  bool there(const std::string& path) {
    const host::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC)};
    if (!fd) {
      std::fputs("NOT RUN: the file system below /var/tmp has no O_DIRECT\n", stderr);
    }
    return static_cast<bool>(fd);
  }
  std::unique_ptr<BlockBackend> open_direct(const std::string& path, bool read_only = false) {
    DiskConfig config;
    config.path = path;
    config.direct = true;
    config.read_only = read_only;
    return open(config);
  }
  /// On a medium whose blocks are as large as this.
  std::unique_ptr<BlockBackend> open_with_block(const std::string& path, std::uint32_t block) {
    host::UniqueFd fd{::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC)};
    BlockInfo info;
    info.size = contents(path).size();
    info.can_discard = true;
    auto file = std::make_unique<host::FileDisk>(loop, std::move(fd), false, info, path,
                                                 host::FileDisk::Inline::no);
    return std::make_unique<host::DirectDisk>(loop, std::move(file), block);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(direct, DirectFixture)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back_and_on_the_medium) {
  const std::string path = dir.image("a.img", kMiB);
  if (!there(path)) {
    return;
  }
  const auto disk = open_direct(path);
  BOOST_TEST(disk->info().size == kMiB);
  for (const std::size_t size : {std::size_t{512}, std::size_t{4096}, std::size_t{131072},
                                 std::size_t{131072 + 512}, std::size_t{700 * 512}}) {
    for (const bool durable : {false, true}) {
      Io out{size, 1536};
      fill(out.buffer, static_cast<unsigned>(size) + (durable ? 1 : 0));
      disk->submit(out.as(BlockOp::write, 512, durable));
      BOOST_TEST(!out.done());  // never on the loop
      BOOST_TEST(disk->in_flight() == 1U);
      BOOST_TEST(run_until(loop, [&] { return out.done(); }));
      BOOST_TEST(out.status == BlockStatus::ok);
      BOOST_TEST(out.request.done_bytes == size);
      Io in{size, 1000};
      BOOST_TEST(run(*disk, in, BlockOp::read, 512) == BlockStatus::ok);
      BOOST_TEST((in.buffer == out.buffer));
      const std::string file = contents(path);
      BOOST_TEST(std::equal(out.buffer.begin(), out.buffer.end(),
                            std::as_bytes(std::span{file}).begin() + 512));
    }
  }
  BOOST_TEST((disk->flush_now() == BlockStatus::ok));
}

BOOST_AUTO_TEST_CASE(on_larger_blocks_edges_are_kept_whatever_the_cut) {
  const std::string path = dir.image("a.img", kMiB);
  if (!there(path)) {
    return;
  }
  const auto disk = open_with_block(path, 4096);
  std::string expected = contents(path);
  std::mt19937 random{1};
  for (int round = 0; round < 40; ++round) {
    const std::size_t sectors = 1 + random() % 600;
    const std::size_t at = random() % (2048 - sectors) * 512;
    Io out{sectors * 512, 512 + random() % 5000};
    fill(out.buffer, static_cast<unsigned>(round));
    BOOST_TEST(run(*disk, out, BlockOp::write, at, round % 3 == 0) == BlockStatus::ok);
    BOOST_TEST(out.request.done_bytes == sectors * 512);
    std::transform(out.buffer.begin(), out.buffer.end(),
                   expected.begin() + static_cast<std::ptrdiff_t>(at),
                   [](std::byte b) { return static_cast<char>(b); });
    Io in{sectors * 512, 512 + random() % 5000};
    BOOST_TEST(run(*disk, in, BlockOp::read, at) == BlockStatus::ok);
    BOOST_TEST((in.buffer == out.buffer));
  }
  BOOST_TEST((contents(path) == expected));
}

BOOST_AUTO_TEST_CASE(writes_side_by_side_within_one_block_lose_nothing) {
  const std::string path = dir.image("a.img", kMiB);
  if (!there(path)) {
    return;
  }
  const auto disk = open_with_block(path, 4096);
  std::deque<Io> many;
  for (unsigned i = 0; i < 64; ++i) {
    Io& io = many.emplace_back(512);
    std::fill(io.buffer.begin(), io.buffer.end(), static_cast<std::byte>(i + 1));
    disk->submit(io.as(BlockOp::write, std::uint64_t{i} * 512));
  }
  Io sync;
  disk->submit(sync.as(BlockOp::flush, 0));
  disk->drain();
  BOOST_TEST(sync.done());
  const std::string file = contents(path);
  for (unsigned i = 0; i < 64; ++i) {
    BOOST_TEST(many[i].completions == 1);
    BOOST_TEST(file[i * 512] == static_cast<char>(i + 1));
    BOOST_TEST(file[i * 512 + 511] == static_cast<char>(i + 1));
  }
  BOOST_TEST(file[64 * 512] == static_cast<char>(pattern(64 * 512)));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_done_is_refused_by_the_loop_and_nothing_is_done) {
  const std::string path = dir.image("a.img", kMiB);
  if (!there(path)) {
    return;
  }
  {
    const auto disk = open_direct(path);
    Io io{1024};
    for (const std::uint64_t at : {kMiB - 512, kMiB, ~std::uint64_t{0}, ~std::uint64_t{0} - 1023}) {
      for (const BlockOp op : {BlockOp::read, BlockOp::write}) {
        disk->submit(io.as(op, at));
        BOOST_TEST(!io.done());
        BOOST_TEST(run_until(loop, [&] { return io.done(); }));
        BOOST_TEST(io.status == BlockStatus::out_of_range);
      }
    }
    io.as(BlockOp::write, 0).length = 2048;
    BOOST_TEST(run(*disk, io) == BlockStatus::io_error);
  }
  const auto disk = open_direct(path, true);
  Io io{1024};
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::read_only);
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
  expect_pattern(io.buffer, 0);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(failures_are_those_of_the_piece_and_flushes_fail_for_good) {
  const std::string path = dir.image("a.img", kMiB);
  if (!there(path)) {
    return;
  }
  const auto disk = open_direct(path);
  Io io{300 * 1024};
  set_faults({.write_error = ENOSPC});
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::no_space);
  BOOST_TEST(io.request.done_bytes == 0U);
  set_faults({.interrupts = 2, .at_most = 4096});
  fill(io.buffer, 3);
  const auto written = io.buffer;
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST((io.buffer == written));
  set_faults({.sync_error_once = EIO});  // B33
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST((disk->flush_now() == BlockStatus::io_error));
}

BOOST_AUTO_TEST_CASE(an_image_that_was_cut_short_gives_errors_and_what_is_left) {
  const std::string path = dir.image("a.img", kMiB);
  if (!there(path)) {
    return;
  }
  const auto disk = open_direct(path);
  BOOST_REQUIRE_EQUAL(::truncate(path.c_str(), 200 * 1024), 0);
  Io io{512 * 1024};
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::io_error);
  BOOST_TEST(io.request.done_bytes == 200U * 1024);
  expect_pattern(std::span{io.buffer}.first(200 * 1024), 0);
}

BOOST_AUTO_TEST_CASE(discards_are_rounded_inward_to_whole_blocks) {
  const std::string path = dir.image("a.img", kMiB);
  if (!there(path)) {
    return;
  }
  const auto disk = open_with_block(path, 4096);
  Io io{512};
  io.discard(4096 + 512, 8192);
  BOOST_TEST(run(*disk, io) == BlockStatus::ok);
  io.discard(512, 1024);
  BOOST_TEST(run(*disk, io) == BlockStatus::ok);
  const std::string file = contents(path);
  for (const std::size_t at : {std::size_t{512}, std::size_t{8191}, std::size_t{12288}}) {
    BOOST_TEST(file[at] == static_cast<char>(pattern(at)));
  }
  BOOST_TEST(std::all_of(file.begin() + 8192, file.begin() + 12288, [](char c) { return c == 0; }));
}

BOOST_AUTO_TEST_CASE(more_requests_than_there_are_buffers_take_turns_and_nothing_is_allocated) {
  const std::string path = dir.image("a.img", 2 * kMiB);
  if (!there(path)) {
    return;
  }
  const auto disk = open_direct(path);
  std::deque<Io> many;
  for (unsigned i = 0; i < 40; ++i) {
    many.emplace_back(32768).as(BlockOp::read, std::uint64_t{i} * 32768);
  }
  const auto all = [&] {
    for (Io& io : many) {
      io.completions = 0;
      disk->submit(io.request);
    }
    disk->drain();
  };
  all();
  const std::uint64_t before = allocations();
  all();
  BOOST_TEST(allocations() == before);
  for (unsigned i = 0; i < 40; ++i) {
    BOOST_TEST(many[i].completions == 1);
    expect_pattern(many[i].buffer, std::uint64_t{i} * 32768);
  }
  run_for(loop, 20ms);
  BOOST_TEST(stays_idle(loop, 50ms));
}

BOOST_AUTO_TEST_CASE(requests_that_follow_each_other_end_with_a_drain) {
  const std::string path = dir.image("a.img", kMiB);
  if (!there(path)) {
    return;
  }
  const auto disk = open_direct(path);
  Io io{512};
  Io sync;
  int left = 50;
  sync.then = [&] {
    if (--left > 0) {
      disk->submit(left % 2 != 0 ? sync.request : io.request);
    }
  };
  io.then = sync.then;
  io.as(BlockOp::write, 0);
  disk->submit(sync.as(BlockOp::flush, 0));
  disk->drain();
  BOOST_TEST(left == 0);
}

BOOST_AUTO_TEST_SUITE_END()
