// SPDX-License-Identifier: MIT
#include "tests/unit/platform/linux/disk_fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace dm;
using namespace dm::test;

BOOST_FIXTURE_TEST_SUITE(disk, DiskFixture)

BOOST_AUTO_TEST_CASE(what_the_page_cache_has_is_read_inside_submit) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{64 * 1024};
  disk->submit(io.as(BlockOp::read, 4096));
  BOOST_TEST(io.done());
  BOOST_TEST(io.status == BlockStatus::ok);
  BOOST_TEST(io.request.done_bytes == 64U * 1024);
  expect_pattern(io.buffer, 4096);
  BOOST_TEST(counters(*disk).inline_reads == 1U);
}

BOOST_AUTO_TEST_CASE(what_it_does_not_have_is_read_by_the_engine) {
  const auto disk = open(dir.image("a.img", kMiB));
  set_faults({.nothing_cached = true});
  Io io{64 * 1024};
  disk->submit(io.as(BlockOp::read, 512));
  BOOST_TEST(!io.done());
  BOOST_TEST(run_until(loop, [&] { return io.done(); }));
  BOOST_TEST(io.status == BlockStatus::ok);
  expect_pattern(io.buffer, 512);
  BOOST_TEST(calls().reads_elsewhere >= 1U);
}

BOOST_AUTO_TEST_CASE(a_read_that_the_cache_has_in_part_is_finished_by_the_engine) {
  const std::string path = dir.image("a.img", kMiB);
  const auto disk = open(path);
  // The cache's own doing: what has been dropped from it is not there at once.
  const host::UniqueFd fd{::open(path.c_str(), O_RDONLY)};
  ::fsync(fd.get());
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM);
  ::posix_fadvise(fd.get(), 64 * 1024, 64 * 1024, POSIX_FADV_DONTNEED);
  Io io{128 * 1024};
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(io.request.done_bytes == 128U * 1024);
  expect_pattern(io.buffer, 0);
}

