// SPDX-License-Identifier: MIT
#include "ioreq/poller.h"

#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace {

using namespace std::chrono_literals;
using dm::ioreq::Poller;
using dm::ioreq::SpinPolicy;

/// Sleeps by calling the test.
struct ScriptedLoop final : dm::EventLoop {
  std::function<bool()> while_asleep = [] { return false; };
  std::vector<std::optional<std::chrono::nanoseconds>> waits;
  unsigned polls = 0;
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept override {
    waits.push_back(timeout);
    return while_asleep();
  }
  void poll() noexcept override { ++polls; }
};

/// The host's clock: it stands still but for what a test says takes time.
struct HostClock {
  static inline std::chrono::steady_clock::time_point time{};
  static std::chrono::steady_clock::time_point now() noexcept { return time; }
};

/// A device whose port takes long.
struct Slow {
  std::chrono::nanoseconds takes{0};
  std::uint64_t read(dm::IoAccess /*a*/) noexcept {
    HostClock::time += takes;
    return 0;
  }
  void write(dm::IoAccess /*a*/, std::uint64_t /*value*/) noexcept { HostClock::time += takes; }
};

struct Loop {
  dm::rig::SimGuest guest{{.vcpus = 2}};
  ScriptedLoop events;
  Poller poller{guest.server(), guest.ioreq_port(), events,
                guest.timers(), guest.work(),       {.mode = SpinPolicy::Mode::off}};
  void request(unsigned vcpu = 0) {
    guest.fill_slot({.addr = 0x60, .size = 1, .read = true}, vcpu);
  }
};

BOOST_FIXTURE_TEST_SUITE(poller, Loop)

BOOST_AUTO_TEST_CASE(an_idle_machine_sleeps_without_a_time_limit) {
  BOOST_TEST(poller.turn());
  BOOST_TEST(poller.turn());
  BOOST_TEST(events.waits.size() == 2U);
  BOOST_TEST(!events.waits[0].has_value());
}

