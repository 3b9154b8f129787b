// SPDX-License-Identifier: MIT
#include "platform/linux/loop/watch.h"

#include "platform/linux/chardev/hang_up_watch.h"
#include "platform/linux/loop/alarm.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/signals.h"
#include "tests/unit/platform/linux/support.h"
#include "tests/unit/platform/linux/watched_pair.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <thread>

using namespace dm;
using namespace dm::test;

BOOST_AUTO_TEST_SUITE(watch)

BOOST_AUTO_TEST_CASE(one_notice_for_each_asking) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  host::Watch watch{loop, std::move(pair.near), readable.callback()};
  pair.send();
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 0);
  watch.await_readable();
  watch.await_readable();
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 1);
  watch.await_readable();  // still unread: told again
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 2);
}

BOOST_AUTO_TEST_CASE(a_question_taken_back_is_not_answered_and_can_be_put_again) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  host::Watch watch{loop, std::move(pair.near), readable.callback()};
  watch.await_readable();
  watch.cancel();
  pair.send();
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 0);
  watch.await_readable();
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 1);
}

BOOST_AUTO_TEST_CASE(what_arrives_while_a_watch_rests_wakes_nobody) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  host::Watch watch{loop, std::move(pair.near), readable.callback()};
  watch.await_readable();
  watch.rest();
  run_for(loop, 20ms);  // the question that was taken back
  const auto wakeups = loop.counters().wakeups;
  for (int i = 0; i < 50; ++i) {
    pair.send();
    (void)loop.wait(0ns);
  }
  BOOST_TEST(loop.counters().wakeups == wakeups);
  BOOST_TEST(readable.calls == 0);
  watch.await_readable();
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 1);
}

BOOST_AUTO_TEST_CASE(a_question_right_after_a_rest_is_answered_once) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  host::Watch watch{loop, std::move(pair.near), readable.callback()};
  for (int i = 1; i <= 20; ++i) {
    watch.await_readable();
    watch.rest();
    watch.await_readable();
    if (i == 1) {
      pair.send();
    }
    run_for(loop, 5ms);
    BOOST_TEST(readable.calls == i);
  }
}

BOOST_AUTO_TEST_CASE(a_watch_does_not_rest_while_room_is_waited_for) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  Counter writable;
  host::Watch watch{loop, std::move(pair.near), readable.callback(), writable.callback()};
  watch.await_writable();
  watch.rest();
  run_for(loop, 20ms);
  BOOST_TEST(writable.calls == 1);
}

BOOST_AUTO_TEST_CASE(a_resting_watch_gives_its_descriptor_away_and_may_go) {
  host::Loop loop;
  Pair pair;
  const int fd = pair.near.get();
  host::Watch watch{loop, std::move(pair.near), {}};
  watch.rest();
  BOOST_TEST(watch.fd() == fd);
  host::UniqueFd back = watch.release();
  BOOST_TEST(back.get() == fd);
  host::Watch other{loop, std::move(back), {}};
  other.rest();
  other = host::Watch{};
  run_for(loop, 1ms);
  BOOST_TEST(::fcntl(fd, F_GETFD) == -1);
}

BOOST_AUTO_TEST_CASE(both_directions_are_told_apart) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  Counter writable;
  host::Watch watch{loop, std::move(pair.near), readable.callback(), writable.callback()};
  watch.await_readable();
  watch.await_writable();
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 0);
  BOOST_TEST(writable.calls == 1);
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_gone_calls_nobody) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  {
    host::Watch watch{loop, std::move(pair.near), readable.callback()};
    watch.await_readable();
    pair.send();
  }
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 0);
}

BOOST_AUTO_TEST_CASE(a_watch_may_end_in_its_own_callback) {
  host::Loop loop;
  Pair pair;
  struct Owner {
    std::unique_ptr<host::Watch> watch;
    int calls = 0;
    void end() noexcept {
      ++calls;
      watch.reset();
    }
  } owner;
  owner.watch = std::make_unique<host::Watch>(loop, std::move(pair.near),
                                              host::Callback::bind<&Owner::end>(owner));
  owner.watch->await_readable();
  pair.send();
  BOOST_TEST(run_until(loop, [&] { return owner.calls == 1; }));
  run_for(loop, 20ms);
}

BOOST_AUTO_TEST_CASE(a_watch_may_outlive_its_question_at_the_loops_end) {
  Pair pair;
  Counter readable;
  auto loop = std::make_unique<host::Loop>();
  auto watch = std::make_unique<host::Watch>(*loop, std::move(pair.near), readable.callback(),
                                             readable.callback());
  watch->await_readable();
  watch->await_writable();
  watch.reset();
  loop.reset();  // with Asio's answers still queued
  BOOST_TEST(readable.calls == 0);
}

BOOST_AUTO_TEST_CASE(asking_and_answering_allocate_nothing) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  Counter writable;
  host::Watch watch{loop, std::move(pair.near), readable.callback(), writable.callback()};
  loop.wait(0ns);
  const std::uint64_t before = allocations();
  for (int i = 0; i < 100; ++i) {
    watch.await_readable();
    watch.await_writable();
    pair.send();
    loop.wait(1s);
    char byte = 0;
    static_cast<void>(!::read(watch.fd(), &byte, 1));
  }
  BOOST_TEST(allocations() == before);
  BOOST_TEST(readable.calls >= 90);
  BOOST_TEST(writable.calls >= 90);
}

