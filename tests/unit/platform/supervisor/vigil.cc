// SPDX-License-Identifier: MIT
// When does a worker hang? Looks of every five seconds, as the supervisor's, without processes; and
// the pulse that both share.
#include "platform/supervisor/vigil.h"

#include "core/obs/pulse.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>

using namespace dm;
using namespace dm::supervisor;
using namespace std::chrono_literals;

namespace {

using Verdict = Vigil::Verdict;

struct Watched {
  /// Five seconds later, of which it has used so much of a processor.
  Verdict after(std::chrono::nanoseconds used, char state, std::uint32_t rounds = 0) {
    look.now += 5s;
    look.processor += used;
    look.rounds += rounds;
    look.state = state;
    return vigil.look(look);
  }
  Vigil vigil;
  Vigil::Look look;
};

BOOST_FIXTURE_TEST_SUITE(vigil, Watched)

BOOST_AUTO_TEST_CASE(a_loop_that_comes_round_may_use_all_the_processor_there_is) {
  for (int i = 0; i < 1000; ++i) {
    BOOST_TEST((after(5s, 'R', 1) == Verdict::goes_on));
  }
}

BOOST_AUTO_TEST_CASE(ten_seconds_of_processor_time_without_a_round_are_a_spin) {
  BOOST_TEST((after(1s, 'R', 7) == Verdict::goes_on));
  BOOST_TEST((after(4s, 'R') == Verdict::goes_on));
  BOOST_TEST((after(5s, 'R') == Verdict::goes_on));
  BOOST_TEST((after(1s, 'R') == Verdict::spins));
}

BOOST_AUTO_TEST_CASE(a_round_begins_the_count_anew) {
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST((after(5s, 'R', 1) == Verdict::goes_on));
    BOOST_TEST((after(5s, 'R') == Verdict::goes_on));
  }
}

BOOST_AUTO_TEST_CASE(who_is_given_no_processor_does_not_hang) {
  after(0s, 'R', 1);
  for (int i = 0; i < 1000; ++i) {
    BOOST_TEST((after(1ms, 'R') == Verdict::goes_on));
  }
}

BOOST_AUTO_TEST_CASE(nor_does_who_was_stopped_by_somebody) {
  after(0s, 'R', 1);
  for (int i = 0; i < 1000; ++i) {
    BOOST_TEST((after(0s, i % 2 == 0 ? 'T' : 't') == Verdict::goes_on));
  }
}

BOOST_AUTO_TEST_CASE(two_minutes_in_system_calls_are_a_hang_whatever_it_waits_for) {
  for (const char state : {'S', 'D'}) {
    Watched one;
    one.after(0s, 'R', 1);
    for (int i = 1; i < 24; ++i) {
      BOOST_TEST((one.after(1ms, state) == Verdict::goes_on), i);
    }
    BOOST_TEST((one.after(1ms, state) == Verdict::blocked));
  }
}

BOOST_AUTO_TEST_CASE(a_sleep_says_nothing_about_what_comes_after_it) {
  after(0s, 'R', 1);
  for (int i = 0; i < 20; ++i) {
    after(400ms, 'S');
  }
  vigil.rest();
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST((after(400ms, 'S') == Verdict::goes_on), i);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pulse)

BOOST_AUTO_TEST_CASE(the_timer_is_armed_once_and_rests_while_the_loop_sleeps) {
  Pulse pulse;
  BOOST_TEST(pulse.wake());
  for (int i = 0; i < 10; ++i) {
    pulse.beat();
    pulse.rest();
    BOOST_TEST(!pulse.wake());  // somebody looks already
  }
  BOOST_TEST(!pulse.let_rest());  // awake: look again
  pulse.rest();
  BOOST_TEST(pulse.let_rest());
  BOOST_TEST(pulse.wake());
  BOOST_TEST(!pulse.wake());
  BOOST_TEST(pulse.rounds() == 10U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
