// SPDX-License-Identifier: MIT
// What is the ring's own. What every engine does is in disk.cc, durability.cc and waiting.cc, which
// are run over both.
#include "tests/unit/platform/linux/disk_fixture.h"
#include "tests/unit/platform/linux/uring_faults.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <string>

using namespace dm;
using namespace dm::test;

namespace {

std::string logged;

struct RingFixture : DiskFixture {
  RingFixture() {
    logged.clear();
    log::set_sink([](log::Level, std::string_view line) noexcept { logged.append(line) += '\n'; });
  }
  /// False, and said so, where this kernel has no rings.
  bool open_on_ring() {
    disk = open(dir.image("a.img", 4 * kMiB));
    if (newest_ring() == nullptr) {
      BOOST_TEST_MESSAGE("NOT RUN: no io_uring here: " << logged);
      std::fputs("NOT RUN: io_uring is not there, or not allowed\n", stderr);
    }
    return newest_ring() != nullptr;
  }
  /// What the ring answers to an entry that the engine would never make.
  int answer_to(const std::function<void(io_uring_sqe*)>& make) {
    io_uring& ring = *newest_ring();
    make(::io_uring_get_sqe(&ring));
    BOOST_TEST(::io_uring_submit_and_wait(&ring, 1) == 1);
    io_uring_cqe* entry = nullptr;
    BOOST_REQUIRE_EQUAL(::io_uring_peek_cqe(&ring, &entry), 0);
    const int result = entry->res;
    ::io_uring_cqe_seen(&ring, entry);
    return result;
  }
  bool all_done(const std::deque<Io>& many) {
    return run_until(loop, [&] {
      return std::all_of(many.begin(), many.end(), [](const Io& io) { return io.done(); });
    });
  }

