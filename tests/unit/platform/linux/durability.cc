// SPDX-License-Identifier: MIT
#include "tests/unit/platform/linux/disk_fixture.h"

#include <algorithm>
#include <cerrno>
#include <deque>

using namespace dm;
using namespace dm::test;

BOOST_FIXTURE_TEST_SUITE(durability, DiskFixture)

BOOST_AUTO_TEST_CASE(a_flush_is_an_fdatasync_of_everything_written_before) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  reset_calls();
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(calls().syncs == 1U);
}

BOOST_AUTO_TEST_CASE(the_first_flush_syncs_whatever_an_earlier_process_left) {
  const auto disk = open(dir.image("a.img", kMiB));
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(calls().syncs == 1U);
}

BOOST_AUTO_TEST_CASE(a_flush_with_nothing_new_costs_nothing) {
  const auto disk = open(dir.image("a.img", kMiB));
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(run(*disk, io, BlockOp::write, 0, true) == BlockStatus::ok);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(calls().syncs == 1U);
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(calls().syncs == 2U);
  io.discard(0, 65536);
  BOOST_TEST(run(*disk, io) == BlockStatus::ok);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(calls().syncs == 3U);
}

BOOST_AUTO_TEST_CASE(a_write_that_ends_during_a_flush_is_not_covered_by_it) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  set_faults({.sync_delay = 100ms});
  Io sync;
  disk->submit(sync.as(BlockOp::flush, 0));
  disk->submit(io.as(BlockOp::write, 8192));
  BOOST_TEST(!io.done());  // not on the loop while the file is being synced
  BOOST_TEST(run_until(loop, [&] { return sync.done() && io.done(); }));
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(calls().syncs == 2U);
}

BOOST_AUTO_TEST_CASE(a_failed_flush_fails_for_good) {  // B33
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  set_faults({.sync_error_once = EIO});  // the kernel tells once...
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);  // ...and would say ok here
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST((disk->flush_now() == BlockStatus::io_error));
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(a_flush_that_fails_for_want_of_space_fails_for_good_too) {
  const auto disk = open(dir.image("a.img", kMiB));
  set_faults({.sync_error_once = ENOSPC});
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
}

BOOST_AUTO_TEST_CASE(flushes_side_by_side_share_the_failure) {
  const auto disk = open(dir.image("a.img", kMiB));
  set_faults({.sync_error_once = EIO, .sync_delay = 20ms});
  std::deque<Io> flushes(4);
  for (Io& one : flushes) {
    disk->submit(one.as(BlockOp::flush, 0));
  }
  BOOST_TEST(run_until(loop, [&] {
    return std::all_of(flushes.begin(), flushes.end(), [](const Io& one) { return one.done(); });
  }));
  int failed = 0;
  for (const Io& one : flushes) {
    failed += one.status == BlockStatus::io_error ? 1 : 0;
  }
  BOOST_TEST(failed == 4);
}

BOOST_AUTO_TEST_CASE(a_durable_write_is_synced_by_itself) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{4096};
  disk->submit(io.as(BlockOp::write, 0, true));
  BOOST_TEST(!io.done());  // never on the loop
  BOOST_TEST(run_until(loop, [&] { return io.done(); }));
  BOOST_TEST(io.status == BlockStatus::ok);
  BOOST_TEST(calls().writes_elsewhere == 1U);
}

BOOST_AUTO_TEST_CASE(a_durable_write_whose_sync_fails_is_a_failed_flush) {
  for (const int error : {EIO, ENOSPC}) {
    const auto disk = open(dir.image("a.img", kMiB));
    set_faults({.dsync_error = error});
    Io io{4096};
    BOOST_TEST(run(*disk, io, BlockOp::write, 0, true) == BlockStatus::io_error);
    set_faults({});
    BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  }
}

BOOST_AUTO_TEST_CASE(flush_now_waits_for_everything_and_syncs) {
  const auto disk = open(dir.image("a.img", kMiB));
  set_faults({.write_delay = 30ms});
  Io large{512 * 1024};
  disk->submit(large.as(BlockOp::write, 0, true));
  BOOST_TEST(!large.done());
  BOOST_TEST((disk->flush_now() == BlockStatus::ok));
  BOOST_TEST(large.done());
  BOOST_TEST(calls().syncs == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
