// SPDX-License-Identifier: MIT
#include "core/time/timer.h"
#include "core/time/work.h"
#include "platform/sim/sim_platform.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace {

using namespace std::chrono_literals;

struct Device {
  dm::TimerQueue& queue;
  std::string& log;
  char name;
  std::chrono::nanoseconds again{0};
  dm::Timer timer = dm::Timer::bind<&Device::fire>(queue, *this);
  void fire() noexcept {
    log += name;
    if (again > 0ns) {
      timer.arm_in(again);
    }
  }
};

struct Timers {
  dm::sim::SimClock clock;
  dm::TimerQueue queue{clock};
  std::string log;
};

BOOST_FIXTURE_TEST_SUITE(timers, Timers)

BOOST_AUTO_TEST_CASE(timers_fire_in_order_of_their_deadlines_and_not_before) {
  Device a{queue, log, 'a'};
  Device b{queue, log, 'b'};
  a.timer.arm_in(20us);
  b.timer.arm_in(10us);
  BOOST_TEST((queue.next_deadline() == b.timer.deadline()));
  clock.advance(9us);
  queue.run_due();
  BOOST_TEST(log.empty());
  clock.advance(11us);
  queue.run_due();
  BOOST_TEST(log == "ba");
  BOOST_TEST(!queue.next_deadline().has_value());
}

BOOST_AUTO_TEST_CASE(arming_again_moves_the_deadline_and_cancel_forgets_it) {
  Device a{queue, log, 'a'};
  a.timer.arm_in(10us);
  a.timer.arm_in(50us);
  clock.advance(20us);
  queue.run_due();
  BOOST_TEST(log.empty());
  a.timer.cancel();
  a.timer.cancel();
  clock.advance(1s);
  queue.run_due();
  BOOST_TEST(log.empty());
}

BOOST_AUTO_TEST_CASE(a_timer_that_rearms_itself_fires_once_a_round) {
  Device a{queue, log, 'a', 10us};
  a.timer.arm_in(10us);
  clock.advance(1ms);
  queue.run_due();
  BOOST_TEST(log == "a");
}

BOOST_AUTO_TEST_CASE(a_timer_leaves_the_queue_with_its_device) {
  {
    Device a{queue, log, 'a'};
    a.timer.arm_in(1us);
  }
  BOOST_TEST(!queue.next_deadline().has_value());
}

struct Worker {
  dm::WorkQueue& queue;
  std::string& log;
  char name;
  int units;
  dm::Work work = dm::Work::bind<&Worker::run>(queue, *this);
  bool run() noexcept {
    log += name;
    return --units > 0;
  }
};

BOOST_AUTO_TEST_CASE(work_takes_turns_one_unit_each) {
  dm::WorkQueue work;
  Worker a{work, log, 'a', 2};
  Worker b{work, log, 'b', 2};
  a.work.schedule();
  a.work.schedule();
  b.work.schedule();
  while (work.run_one()) {
  }
  BOOST_TEST(log == "abab");
  BOOST_TEST(work.empty());
}

BOOST_AUTO_TEST_CASE(cancelled_work_does_not_run) {
  dm::WorkQueue work;
  Worker a{work, log, 'a', 1};
  a.work.schedule();
  a.work.cancel();
  BOOST_TEST(!work.run_one());
  BOOST_TEST(log.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