  std::unique_ptr<BlockBackend> disk;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(uring, RingFixture)

BOOST_AUTO_TEST_CASE(a_kernel_with_rings_gets_one_for_each_disk_and_the_log_says_so) {
  if (!open_on_ring()) {
    return;
  }
  BOOST_TEST(logged.find("what would block goes to io_uring") != std::string::npos);
  set_faults({.nothing_cached = true});
  Io io{65536};
  BOOST_TEST(run(*disk, io, BlockOp::read, 4096) == BlockStatus::ok);
  expect_pattern(io.buffer, 4096);
}

BOOST_AUTO_TEST_CASE(without_rings_threads_serve_and_the_log_says_why) {
  const std::array<Faults, 4> kernels{{{.ring_error = ENOSYS},
                                       {.ring_error = EPERM},
                                       {.ring_error = ENOMEM},
                                       {.restrict_error = EINVAL}}};
  for (const Faults& faults : kernels) {
    logged.clear();
    set_faults(faults);
    disk = open(dir.image("a.img", kMiB));
    BOOST_TEST(logged.find("what would block goes to threads (io_uring: ") != std::string::npos);
    set_faults({.nothing_cached = true});
    Io io{4096};
    BOOST_TEST(run(*disk, io, BlockOp::read, 8192) == BlockStatus::ok);
    expect_pattern(io.buffer, 8192);
    fill(io.buffer, 3);
    BOOST_TEST(run(*disk, io, BlockOp::write, 0, true) == BlockStatus::ok);
    BOOST_TEST(flush(*disk) == BlockStatus::ok);
  }
}

BOOST_AUTO_TEST_CASE(the_ring_takes_its_operations_on_its_file_and_nothing_else) {
  if (!open_on_ring()) {
    return;
  }
  std::array<char, 16> bytes{};
  const auto fixed = [](io_uring_sqe* entry) { ::io_uring_sqe_set_flags(entry, IOSQE_FIXED_FILE); };
  // The test can reach the ring.
  BOOST_TEST(answer_to([&](io_uring_sqe* entry) {
               ::io_uring_prep_fsync(entry, 0, IORING_FSYNC_DATASYNC);
               fixed(entry);
             }) == 0);
  BOOST_TEST(answer_to([&](io_uring_sqe* entry) {
               ::io_uring_prep_nop(entry);
               fixed(entry);
             }) == -EACCES);
  BOOST_TEST(answer_to([&](io_uring_sqe* entry) {
               ::io_uring_prep_openat(entry, AT_FDCWD, "/etc/passwd", 0, 0);
             }) == -EACCES);
  BOOST_TEST(answer_to([&](io_uring_sqe* entry) {
               ::io_uring_prep_read(entry, 0, bytes.data(), bytes.size(), 0);
               fixed(entry);
             }) == -EACCES);
  iovec vector{bytes.data(), bytes.size()};
  BOOST_TEST(answer_to([&](io_uring_sqe* entry) {
               ::io_uring_prep_readv(entry, 0, &vector, 1, 0);  // standard input, not the image
             }) == -EACCES);
  BOOST_TEST(answer_to([&](io_uring_sqe* entry) {
               ::io_uring_prep_readv(entry, 1, &vector, 1, 0);
               fixed(entry);
             }) == -EBADF);
  const int other = 0;
  BOOST_TEST(::io_uring_register_files_update(newest_ring(), 0, &other, 1) == -EACCES);
  BOOST_TEST(::io_uring_register_files(newest_ring(), &other, 1) == -EACCES);
  BOOST_TEST(::io_uring_unregister_eventfd(newest_ring()) == -EACCES);
}

BOOST_AUTO_TEST_CASE(more_requests_than_the_ring_holds_come_back_right_in_any_order) {
  for (const bool newest_first : {false, true}) {
    if (!open_on_ring()) {
      return;
    }
    set_faults({.nothing_cached = true, .newest_first = newest_first});
    std::deque<Io> many;
    for (unsigned i = 0; i < 200; ++i) {
      disk->submit(many.emplace_back(4096).as(BlockOp::read, std::uint64_t{i} * 4096));
    }
    BOOST_TEST(all_done(many));
    for (unsigned i = 0; i < 200; ++i) {
      BOOST_TEST(many[i].completions == 1);
      expect_pattern(many[i].buffer, std::uint64_t{i} * 4096);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_submission_that_the_kernel_has_no_memory_for_goes_to_threads) {
  if (!open_on_ring()) {
    return;
  }
  for (const bool by_drain : {false, true}) {
    set_faults({.nothing_cached = true, .submits_refused = 3});
    std::deque<Io> many;
    for (unsigned i = 0; i < 70; ++i) {
      disk->submit(many.emplace_back(4096).as(BlockOp::read, std::uint64_t{i} * 8192));
    }
    if (by_drain) {
      disk->drain();
    }
    BOOST_TEST(all_done(many));
    for (unsigned i = 0; i < 70; ++i) {
      BOOST_TEST(many[i].status == BlockStatus::ok);
      expect_pattern(many[i].buffer, std::uint64_t{i} * 8192);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_ring_that_takes_nothing_any_more_holds_nobody_up) {
  if (!open_on_ring()) {
    return;
  }
  for (const bool by_drain : {false, true}) {
    set_faults({.nothing_cached = true, .submits_refused = 1 << 30});
    std::deque<Io> many;
    for (unsigned i = 0; i < 20; ++i) {
      const std::uint64_t at = std::uint64_t{i} * 16384;
      disk->submit(many.emplace_back(4096).as(BlockOp::read, at));
      Io& out = many.emplace_back(4096);
      std::ranges::fill(out.buffer, std::byte{static_cast<std::uint8_t>(i)});
      disk->submit(out.as(BlockOp::write, at + 4096, true));
      disk->submit(many.emplace_back(0).as(BlockOp::flush, 0));
      disk->submit(many.emplace_back(0).discard(at + 8192, 4096));
    }
    if (by_drain) {
      disk->drain();
      BOOST_TEST(disk->in_flight() == 0U);
    }
    BOOST_TEST(all_done(many));
    BOOST_TEST((disk->flush_now() == BlockStatus::ok));
    set_faults({.nothing_cached = true});
    for (unsigned i = 0; i < 20; ++i) {
      for (unsigned k = 0; k < 4; ++k) {
        BOOST_TEST(many[4 * i + k].completions == 1);
        BOOST_TEST(many[4 * i + k].status == BlockStatus::ok);
      }
      expect_pattern(many[4 * i].buffer, std::uint64_t{i} * 16384);
      Io back{4096};
      BOOST_TEST(run(*disk, back, BlockOp::read, std::uint64_t{i} * 16384 + 4096) ==
                 BlockStatus::ok);
      BOOST_TEST((back.buffer == many[4 * i + 1].buffer));
    }
    BOOST_TEST(flush(*disk) == BlockStatus::ok);
  }
}

BOOST_AUTO_TEST_CASE(a_failed_sync_is_not_forgotten_on_the_way_to_the_threads) {
  if (!open_on_ring()) {
    return;
  }
  set_faults({.dsync_error = ENOSPC, .nothing_cached = true});
  Io io{4096};
  disk->submit(io.as(BlockOp::write, 0, true));
  set_faults({.nothing_cached = true, .submits_refused = 1});
  disk->drain();
  BOOST_TEST(io.completions == 1);
  BOOST_TEST(io.status == BlockStatus::io_error);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_an_error_fails_its_request_alone) {
  if (!open_on_ring()) {
    return;
  }
  Io io{4096};
  // EAGAIN is tried again, but not for ever.
  for (const int error : {EIO, EINVAL, EAGAIN, EINTR}) {
    set_faults({.nothing_cached = true, .answer = error});
    BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::io_error);
    BOOST_TEST(io.request.done_bytes == 0U);
    set_faults({.nothing_cached = true});
    BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
    expect_pattern(io.buffer, 0);
  }
  BOOST_TEST(flush(*disk) == BlockStatus::ok);  // no write failed
}

BOOST_AUTO_TEST_CASE(nothing_lands_after_a_drain) {
  if (!open_on_ring()) {
    return;
  }
  set_faults({.write_delay = 20ms, .nothing_cached = true});
  Io in{256 * 1024};
  Io out{256 * 1024};
  fill(out.buffer, 6);
  disk->submit(in.as(BlockOp::read, 0));
  disk->submit(out.as(BlockOp::write, kMiB, true));
  disk->drain();
  BOOST_TEST(in.done());
  BOOST_TEST(out.done());
  std::fill(in.buffer.begin(), in.buffer.end(), std::byte{0x5a});
  run_for(loop, 50ms);
  BOOST_TEST(in.completions == 1);
  BOOST_TEST(std::all_of(in.buffer.begin(), in.buffer.end(),
                         [](std::byte b) { return b == std::byte{0x5a}; }));
}

BOOST_AUTO_TEST_SUITE_END()