BOOST_AUTO_TEST_CASE(a_long_read_is_done_in_pieces_and_the_loop_turns_between_them) {
  const auto disk = open(dir.image("a.img", 2 * kMiB));
  Io io{kMiB, 7000};
  disk->submit(io.as(BlockOp::read, 0));
  for (unsigned piece = 1; piece < 8; ++piece) {
    BOOST_TEST(!io.done());
    BOOST_TEST(io.request.done_bytes == piece * 131'072U);
    loop.wait(std::nullopt);  // does not sleep: there is more to do
  }
  BOOST_TEST(io.done());
  BOOST_TEST(io.status == BlockStatus::ok);
  BOOST_TEST(io.request.done_bytes == kMiB);
  expect_pattern(io.buffer, 0);
  BOOST_TEST(calls().reads == 8U);
  BOOST_TEST(calls().reads_elsewhere == 0U);
}

BOOST_AUTO_TEST_CASE(pieces_of_two_requests_take_turns) {
  const auto disk = open(dir.image("a.img", 2 * kMiB));
  Io one{kMiB};
  Io other{kMiB};
  disk->submit(one.as(BlockOp::read, 0));
  disk->submit(other.as(BlockOp::read, kMiB));
  for (int turn = 0; turn < 6; ++turn) {
    loop.wait(std::nullopt);
  }
  const auto ahead = one.request.done_bytes - other.request.done_bytes;
  BOOST_TEST(ahead <= 131'072U);
  disk->drain();  // finishes the rest without the loop
  BOOST_TEST(one.done());
  BOOST_TEST(other.done());
  expect_pattern(one.buffer, 0);
  expect_pattern(other.buffer, kMiB);
}

BOOST_AUTO_TEST_CASE(a_file_system_without_nowait_works_too) {
  const auto disk = open(dir.image("a.img", kMiB));
  set_faults({.nowait_unknown = true});
  Io io{4096};
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(run(*disk, io, BlockOp::read, 8192) == BlockStatus::ok);
    expect_pattern(io.buffer, 8192);
  }
  BOOST_TEST(calls().reads == 4U);  // asked once, then never again
  fill(io.buffer, 1);
  BOOST_TEST(run(*disk, io, BlockOp::write, 8192) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  const std::string path = dir.image("a.img", kMiB);
  const auto disk = open(path);
  for (const std::size_t size :
       {std::size_t{512}, std::size_t{4096}, std::size_t{65536}, std::size_t{524288}}) {
    for (const bool durable : {false, true}) {
      Io out{size, 1536};
      fill(out.buffer, static_cast<unsigned>(size) + (durable ? 1 : 0));
      BOOST_TEST(run(*disk, out, BlockOp::write, 512, durable) == BlockStatus::ok);
      BOOST_TEST(out.request.done_bytes == size);
      Io in{size, 1000};
      BOOST_TEST(run(*disk, in, BlockOp::read, 512) == BlockStatus::ok);
      BOOST_TEST((in.buffer == out.buffer));
    }
  }
  BOOST_TEST(contents(path).size() == kMiB);
  BOOST_TEST(contents(path)[0] == static_cast<char>(pattern(0)));
}

BOOST_AUTO_TEST_CASE(what_was_moved_is_counted_and_what_failed_apart) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{4096};
  Io inline_io{128 * 1024};
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  BOOST_TEST(run(*disk, io, BlockOp::write, 8192, true) == BlockStatus::ok);
  BOOST_TEST(run(*disk, inline_io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(run(*disk, io, BlockOp::read, kMiB) == BlockStatus::out_of_range);
  const BlockStats& stats = disk->stats();
  const auto read = static_cast<std::size_t>(BlockOp::read);
  const auto write = static_cast<std::size_t>(BlockOp::write);
  BOOST_TEST(stats.operations[write] == 2U);
  BOOST_TEST(stats.bytes[write] == 8192U);
  BOOST_TEST(stats.operations[read] == 1U);
  BOOST_TEST(stats.bytes[read] == 128U * 1024);
  BOOST_TEST(stats.failed[read] == 1U);
}

BOOST_AUTO_TEST_CASE(more_spans_than_one_call_takes) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io out{700 * 512, 512};
  fill(out.buffer, 3);
  BOOST_TEST(run(*disk, out, BlockOp::write, 1024) == BlockStatus::ok);
  Io in{700 * 512, 512};
  BOOST_TEST(run(*disk, in, BlockOp::read, 1024) == BlockStatus::ok);
  BOOST_TEST((in.buffer == out.buffer));
  Io small{256 * 16, 16};  // 256 spans, inline
  BOOST_TEST(run(*disk, small, BlockOp::read, 900'000) == BlockStatus::ok);
  expect_pattern(small.buffer, 900'000);
}

BOOST_AUTO_TEST_CASE(short_and_interrupted_calls_are_continued) {
  const auto disk = open(dir.image("a.img", kMiB));
  for (const std::size_t size : {std::size_t{10'000}, std::size_t{300'000}}) {
    set_faults({.interrupts = 3, .at_most = 777});
    Io out{size};
    fill(out.buffer, 9);
    BOOST_TEST(run(*disk, out, BlockOp::write, 4096) == BlockStatus::ok);
    set_faults({.interrupts = 3, .at_most = 1023});
    Io in{size};
    BOOST_TEST(run(*disk, in, BlockOp::read, 4096) == BlockStatus::ok);
    BOOST_TEST((in.buffer == out.buffer));
  }
}

BOOST_AUTO_TEST_CASE(past_the_end_nothing_is_done) {  // B15
  const std::string path = dir.image("a.img", kMiB);
  const std::string before = contents(path);
  const auto disk = open(path);
  Io io{1024};
  const std::uint64_t huge = ~std::uint64_t{0};
  for (const std::uint64_t at :
       {kMiB - 512, kMiB, kMiB + 512, huge, huge - 1023, huge / 2, std::uint64_t{1} << 63}) {
    for (const BlockOp op : {BlockOp::read, BlockOp::write}) {
      BOOST_TEST(run(*disk, io, op, at) == BlockStatus::out_of_range);
      BOOST_TEST(io.request.done_bytes == 0U);
    }
    io.discard(at, 1024);
    BOOST_TEST(run(*disk, io) == BlockStatus::out_of_range);
  }
  io.discard(512, huge);
  BOOST_TEST(run(*disk, io) == BlockStatus::out_of_range);
  BOOST_TEST((contents(path) == before));
  BOOST_TEST(calls().writes == 0U);
  BOOST_TEST(run(*disk, io, BlockOp::read, kMiB - 1024) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(a_request_whose_length_is_not_its_datas_is_refused) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{1024};
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{512}, std::uint64_t{2048}}) {
    io.as(BlockOp::write, 0).length = length;
    BOOST_TEST(run(*disk, io) == BlockStatus::io_error);
  }
  BOOST_TEST(calls().writes == 0U);
}

BOOST_AUTO_TEST_CASE(holes_read_as_zeros_and_can_be_written) {
  const std::string path = dir.file("sparse.img");
  { std::ofstream file{path}; }
  std::filesystem::resize_file(path, 64 * kMiB);
  const auto disk = open(path);
  Io io{8192};
  fill(io.buffer, 5);
  BOOST_TEST(run(*disk, io, BlockOp::read, 32 * kMiB) == BlockStatus::ok);
  BOOST_TEST((io.buffer == std::vector<std::byte>(8192)));
  fill(io.buffer, 5);
  const auto written = io.buffer;
  BOOST_TEST(run(*disk, io, BlockOp::write, 40 * kMiB) == BlockStatus::ok);
  BOOST_TEST(run(*disk, io, BlockOp::read, 40 * kMiB) == BlockStatus::ok);
  BOOST_TEST((io.buffer == written));
  BOOST_TEST(std::filesystem::file_size(path) == 64 * kMiB);
}

BOOST_AUTO_TEST_CASE(discard_punches_a_hole) {
  const std::string path = dir.image("a.img", kMiB);
  const auto disk = open(path);
  BOOST_REQUIRE(disk->info().can_discard);
  Io io{4096};
  io.discard(65536, 131072);
  BOOST_TEST(run(*disk, io) == BlockStatus::ok);
  BOOST_TEST(run(*disk, io, BlockOp::read, 65536) == BlockStatus::ok);
  BOOST_TEST((io.buffer == std::vector<std::byte>(4096)));
  BOOST_TEST(run(*disk, io, BlockOp::read, 65536 + 131072) == BlockStatus::ok);
  expect_pattern(io.buffer, 65536 + 131072);
  struct stat status {};
  ::stat(path.c_str(), &status);
  BOOST_TEST(static_cast<std::uint64_t>(status.st_blocks) * 512 <= kMiB - 131072 + 8192);
  BOOST_TEST(static_cast<std::uint64_t>(status.st_size) == kMiB);
  io.discard(0, 0);
  BOOST_TEST(run(*disk, io) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(a_read_only_image_is_open_read_only) {  // B31, XSA-142
  const std::string path = dir.image("ro.img", kMiB);
  const std::string before = contents(path);
  const auto disk = open(path, true);
  BOOST_TEST(disk->info().read_only);
  BOOST_TEST(!disk->info().can_discard);
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::read_only);
  BOOST_TEST(run(*disk, io, BlockOp::write, 0, true) == BlockStatus::read_only);
  io.discard(0, 4096);
  BOOST_TEST(run(*disk, io) == BlockStatus::read_only);
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST((disk->flush_now() == BlockStatus::ok));
  BOOST_TEST((contents(path) == before));
  // Not only by our own manners: the descriptor itself cannot write.
  int writable = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(entry.path(), ignored) == path) {
      const int fd = std::stoi(entry.path().filename().string());
      writable += (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? 0 : 1;
      BOOST_TEST((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
  }
  BOOST_TEST(writable == 0);
}

BOOST_AUTO_TEST_CASE(a_cd_rom_is_read_only_whatever_is_said) {
  DiskConfig config;
  config.path = dir.image("cd.iso", kMiB);
  config.cdrom = true;
  const auto disk = open(config);
  BOOST_TEST(disk->info().read_only);
}

BOOST_AUTO_TEST_CASE(a_disc_that_was_handed_over_is_only_read_and_bears_its_files_name) {
  const std::string path = dir.image("handed.iso", kMiB);
  host::UniqueFd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  auto disc = host::open_disc(loop, "/dev/fdset/0", std::move(fd), ImageFormat::raw);
  BOOST_TEST_REQUIRE(disc.has_value());
  BOOST_TEST((*disc)->info().read_only);
  BOOST_TEST((*disc)->info().size == kMiB);
  BOOST_TEST((*disc)->name() == path);
  host::UniqueFd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  BOOST_TEST(host::open_disc(loop, "/dev/fdset/0", std::move(null), ImageFormat::raw).has_error());
}

BOOST_AUTO_TEST_CASE(the_bytes_of_an_image_never_change_what_it_is) {  // B30, CVE-2008-2004
  const std::string path = dir.image("raw.img", kMiB);
  {
    const auto disk = open(path);
    Io io{512};
    const std::string header = std::string{"QFI\xfb"} + std::string(4, '\0') + "/etc/passwd";
    std::memcpy(io.buffer.data(), header.data(), header.size());
    BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  }
  const auto again = open(path);
  BOOST_TEST(again->info().size == kMiB);
  Io io{512};
  BOOST_TEST(run(*again, io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(std::memcmp(io.buffer.data(), "QFI\xfb", 4) == 0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_says_why) {
  BOOST_TEST(error_of(dir.file("none.img")).find("No such file") != std::string::npos);
  BOOST_TEST(error_of("/dev/null").find("neither a regular file nor a block device") !=
             std::string::npos);
  BOOST_TEST(error_of("/").find("neither a regular file nor a block device") != std::string::npos);
  const std::string fifo = dir.file("fifo");
  BOOST_REQUIRE_EQUAL(::mkfifo(fifo.c_str(), 0600), 0);
  BOOST_TEST(error_of(fifo).find("neither") !=
             std::string::npos);  // and it did not wait for a writer
  BOOST_TEST(error_of(dir.image("empty.img", 0)).find("empty") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_image_larger_than_this_process_may_write_is_refused_at_start) {
  const std::string path = dir.image("big.img", kMiB);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{.rlim_cur = 256 * 1024, .rlim_max = old.rlim_max};
  BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = error_of(path);
  const auto readable = open(path, true);
  ::setrlimit(RLIMIT_FSIZE, &old);
  BOOST_TEST(message.find("dm_restrict") != std::string::npos);
  BOOST_TEST(readable->info().size == kMiB);
}

BOOST_AUTO_TEST_CASE(a_write_over_the_file_size_limit_is_an_error_and_no_signal) {
  const std::string path = dir.image("limited.img", kMiB);
  const auto disk = open(path);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{.rlim_cur = 256 * 1024, .rlim_max = old.rlim_max};
  BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Io io{8192};
  fill(io.buffer, 1);
  const BlockStatus inside = run(*disk, io, BlockOp::write, 0);
  const BlockStatus across = run(*disk, io, BlockOp::write, 256 * 1024 - 4096);
  const std::uint64_t across_bytes = io.request.done_bytes;
  const BlockStatus beyond = run(*disk, io, BlockOp::write, 512 * 1024);
  const BlockStatus durable = run(*disk, io, BlockOp::write, 512 * 1024, true);
  Io large{256 * 1024};
  const BlockStatus by_thread = run(*disk, large, BlockOp::write, 512 * 1024, true);
  ::setrlimit(RLIMIT_FSIZE, &old);
  BOOST_TEST(inside == BlockStatus::ok);
  BOOST_TEST(across == BlockStatus::io_error);
  BOOST_TEST(across_bytes == 4096U);
  BOOST_TEST(beyond == BlockStatus::io_error);
  BOOST_TEST(durable == BlockStatus::io_error);
  BOOST_TEST(by_thread == BlockStatus::io_error);
  // A write that was refused is no failed flush.
  BOOST_TEST(run(*disk, io, BlockOp::write, 512 * 1024) == BlockStatus::ok);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_apart_and_may_pass) {
  const auto disk = open(dir.image("full.img", kMiB));
  for (const int error : {ENOSPC, EDQUOT}) {
    for (const bool durable : {false, true}) {
      set_faults({.write_error = error});
      Io io{4096};
      BOOST_TEST(run(*disk, io, BlockOp::write, 0, durable) == BlockStatus::no_space);
      BOOST_TEST(io.request.done_bytes == 0U);
      set_faults({});
      BOOST_TEST(run(*disk, io, BlockOp::write, 0, durable) == BlockStatus::ok);
      BOOST_TEST(flush(*disk) == BlockStatus::ok);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_image_that_was_cut_short_gives_errors) {
  const std::string path = dir.image("cut.img", kMiB);
  const auto disk = open(path);
  std::filesystem::resize_file(path, 65536);
  Io io{8192};
  BOOST_TEST(run(*disk, io, BlockOp::read, 65536 - 4096) == BlockStatus::io_error);
  BOOST_TEST(io.request.done_bytes == 4096U);
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(another_user_of_the_image_does_not_keep_us_out) {
  const std::string path = dir.image("shared.img", kMiB);
  const auto first = open(path);
  const auto second = open(path);  // a replacement, a migration on one host
  Io io{4096};
  fill(io.buffer, 2);
  BOOST_TEST(run(*first, io, BlockOp::write, 0) == BlockStatus::ok);
  Io in{4096};
  BOOST_TEST(run(*second, in, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST((in.buffer == io.buffer));
}

BOOST_AUTO_TEST_SUITE_END()
