// SPDX-License-Identifier: MIT
#include "platform/linux/disk/worker_pool.h"
#include "tests/unit/platform/linux/disk_fixture.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <thread>

using namespace dm;
using namespace dm::test;

BOOST_FIXTURE_TEST_SUITE(waiting, DiskFixture)

BOOST_AUTO_TEST_CASE(drain_waits_until_every_request_has_said_done) {
  const auto disk = open(dir.image("a.img", 4 * kMiB));
  set_faults({.write_delay = 20ms});
  std::deque<Io> many;
  for (unsigned i = 0; i < 8; ++i) {
    disk->submit(many.emplace_back(256 * 1024).as(BlockOp::write, i * 262'144, true));
  }
  BOOST_TEST(disk->in_flight() != 0U);
  BOOST_TEST(!disk->engine().empty());
  disk->drain();
  BOOST_TEST(disk->in_flight() == 0U);
  for (const Io& one : many) {
    BOOST_TEST(one.completions == 1);
  }
  run_for(loop, 20ms);  // the loop finds nothing left
  for (const Io& one : many) {
    BOOST_TEST(one.completions == 1);
  }
}

BOOST_AUTO_TEST_CASE(drain_from_inside_a_completion) {
  const auto disk = open(dir.image("a.img", 4 * kMiB));
  set_faults({.nothing_cached = true});
  Io first{4096};
  Io second{256 * 1024};
  Io third{256 * 1024};
  bool drained = false;
  first.then = [&] {
    disk->submit(third.as(BlockOp::read, kMiB));
    disk->drain();
    drained = second.done() && third.done();
  };
  disk->submit(first.as(BlockOp::read, 0));
  disk->submit(second.as(BlockOp::read, 0));
  BOOST_TEST(run_until(loop, [&] { return first.done() && second.done() && third.done(); }));
  BOOST_TEST(drained);
  // And from a completion inside submit().
  set_faults({});
  drained = false;
  Io inner{4096};
  inner.then = [&] {
    disk->drain();
    drained = true;
  };
  disk->submit(inner.as(BlockOp::read, 0));
  BOOST_TEST(drained);
}

BOOST_AUTO_TEST_CASE(drain_with_nothing_under_way_returns) {
  const auto disk = open(dir.image("a.img", kMiB));
  disk->drain();
  disk->drain();
  BOOST_TEST((disk->flush_now() == BlockStatus::ok));
}

BOOST_AUTO_TEST_CASE(one_disks_drain_leaves_the_others_alone) {
  const auto one = open(dir.image("1.img", 4 * kMiB));
  const auto other = open(dir.image("2.img", 4 * kMiB));
  set_faults({.nothing_cached = true});
  Io here{256 * 1024};
  Io there{256 * 1024};
  other->submit(there.as(BlockOp::read, 0));
  one->submit(here.as(BlockOp::read, 0));
  one->drain();
  BOOST_TEST(here.done());
  BOOST_TEST(!there.done());  // its device hears of it from the loop
  BOOST_TEST(run_until(loop, [&] { return there.done(); }));
}

BOOST_AUTO_TEST_CASE(a_disk_that_goes_finishes_its_requests_first) {
  Io io{512 * 1024};
  set_faults({.write_delay = 20ms});
  {
    const auto disk = open(dir.image("a.img", kMiB));
    disk->submit(io.as(BlockOp::write, 0, true));
  }
  BOOST_TEST(io.completions == 1);
  run_for(loop, 10ms);
  BOOST_TEST(io.completions == 1);
}

BOOST_AUTO_TEST_CASE(many_requests_at_once_all_come_back_right) {
  const auto one = open(dir.image("1.img", 4 * kMiB));
  const auto other = open(dir.image("2.img", 4 * kMiB));
  set_faults({.nothing_cached = true});
  std::deque<Io> many;
  for (unsigned i = 0; i < 300; ++i) {
    BlockBackend& disk = i % 2 == 0 ? *one : *other;
    disk.submit(many.emplace_back(4096).as(BlockOp::read, std::uint64_t{i} * 8192));
  }
  BOOST_TEST(run_until(loop, [&] {
    return std::all_of(many.begin(), many.end(), [](const Io& io) { return io.done(); });
  }));
  for (unsigned i = 0; i < 300; ++i) {
    BOOST_TEST(many[i].completions == 1);
    expect_pattern(many[i].buffer, std::uint64_t{i} * 8192);
  }
}

BOOST_AUTO_TEST_CASE(a_slow_flush_holds_up_no_read) {
  const auto disk = open(dir.image("a.img", kMiB));
  set_faults({.sync_delay = 300ms, .nothing_cached = true});
  Io sync;
  disk->submit(sync.as(BlockOp::flush, 0));
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(!sync.done());
  BOOST_TEST(run_until(loop, [&] { return sync.done(); }));
}

BOOST_AUTO_TEST_CASE(threads_come_when_needed_and_are_four_at_most) {
  set_faults({.ring_error = ENOSYS});
  auto& pool = loop.part<host::WorkerPool>();
  const auto disk = open(dir.image("a.img", 4 * kMiB));
  Io cached{4096};
  BOOST_TEST(run(*disk, cached, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(pool.threads() == 0U);
  set_faults({.write_delay = 30ms});
  std::deque<Io> many;
  for (unsigned i = 0; i < 12; ++i) {
    disk->submit(many.emplace_back(256 * 1024).as(BlockOp::write, i * 262'144, true));
  }
  BOOST_TEST(pool.threads() == 4U);
  disk->drain();
  BOOST_TEST(pool.threads() == 4U);
}

BOOST_AUTO_TEST_CASE(idle_threads_end_and_come_back) {
  set_faults({.ring_error = ENOSYS});
  auto& pool = loop.part<host::WorkerPool>();
  pool.set_idle_time(20ms);
  const auto disk = open(dir.image("a.img", kMiB));
  set_faults({.nothing_cached = true});
  Io io{4096};
  for (int round = 0; round < 6; ++round) {  // more often than there are places for threads
    BOOST_TEST(run(*disk, io, BlockOp::read, 4096) == BlockStatus::ok);
    expect_pattern(io.buffer, 4096);
    BOOST_TEST(run_until(loop, [&] { return pool.threads() == 0; }));
  }
}

BOOST_AUTO_TEST_CASE(requests_that_follow_each_other_do_not_nest_without_end) {
  const auto disk = open(dir.image("a.img", kMiB));
  struct Chain {
    BlockBackend& disk;
    Io io{512};
    int left = 10'000;
    int depth = 0;
    int deepest = 0;
    void next() {
      if (--left <= 0) {
        return;
      }
      ++depth;
      deepest = std::max(deepest, depth);
      disk.submit(io.as(BlockOp::read, 0));
      --depth;
    }
  } chain{*disk};
  chain.io.then = [&] { chain.next(); };
  disk->submit(chain.io.as(BlockOp::read, 0));
  BOOST_TEST(run_until(loop, [&] { return chain.left <= 0; }));
  BOOST_TEST(chain.deepest <= 5);
  // drain() carries on by itself.
  chain.left = 100;
  disk->submit(chain.io.as(BlockOp::read, 0));
  disk->drain();
  BOOST_TEST(chain.left <= 0);
}

BOOST_AUTO_TEST_CASE(a_request_costs_no_allocation) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{65536};
  Io sync;
  const auto all = [&] {
    set_faults({});
    disk->submit(io.as(BlockOp::read, 0));
    disk->submit(io.as(BlockOp::write, 0));
    disk->submit(sync.as(BlockOp::flush, 0));
    disk->drain();
    set_faults({.nothing_cached = true});
    disk->submit(io.as(BlockOp::read, 0));
    while (!io.done()) {
      loop.wait(10ms);
    }
  };
  all();
  const std::uint64_t before = allocations();
  for (int i = 0; i < 20; ++i) {
    all();
  }
  BOOST_TEST(allocations() == before);
}

BOOST_AUTO_TEST_CASE(writes_are_quick_or_go_to_the_engine) {
  const auto disk = open(dir.image("a.img", kMiB));
  Io io{4096};
  set_faults({.nowait_unknown = true});
  disk->submit(io.as(BlockOp::write, 0));
  BOOST_TEST(io.done());  // quick: here
  set_faults({.write_delay = 5ms, .nowait_unknown = true});
  const auto made_here = [&] {
    disk->submit(io.as(BlockOp::write, 0));
    const bool here = io.done();
    BOOST_TEST(run_until(loop, [&] { return io.done(); }));
    return here;
  };
  // The first slow one makes it look, the second is found to wait: nobody else's doing.
  BOOST_TEST(made_here());
  BOOST_TEST(made_here());
  BOOST_TEST(!made_here());  // that was slow, so this is not made here
  set_faults({.nowait_unknown = true});
  int tries = 0;
  while (!made_here() && ++tries < 20) {
    std::this_thread::sleep_for(120ms);
  }
  BOOST_TEST(tries < 20);  // and it is tried again
}

BOOST_AUTO_TEST_CASE(the_gate_closes_longer_each_time_and_forgives) {
  using host::InlineGate;
  InlineGate gate;
  InlineGate::Clock::time_point now{1h};
  const auto slow = [&](InlineGate::Waited waited) {
    gate.took(now, now + 2ms, waited);
    now += 2ms;
  };
  BOOST_TEST(gate.open(now));
  BOOST_TEST(!gate.suspicious());
  gate.took(now, now + 10us, InlineGate::Waited::unknown);
  BOOST_TEST(!gate.suspicious());
  slow(InlineGate::Waited::unknown);
  BOOST_TEST(gate.open(now));
  BOOST_TEST(gate.suspicious());
  slow(InlineGate::Waited::no);  // lost the CPU, no more
  BOOST_TEST(gate.open(now));
  auto expected = InlineGate::kShortest;
  for (int i = 0; i < 12; ++i) {
    slow(InlineGate::Waited::yes);
    BOOST_TEST(!gate.open(now));
    BOOST_TEST(!gate.open(now + expected - 1ms));
    now += expected;
    BOOST_TEST(gate.open(now));
    expected = std::min(expected * 2, InlineGate::kLongest);
  }
  now += InlineGate::kLongest;
  for (unsigned i = 0; i < InlineGate::kQuickCalls; ++i) {
    BOOST_TEST(gate.suspicious());
    gate.took(now, now + 10us, InlineGate::Waited::no);
  }
  BOOST_TEST(!gate.suspicious());
  slow(InlineGate::Waited::yes);
  BOOST_TEST(gate.open(now + InlineGate::kShortest));
}

BOOST_AUTO_TEST_CASE(an_idle_disk_wakes_nobody) {
  const auto disk = open(dir.image("a.img", kMiB));
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  run_for(loop, 20ms);
  BOOST_TEST(stays_idle(loop, 200ms));
}

BOOST_AUTO_TEST_SUITE_END()
