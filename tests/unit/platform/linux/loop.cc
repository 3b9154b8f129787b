// SPDX-License-Identifier: MIT
#include "platform/linux/loop/loop.h"

#include "core/time/work.h"
#include "platform/linux/loop/alarm.h"
#include "platform/linux/loop/host_clock.h"
#include "platform/linux/loop/watch.h"
#include "tests/unit/platform/linux/support.h"
#include "tests/unit/platform/linux/watched_pair.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

using namespace dm;
using namespace dm::test;

namespace {

using Steady = std::chrono::steady_clock;

struct Repeat {
  boost::asio::io_context& context;
  int* runs;
  void operator()() const {
    ++*runs;
    boost::asio::post(context, *this);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(loop)

BOOST_AUTO_TEST_CASE(posted_work_runs_instead_of_sleeping) {
  host::Loop loop;
  bool ran = false;
  boost::asio::post(loop.context(), [&] { ran = true; });
  loop.wait(std::nullopt);  // would sleep for ever
  BOOST_TEST(ran);
  BOOST_TEST(loop.counters().sleeps == 0U);
}

BOOST_AUTO_TEST_CASE(work_posted_by_a_handler_runs_without_a_sleep) {
  host::Loop loop;
  bool ran = false;
  boost::asio::post(loop.context(),
                    [&] { boost::asio::post(loop.context(), [&] { ran = true; }); });
  BOOST_TEST(run_until(loop, [&] { return ran; }));
  BOOST_TEST(loop.counters().sleeps == 0U);
}

BOOST_AUTO_TEST_CASE(a_timer_of_asio_wakes_the_loop) {
  host::Loop loop;
  bool fired = false;
  boost::asio::steady_timer timer{loop.context(), 20ms};
  timer.async_wait([&](const boost::system::error_code&) { fired = true; });
  const auto start = Steady::now();
  for (int sleeps = 0; !fired && sleeps < 5; ++sleeps) {
    loop.wait(60s);
  }
  BOOST_TEST(fired);
  const bool in_time = Steady::now() - start >= 20ms && Steady::now() - start < 60s;
  BOOST_TEST(in_time);
  BOOST_TEST(loop.counters().wakeups >= 1U);
}

BOOST_AUTO_TEST_CASE(a_hot_descriptor_is_told_and_never_read) {
  host::Loop loop;
  const host::UniqueFd event{::eventfd(0, EFD_NONBLOCK)};
  loop.add(event.get());
  BOOST_TEST(!loop.wait(0ns));
  const std::uint64_t one = 1;
  BOOST_REQUIRE_EQUAL(::write(event.get(), &one, sizeof one), 8);
  BOOST_TEST(loop.wait(5s));
  BOOST_TEST(loop.wait(5s));  // level-triggered
  std::uint64_t value = 0;
  BOOST_REQUIRE_EQUAL(::read(event.get(), &value, sizeof value), 8);
  BOOST_TEST(!loop.wait(0ns));
  BOOST_TEST(loop.counters().handlers == 0U);
  BOOST_REQUIRE_EQUAL(::write(event.get(), &one, sizeof one), 8);
  loop.remove(event.get());
  BOOST_TEST(!loop.wait(0ns));
}

BOOST_AUTO_TEST_CASE(a_short_timeout_is_not_rounded_to_milliseconds) {
  host::Loop loop;
  const auto start = Steady::now();
  loop.wait(200us);
  BOOST_TEST((Steady::now() - start >= 200us));
  BOOST_TEST(calls().last_sleep.count() == 200'000);  // what the kernel was asked for
}

BOOST_AUTO_TEST_CASE(a_kernel_without_epoll_pwait2_will_do) {
  set_faults({.no_pwait2 = true});
  host::Loop loop;
  const host::UniqueFd event{::eventfd(0, EFD_NONBLOCK)};
  loop.add(event.get());
  const auto start = Steady::now();
  BOOST_TEST(!loop.wait(1500us));
  BOOST_TEST((Steady::now() - start >= 1500us));  // rounded up, not down
  loop.wait(-1s);
  loop.wait(0ns);
  const std::uint64_t one = 1;
  BOOST_REQUIRE_EQUAL(::write(event.get(), &one, sizeof one), 8);
  BOOST_TEST(loop.wait(std::nullopt));
  BOOST_TEST(loop.wait(1'000'000h));  // more milliseconds than an int holds
  BOOST_TEST((Steady::now() - start < 5s));
  set_faults({});
}

BOOST_AUTO_TEST_CASE(a_negative_timeout_does_not_sleep) {
  host::Loop loop;
  const auto start = Steady::now();
  loop.wait(-1h);
  BOOST_TEST((Steady::now() - start < 60s));
}

BOOST_AUTO_TEST_CASE(an_idle_loop_has_no_wake_up) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  host::Watch watch{loop, std::move(pair.near), readable.callback()};
  watch.await_readable();
  Counter fired;
  host::Alarm alarm{loop, fired.callback()};
  alarm.arm(1ms);
  pair.send();
  BOOST_TEST(run_until(loop, [&] { return readable.calls == 1 && fired.calls == 1; }));
  char byte = 0;
  BOOST_REQUIRE_EQUAL(::read(watch.fd(), &byte, 1), 1);
  watch.await_readable();
  alarm.arm(1h);
  alarm.cancel();
  loop.wait(0ns);
  const auto before = loop.counters();
  loop.wait(300ms);
  BOOST_TEST(loop.counters().sleeps == before.sleeps + 1);
  BOOST_TEST(loop.counters().wakeups == before.wakeups);
}

BOOST_AUTO_TEST_CASE(a_part_is_made_once_and_goes_with_its_loop) {
  static int living = 0;
  struct First final : host::Loop::Part {
    explicit First(host::Loop& /*loop*/) { ++living; }
    ~First() override { --living; }
  };
  struct Second final : host::Loop::Part {
    explicit Second(host::Loop& /*loop*/) {}
  };
  {
    host::Loop loop;
    First& first = loop.part<First>();
    const void* const second = &loop.part<Second>();
    BOOST_TEST(&loop.part<First>() == &first);
    BOOST_TEST(static_cast<const void*>(&first) != second);
    BOOST_TEST(living == 1);
    host::Loop other;
    BOOST_TEST(&other.part<First>() != &first);
  }
  BOOST_TEST(living == 0);
}

BOOST_AUTO_TEST_CASE(a_prepared_alarm_needs_no_descriptor_later) {
  host::Loop loop;
  Counter fired;
  host::Alarm prepared{loop, fired.callback()};
  BOOST_REQUIRE(prepared.prepare());
  host::Alarm other{loop, fired.callback()};
  rlimit old{};
  BOOST_REQUIRE_EQUAL(::getrlimit(RLIMIT_NOFILE, &old), 0);
  rlimit none = old;
  none.rlim_cur = 0;
  BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool armed = prepared.arm(1ms);
  const bool other_armed = other.arm(1ms);
  BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_NOFILE, &old), 0);
  BOOST_TEST(armed);
  BOOST_TEST(!other_armed);
  BOOST_TEST(run_until(loop, [&] { return fired.calls == 1; }));
}

BOOST_AUTO_TEST_CASE(one_event_of_asio_is_one_wake_up) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  host::Watch watch{loop, std::move(pair.near), readable.callback()};
  watch.await_readable();
  loop.wait(0ns);
  const auto before = loop.counters();
  pair.send();
  loop.wait(5s);
  BOOST_TEST(readable.calls == 1);
  loop.wait(50ms);
  BOOST_TEST(loop.counters().wakeups == before.wakeups + 1);
}

