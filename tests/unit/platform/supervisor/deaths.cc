// SPDX-License-Identifier: MIT
// A worker that dies in every way, and a supervisor that does.
#include "tests/unit/platform/supervisor/processes.h"

#include <sys/timerfd.h>

#include <cerrno>
#include <csignal>
#include <string>

namespace dm::supervisor::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(deaths, Processes)

BOOST_AUTO_TEST_CASE(a_killed_worker_gets_its_guest_crashed_and_then_its_server_destroyed) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    while (seen->restricted == 0) {
    }
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->opened == 7);
  BOOST_TEST(seen->crash_order == 1);
  BOOST_TEST(seen->destroy_order == 2);
  BOOST_TEST(seen->reason == 3U);  // SHUTDOWN_crash
  BOOST_TEST(seen->server == 5U);
  BOOST_TEST(seen->finished == 1);
  const std::string said = text();
  BOOST_TEST(said.find("domain 7 died unexpectedly after 2 requests") != std::string::npos, said);
  BOOST_TEST(said.find("last request: memory 0xf1000400 read, size 4") != std::string::npos, said);
  BOOST_TEST(said.find("port 0x3f8 write, size 1, count 1, data 0x78, vCPU 0") != std::string::npos,
             said);
}

BOOST_AUTO_TEST_CASE(a_worker_that_dies_before_the_supervisor_is_ready_is_noticed_too) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->crash_order == 1);
}

BOOST_AUTO_TEST_CASE(an_orderly_end_is_silent) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    w.leave();
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->finished == 0);
  BOOST_TEST(seen->operations == 0);
  BOOST_TEST(text().empty());
}

BOOST_AUTO_TEST_CASE(the_destructor_counts_as_an_orderly_end) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    const Link taken{std::move(w)};
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->operations == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_asks_and_the_supervisors_broker_answers) {
  const pid_t pid = worker(
      Place::child,
      [](Link& w) {
        serve(w);
        seen->answered = w.ask({.kind = Kind::sleep, .value = 3});
        w.leave();
      },
      true);
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->broker_opened);
  BOOST_TEST(seen->asked_to_sleep == 3U);
  BOOST_TEST(seen->answered == ENOTTY);
  BOOST_TEST(seen->broker_saw_the_end == 1);
  BOOST_TEST(seen->operations == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_asks_for_a_disc_and_gets_it_open) {
  const pid_t pid = worker(
      Place::child,
      [](Link& w) {
        serve(w);
        host::UniqueFd disc;
        seen->answered = w.ask({.kind = Kind::disc, .value = 2}, disc);
        char byte = 0;
        seen->got_disc = ::read(disc.get(), &byte, 1) == 0;
        w.leave();
      },
      true);
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->asked_for_disc == 2U);
  BOOST_TEST(seen->answered == 0);
  BOOST_TEST(seen->got_disc);
}

BOOST_AUTO_TEST_CASE(without_a_broker_nothing_is_done_for_a_worker) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    seen->answered = w.ask({.kind = Kind::sleep, .value = 3});
    w.leave();
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->answered == ENOSYS);
}

BOOST_AUTO_TEST_CASE(the_broker_hears_of_a_sudden_death_too) {
  const pid_t pid = worker(
      Place::child,
      [](Link& w) {
        serve(w);
        std::raise(SIGKILL);
      },
      true);
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->broker_saw_the_end == 1);
  BOOST_TEST(seen->operations == 2);
}

BOOST_AUTO_TEST_CASE(a_worker_that_ends_before_it_has_a_server_needs_no_answer) {
  const pid_t pid = worker(Place::child, [](Link&) { ::_exit(1); });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->operations == 0);
}

BOOST_AUTO_TEST_CASE(the_supervisor_keeps_nothing_open_but_the_worker_its_line_and_the_timer) {
  const pid_t pid = worker(Place::child, [](Link& w) { w.leave(); });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->open_descriptors == 3);
}

BOOST_AUTO_TEST_CASE(the_supervisor_ignores_what_is_sent_to_the_group) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    for (;;) {
      ::pause();
    }
  });
  BOOST_REQUIRE(soon([] { return seen->restricted != 0; }));
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    BOOST_TEST(::kill(seen->supervisor, signal) == 0);
  }
  static_cast<void>(::poll(nullptr, 0, 50));
  BOOST_TEST(::kill(seen->supervisor, 0) == 0);
  BOOST_TEST(seen->finished == -1);
  ::kill(pid, SIGKILL);
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->operations == 2);
}