BOOST_AUTO_TEST_CASE(events_are_taken_before_sleeping_and_only_when_there_can_be_any) {
  BOOST_TEST(poller.turn());
  const auto before = guest.ioreq_port().acknowledged();
  BOOST_TEST(poller.turn());  // woken by a backend: nothing to take
  BOOST_TEST(guest.ioreq_port().acknowledged() == before);
  request();
  BOOST_TEST(poller.turn());
  BOOST_TEST(guest.take_answer(0) == 0xffU);
  BOOST_TEST(poller.turn());
  BOOST_TEST(guest.ioreq_port().acknowledged() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_request_that_comes_while_events_are_taken_is_served_before_sleeping) {
  struct LatePort final : dm::IoreqPort {
    Loop& loop;
    bool late = true;
    explicit LatePort(Loop& l) : loop{l} {}
    std::byte* slots() noexcept override { return loop.guest.ioreq_port().slots(); }
    [[nodiscard]] unsigned vcpus() const noexcept override { return 2; }
    void notify(unsigned vcpu) noexcept override { loop.guest.ioreq_port().notify(vcpu); }
    bool acknowledge() noexcept override {
      if (late) {
        late = false;
        loop.request(1);
      }
      return true;
    }
    [[nodiscard]] int descriptor() const noexcept override { return -1; }
  } port{*this};
  dm::ioreq::Server server{port, guest.dispatcher()};
  Poller with_late_port{server,         port,         events,
                        guest.timers(), guest.work(), {.mode = SpinPolicy::Mode::off}};
  BOOST_TEST(with_late_port.turn());
  BOOST_TEST(events.waits.empty());
  BOOST_TEST(with_late_port.turn());
  BOOST_TEST(guest.take_answer(1) == 0xffU);
}

struct Ticker {
  dm::TimerQueue& queue;
  unsigned fired = 0;
  dm::Timer timer = dm::Timer::bind<&Ticker::fire>(queue, *this);
  void fire() noexcept { ++fired; }
};

BOOST_AUTO_TEST_CASE(sleep_ends_at_the_next_timer) {
  Ticker ticker{guest.timers()};
  ticker.timer.arm_in(3ms);
  BOOST_TEST(poller.turn());
  BOOST_TEST_REQUIRE(events.waits.size() == 1U);
  BOOST_TEST((events.waits[0] == std::chrono::nanoseconds{3ms}));
  guest.advance(0ns);
  BOOST_TEST(ticker.fired == 0U);
}

struct Units {
  dm::WorkQueue& queue;
  dm::rig::SimGuest& guest;
  int left;
  std::vector<std::uint64_t> served_before;
  dm::Work work = dm::Work::bind<&Units::run>(queue, *this);
  bool run() noexcept {
    served_before.push_back(guest.ioreq_port().notified(0));
    guest.fill_slot({.addr = 0x60, .size = 1, .read = true}, 0);
    return --left > 0;
  }
};

BOOST_AUTO_TEST_CASE(between_two_units_of_deferred_work_ready_requests_are_served) {
  Units units{guest.work(), guest, 4, {}};
  units.work.schedule();
  for (int i = 0; i < 8; ++i) {
    BOOST_TEST(poller.turn());
  }
  BOOST_TEST((units.served_before == std::vector<std::uint64_t>{0, 1, 2, 3}));
  BOOST_TEST(events.waits.empty());
}

BOOST_AUTO_TEST_CASE(a_guest_that_never_pauses_does_not_starve_the_backends) {
  for (int i = 0; i < 1000; ++i) {
    request();
    BOOST_TEST(poller.turn());
    (void)guest.take_answer(0);
  }
  BOOST_TEST(events.waits.empty());
  BOOST_TEST(events.polls >= 20U);
}

struct TimedLoop : Loop {
  Slow slow;
  dm::PioClaim port = guest.pio().claim(
      {0x500, 0x500}, dm::IoHandler::bind<&Slow::read, &Slow::write>(slow), "slow");
  Poller timed{guest.server(), guest.ioreq_port(),
               events,         guest.timers(),
               guest.work(),   {.mode = SpinPolicy::Mode::off, .now = &HostClock::now}};
  void serve() {
    guest.fill_slot({.addr = 0x500, .size = 1, .read = true}, 0);
    BOOST_TEST(timed.turn());
    (void)guest.take_answer(0);
  }
};

BOOST_FIXTURE_TEST_CASE(requests_that_take_long_do_not_keep_the_host_waiting, TimedLoop) {
  slow.takes = 10us;
  for (int i = 0; i < 31; ++i) {
    serve();
  }
  BOOST_TEST(events.polls == 0U);  // short ones share a look
  serve();
  BOOST_TEST(events.polls == 1U);
  slow.takes = 400us;
  serve();
  serve();
  BOOST_TEST(events.polls == 1U);
  serve();  // 1.2 ms
  BOOST_TEST(events.polls == 2U);
  slow.takes = 90ms;
  for (unsigned i = 0; i < 10; ++i) {
    serve();
    BOOST_TEST(events.polls == 3U + i);
  }
}

struct LongUnits {
  dm::WorkQueue& queue;
  dm::Work work = dm::Work::bind<&LongUnits::run>(queue, *this);
  bool run() noexcept {
    HostClock::time += 600us;
    return true;
  }
};

BOOST_FIXTURE_TEST_CASE(units_that_take_long_do_not_keep_the_host_waiting, TimedLoop) {
  LongUnits units{guest.work()};
  units.work.schedule();
  for (unsigned i = 0; i < 20; ++i) {
    BOOST_TEST(timed.turn());
  }
  BOOST_TEST(events.polls >= 10U);
}

BOOST_FIXTURE_TEST_CASE(the_longest_stall_is_that_of_one_request_and_sleep_is_none, TimedLoop) {
  events.while_asleep = [] {
    HostClock::time += 10s;
    return false;
  };
  BOOST_TEST(timed.turn());
  BOOST_TEST(events.waits.size() == 1U);
  BOOST_TEST(timed.counters().longest_stall.count() == 0);
  slow.takes = 3ms;
  serve();
  slow.takes = 2ms;
  serve();
  BOOST_TEST(timed.turn());  // sleeps again
  serve();
  BOOST_TEST((timed.counters().longest_stall == 3ms));
  LongUnits units{guest.work()};
  units.work.schedule();
  BOOST_TEST(timed.turn());
  BOOST_TEST((timed.counters().longest_stall == 3ms));
}

BOOST_AUTO_TEST_CASE(the_loop_ends_when_the_guest_is_gone) {
  guest.ioreq_port().go_away();
  BOOST_TEST(!poller.run());
}

BOOST_AUTO_TEST_CASE(the_loop_ends_when_it_is_told_to) {
  events.while_asleep = [this] {
    poller.stop();
    return false;
  };
  BOOST_TEST(poller.run());
  BOOST_TEST(events.waits.size() == 1U);
}

BOOST_AUTO_TEST_CASE(automatic_spinning_needs_a_busy_guest_and_a_second_cpu) {
  for (const unsigned cpus : {1U, 2U}) {
    Poller spinner{guest.server(), guest.ioreq_port(), events,
                   guest.timers(), guest.work(),       {.limit = 50ms, .cpus = cpus}};
    BOOST_TEST(spinner.turn());
    BOOST_TEST(spinner.counters().spins_lost == 0U);  // quiet so far
    for (int i = 0; i < 20; ++i) {
      request();
      BOOST_TEST(spinner.turn());
      (void)guest.take_answer(0);
    }
    const auto sleeps = spinner.counters().sleeps;
    BOOST_TEST(spinner.turn());
    BOOST_TEST(spinner.counters().spins_lost == (cpus > 1 ? 1U : 0U));
    BOOST_TEST(spinner.counters().sleeps == sleeps + 1);  // and then it sleeps
    BOOST_TEST(spinner.turn());
    BOOST_TEST(spinner.counters().spins_lost ==
               (cpus > 1 ? 1U : 0U));  // no second spin after one request
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