BOOST_AUTO_TEST_CASE(resting_and_asking_again_allocate_nothing) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  host::Watch watch{loop, std::move(pair.near), readable.callback()};
  const auto once = [&] {
    watch.await_readable();
    watch.rest();
    watch.await_readable();
    pair.send();
    run_for(loop, 1ms);
    char byte = 0;
    static_cast<void>(!::read(watch.fd(), &byte, 1));
    watch.rest();
  };
  once();
  const std::uint64_t before = allocations();
  for (int i = 0; i < 20; ++i) {
    once();
  }
  BOOST_TEST(allocations() == before);
  BOOST_TEST(readable.calls == 21);
}

BOOST_AUTO_TEST_CASE(a_descriptor_given_away_is_watched_no_more) {
  host::Loop loop;
  Pair pair;
  Counter readable;
  host::Watch watch{loop, std::move(pair.near), readable.callback()};
  watch.await_readable();
  const host::UniqueFd given = watch.release();
  BOOST_TEST(!watch.ok());
  pair.send();
  run_for(loop, 20ms);
  BOOST_TEST(readable.calls == 0);
  char byte = 0;
  BOOST_TEST(::read(given.get(), &byte, 1) == 1);
  BOOST_TEST(stays_idle(loop, 20ms));
}

BOOST_AUTO_TEST_CASE(an_end_is_told_once_whatever_is_unread_and_unasked) {
  for (const bool half : {false, true}) {
    host::Loop loop;
    Pair pair;
    Counter gone;
    host::HangUpWatch watch{loop, gone.callback()};
    watch.watch(pair.near.get(), host::HangUpWatch::End::either_way);
    for (int i = 0; i < 10; ++i) {
      pair.send();
      loop.wait(0ns);
    }
    BOOST_TEST(stays_idle(loop, 20ms));  // bytes are no news
    BOOST_TEST(gone.calls == 0);
    if (half) {
      ::shutdown(pair.far.get(), SHUT_WR);
    } else {
      pair.far.reset();
    }
    run_for(loop, 20ms);
    BOOST_TEST(gone.calls == 1);
    BOOST_TEST(stays_idle(loop, 20ms));
    watch.watch(pair.near.get(), host::HangUpWatch::End::either_way);  // it is still so
    run_for(loop, 20ms);
    BOOST_TEST(gone.calls == 2);
    watch.stop();
    BOOST_TEST(stays_idle(loop, 20ms));
  }
}

BOOST_AUTO_TEST_CASE(half_an_end_is_none_where_only_a_whole_one_counts) {
  host::Loop loop;
  Pair pair;
  Counter gone;
  host::HangUpWatch watch{loop, gone.callback()};
  watch.watch(pair.near.get(), host::HangUpWatch::End::both_ways);
  ::shutdown(pair.far.get(), SHUT_WR);
  run_for(loop, 20ms);
  BOOST_TEST(gone.calls == 0);
  BOOST_TEST(!host::ask(pair.near.get(), host::HangUpWatch::End::both_ways).gone);
  BOOST_TEST(host::ask(pair.near.get(), host::HangUpWatch::End::both_ways).writable);
  pair.far.reset();
  run_for(loop, 20ms);
  BOOST_TEST(gone.calls == 1);
  BOOST_TEST(host::ask(pair.near.get(), host::HangUpWatch::End::both_ways).gone);
}

BOOST_AUTO_TEST_CASE(a_hang_up_is_not_room_to_write) {
  Pair pair;
  pair.far.reset();
  const host::Readiness now = host::ask(pair.near.get(), host::HangUpWatch::End::either_way);
  BOOST_TEST(now.gone);
  BOOST_TEST(!now.writable);
}

BOOST_AUTO_TEST_CASE(a_regular_file_never_goes) {
  host::Loop loop;
  const TempDir dir;
  Counter gone;
  const host::UniqueFd file{::open(dir.image("file", 10).c_str(), O_RDWR | O_CLOEXEC)};
  host::HangUpWatch watch{loop, gone.callback()};
  watch.watch(file.get(), host::HangUpWatch::End::either_way);
  BOOST_TEST(stays_idle(loop, 20ms));
  BOOST_TEST(gone.calls == 0);
}

BOOST_AUTO_TEST_CASE(an_alarm_fires_once_and_can_be_moved_and_cancelled) {
  host::Loop loop;
  Counter fired;
  host::Alarm alarm{loop, fired.callback()};
  alarm.arm(5ms);
  BOOST_TEST(alarm.armed());
  BOOST_TEST(run_until(loop, [&] { return fired.calls == 1; }));
  BOOST_TEST(!alarm.armed());
  alarm.arm(5ms);
  alarm.arm(60s);
  run_for(loop, 30ms);
  BOOST_TEST(fired.calls == 1);
  alarm.arm(1ms);
  std::this_thread::sleep_for(10ms);  // expired, not yet told
  alarm.cancel();
  run_for(loop, 30ms);
  BOOST_TEST(fired.calls == 1);
  alarm.arm(0ms);  // at once, not never
  BOOST_TEST(run_until(loop, [&] { return fired.calls == 2; }));
}

BOOST_AUTO_TEST_CASE(a_signal_becomes_a_call_from_the_loop) {
  host::Loop loop;
  struct Seen {
    host::SignalWatch* watch = nullptr;
    int last = 0;
    int count = 0;
    void arrived() noexcept {
      last = watch->last();
      ++count;
    }
  } seen;
  host::SignalWatch signals{loop, {SIGUSR1, SIGUSR2}, host::Callback::bind<&Seen::arrived>(seen)};
  seen.watch = &signals;
  ::kill(::getpid(), SIGUSR1);
  BOOST_TEST(run_until(loop, [&] { return seen.count == 1; }));
  BOOST_TEST(seen.last == SIGUSR1);
  ::kill(::getpid(), SIGUSR2);
  ::kill(::getpid(), SIGUSR1);
  BOOST_TEST(run_until(loop, [&] { return seen.count == 3; }));
}

BOOST_AUTO_TEST_SUITE_END()