BOOST_AUTO_TEST_CASE(handlers_that_never_end_do_not_hold_the_loop) {
  host::Loop loop;
  const host::UniqueFd event{::eventfd(1, EFD_NONBLOCK)};
  loop.add(event.get());
  int runs = 0;
  boost::asio::post(loop.context(), Repeat{loop.context(), &runs});
  for (int turn = 0; turn < 10; ++turn) {
    loop.wait(std::nullopt);
  }
  BOOST_TEST(loop.poll());  // there is more
  BOOST_TEST(runs >= 10);
  BOOST_TEST(runs <= 11 * 16);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_turn_comes_before_sleep) {
  host::Loop loop;
  struct Buffered {
    int runs = 0;
    bool run() noexcept {
      ++runs;
      return false;
    }
  } buffered;
  auto work = Work::bind<&Buffered::run>(loop.turn_queue(), buffered);
  work.schedule();
  loop.wait(0ns);
  BOOST_TEST(buffered.runs == 1);
  work.schedule();
  loop.poll();
  BOOST_TEST(buffered.runs == 2);
  work.schedule();
  loop.end_turn();
  BOOST_TEST(buffered.runs == 3);
}

BOOST_AUTO_TEST_CASE(after_the_end_of_a_turn_the_caller_looks_again_before_it_sleeps) {
  host::Loop loop;
  struct Once {
    bool run() noexcept { return false; }
  } once;
  auto work = Work::bind<&Once::run>(loop.turn_queue(), once);
  work.schedule();
  BOOST_TEST(!loop.wait(std::nullopt));  // would sleep for ever
  BOOST_TEST(loop.counters().sleeps == 0U);
}

BOOST_AUTO_TEST_CASE(turn_work_that_always_wants_more_does_not_hold_the_loop) {
  host::Loop loop;
  struct Greedy {
    int runs = 0;
    bool run() noexcept {
      ++runs;
      return true;
    }
  } greedy;
  auto work = Work::bind<&Greedy::run>(loop.turn_queue(), greedy);
  work.schedule();
  bool posted = false;
  boost::asio::post(loop.context(), [&] { posted = true; });
  for (int turn = 1; turn <= 10; ++turn) {
    loop.wait(std::nullopt);
    BOOST_TEST(greedy.runs == turn);
  }
  BOOST_TEST(posted);  // nor its handlers
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(guest_clock)

BOOST_AUTO_TEST_CASE(guest_time_starts_where_it_is_told_and_runs) {
  const host::HostClock clock{GuestTime{1h}};
  const auto first = clock.now();
  const bool near = first >= GuestTime{1h} && first < GuestTime{1h + 5s};
  BOOST_TEST(near);
  std::this_thread::sleep_for(2ms);
  const bool advanced = clock.now() - first >= 2ms;
  BOOST_TEST(advanced);
}

BOOST_AUTO_TEST_CASE(guest_time_stands_still_while_paused) {
  host::HostClock clock;
  clock.pause();
  const auto stopped = clock.now();
  std::this_thread::sleep_for(20ms);
  BOOST_TEST((clock.now() == stopped));
  clock.pause();
  BOOST_TEST((clock.now() == stopped));
  const auto before = Steady::now();
  clock.resume();
  const auto run = clock.now() - stopped;
  const bool no_jump = run <= Steady::now() - before;
  BOOST_TEST(no_jump);
  std::this_thread::sleep_for(2ms);
  const auto running = clock.now();
  clock.resume();  // again: nothing jumps
  BOOST_TEST((running > stopped));
  BOOST_TEST((clock.now() >= running));
}

BOOST_AUTO_TEST_SUITE_END()