BOOST_AUTO_TEST_CASE(as_parent_it_knows_the_signal_that_killed_the_worker) {
  // The forked process becomes the supervisor, its child the worker.
  const pid_t pid = worker(Place::parent, [](Link& w) {
    serve(w);
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  BOOST_TEST(seen->supervisor == pid);
  BOOST_TEST(seen->operations == 2);
  BOOST_TEST(seen->finished == 1);
  const std::string said = text();
  BOOST_TEST(said.find("was killed by signal 9") != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(as_parent_it_knows_that_a_worker_failed_before_it_served) {
  const pid_t pid = worker(Place::parent, [](Link&) { ::_exit(1); });
  BOOST_TEST(ends(pid));
  BOOST_TEST(seen->finished == 1);
  BOOST_TEST(seen->operations == 0);
}

BOOST_AUTO_TEST_CASE(as_parent_it_reaps_orphans_and_ends_with_the_worker) {
  const pid_t pid = worker(Place::parent, [](Link& w) {
    serve(w);
    // A child of the supervisor's that is not the worker: its parent ends before it, and the
    // supervisor is the next subreaper above.
    while (seen->restricted == 0) {
    }
    const pid_t between = ::fork();
    if (between == 0) {
      if (::fork() == 0) {
        seen->orphan = ::getpid();
        while (::getppid() != seen->supervisor) {
        }
        ::_exit(3);
      }
      ::_exit(0);
    }
    static_cast<void>(::waitpid(between, nullptr, 0));
    w.leave();
    seen->ready = soon([] { return seen->orphan != 0 && ::kill(seen->orphan, 0) != 0; }) ? 1 : 2;
  });
  BOOST_TEST(ends(pid));
  BOOST_TEST(seen->ready == 1);
  BOOST_TEST(seen->finished == 0);
  BOOST_TEST(seen->operations == 0);
}

/// As a loop does when it wakes up; a test does not wait five seconds for the first look.
void wake_up(Link& link) {
  BOOST_REQUIRE(link.pulse() != nullptr);
  static_cast<void>(link.pulse()->wake());
  itimerspec at_once{};
  at_once.it_value.tv_nsec = 1'000'000;
  static_cast<void>(::timerfd_settime(link.pulse_timer(), 0, &at_once, nullptr));
}

// With every signal blocked, as a handler that loops might have it.
BOOST_AUTO_TEST_CASE(a_worker_that_spins_is_killed_and_its_guest_crashed) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    wake_up(w);
    for (volatile bool spins = true; spins;) {
    }
  });
  int status = 0;
  BOOST_TEST(::waitpid(pid, &status, 0) == pid);
  BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  await_conclusion();
  BOOST_TEST(seen->crash_order == 1);
  BOOST_TEST(seen->destroy_order == 2);
  BOOST_TEST(seen->operations == 2);  // and once
  const std::string said = text();
  BOOST_TEST((said.find("hangs after 2 requests: its loop has not come round for 10 s of its own "
                        "processor time") != std::string::npos),
             said);
  BOOST_TEST(said.find("last request: memory 0xf1000400 read, size 4") != std::string::npos, said);
  BOOST_TEST((said.find("died unexpectedly") == std::string::npos), said);
}

BOOST_AUTO_TEST_CASE(a_worker_that_sleeps_is_looked_at_once_and_then_left_alone) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    wake_up(w);
    w.pulse()->rest();
    itimerspec timer{};
    seen->ready = soon([&w, &timer] {
      return ::timerfd_gettime(w.pulse_timer(), &timer) == 0 && timer.it_value.tv_sec == 0 &&
             timer.it_value.tv_nsec == 0;
    });
    static_cast<void>(::poll(nullptr, 0, 50));
    static_cast<void>(::timerfd_gettime(w.pulse_timer(), &timer));
    seen->answered = static_cast<int>(timer.it_value.tv_sec);
    seen->early = w.pulse()->wake() ? 1 : 0;  // nobody looks
    w.leave();
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->ready == 1);
  BOOST_TEST(seen->answered == 0);
  BOOST_TEST(seen->early == 1);
  BOOST_TEST(seen->operations == 0);
}

/// In the worker: the supervisor is killed, which the worker hears of without asking.
void await_end_of_supervisor(Link& link) {
  seen->early = static_cast<int>(link.hear());
  seen->ready = 1;
  pollfd wait{.fd = link.descriptor(), .events = POLLIN, .revents = 0};
  const bool told = ::poll(&wait, 1, 5000) == 1;
  seen->heard = static_cast<int>(link.hear());
  ::_exit(told && (::fcntl(link.descriptor(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 1);
}

BOOST_AUTO_TEST_CASE(the_worker_hears_of_the_end_of_its_supervisor) {
  const pid_t pid = worker(Place::child, [](Link& w) {
    serve(w);
    await_end_of_supervisor(w);
  });
  BOOST_REQUIRE(soon([] { return seen->ready != 0 && seen->restricted != 0; }));
  BOOST_TEST(seen->early == static_cast<int>(Link::Heard::nothing));
  BOOST_TEST(::kill(seen->supervisor, SIGKILL) == 0);
  BOOST_TEST(ends(pid));
  BOOST_TEST(seen->heard == static_cast<int>(Link::Heard::gone));
  BOOST_TEST(ends(seen->supervisor));
  BOOST_TEST(seen->operations == 0);  // that is the worker's now
}

BOOST_AUTO_TEST_CASE(the_worker_hears_of_the_end_of_a_supervisor_that_is_its_parent) {
  const pid_t supervisor = worker(Place::parent, [](Link& w) {
    seen->worker = ::getpid();
    serve(w);
    await_end_of_supervisor(w);
  });
  BOOST_REQUIRE(soon([] { return seen->ready != 0 && seen->restricted != 0; }));
  BOOST_TEST(seen->early == static_cast<int>(Link::Heard::nothing));
  BOOST_TEST(::kill(supervisor, SIGKILL) == 0);
  BOOST_TEST(ends(supervisor));
  BOOST_TEST(ends(seen->worker));  // an orphan, and so ours
  BOOST_TEST(seen->heard == static_cast<int>(Link::Heard::gone));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::supervisor::test
