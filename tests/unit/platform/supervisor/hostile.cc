// SPDX-License-Identifier: MIT
// Workers that were taken over, and a supervisor that was: real processes.
#include "tests/unit/platform/supervisor/processes.h"

#include <csignal>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace dm::supervisor::test {
namespace {

using namespace std::string_view_literals;

constexpr auto kServing9 = "\x01\x01\0\0\x09\0\0\0"sv;
constexpr auto kLeaving = "\x01\x02\0\0\0\0\0\0"sv;

/// What is no message, or none that may come from a worker that serves.
const std::vector<std::string_view> kNonsense{
    ""sv,
    "\x01"sv,
    kLeaving.substr(0, 7),
    "\x01\x02\0\0\0\0\0\0\0"sv,
    "\0\x02\0\0\0\0\0\0"sv,
    "\x02\x02\0\0\0\0\0\0"sv,
    "\x01\0\0\0\0\0\0\0"sv,
    "\x01\x03\0\0\x01\0\0\0"sv,
    "\x01\x04\0\0\0\0\0\0"sv,
    "\x01\xff\0\0\0\0\0\0"sv,
    "\x01\x02\x01\0\0\0\0\0"sv,
    "\x01\x02\0\0\0\0\0\x80"sv,
    "\x01\x01\0\0\x09\0\x01\0"sv,
    kServing9,
};

std::size_t count(std::string_view in, std::string_view what) {
  std::size_t found = 0;
  for (auto at = in.find(what); at != std::string_view::npos; at = in.find(what, at + 1)) {
    ++found;
  }
  return found;
}

/// Does a process use no processor while nothing happens? Once it has done what there was to do.
bool sleeps(pid_t pid) {
  clockid_t clock{};
  if (::clock_getcpuclockid(pid, &clock) != 0) {
    return false;
  }
  return soon([clock] {
    timespec before{};
    timespec after{};
    static_cast<void>(::clock_gettime(clock, &before));
    static_cast<void>(::poll(nullptr, 0, 20));
    return ::clock_gettime(clock, &after) == 0 && before.tv_sec == after.tv_sec &&
           before.tv_nsec == after.tv_nsec;
  });
}

/// The supervisor has crashed the guest and destroyed server 5, whatever it was told.
void check_crashed(const std::string& said) {
  BOOST_TEST(seen->finished == 1);
  BOOST_TEST(seen->operations == 2);
  BOOST_TEST(seen->crash_order == 1);
  BOOST_TEST(seen->server == 5U);
  BOOST_TEST(count(said, "died unexpectedly") == 1U, said);
}

void check_told_once(const std::string& said) {
  BOOST_TEST(count(said, "says what is no message") == 1U, said);
}

BOOST_AUTO_TEST_SUITE(hostile)

// Nonsense and a lie in one breath; the supervisor reads them when the worker is dead, or before.
BOOST_AUTO_TEST_CASE(no_worker_leaves_in_order_after_it_has_talked_nonsense) {
  for (const std::string_view nonsense : kNonsense) {
    for (const bool waits : {false, true}) {
      Processes processes;
      const pid_t pid = processes.worker(Place::child, [&](Link& link) {
        Processes::serve(link);
        Processes::say(link, nonsense);
        if (waits) {
          while (seen->restricted == 0) {
          }
          static_cast<void>(::poll(nullptr, 0, 5));
        }
        Processes::say(link, kLeaving);
        std::raise(SIGKILL);
      });
      BOOST_TEST(Processes::ends(pid));
      Processes::await_conclusion();
      const std::string said = processes.text();
      check_crashed(said);
      // An empty message of a worker that is dead reads like the end of the line, which is silent.
      if (waits || !nonsense.empty()) {
        check_told_once(said);
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(what_a_worker_leaves_in_the_shared_page_is_read_as_numbers, Processes) {
  const pid_t pid = worker(Place::child, [](Link& link) {
    serve(link);
    BlackBox::Entry entry{};
    std::memset(&entry, 0xff, sizeof entry);
    link.black_box().record(entry);
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  const std::string said = text();
  check_crashed(said);
  BOOST_TEST(count(said, "unknown type 0xffffffffffffffff read, size 255") == 1U, said);
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_floods_its_supervisor_is_read_once, Processes) {
  const pid_t pid = worker(Place::child, [](Link& link) {
    serve(link);
    const std::string large(65536, 'x');
    for (int i = 0; i < 20'000; ++i) {
      say(link, i % 2 == 0 ? std::string_view{large} : "x"sv);
    }
    seen->idle = sleeps(seen->supervisor);
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->idle);
  const std::string said = text();
  check_crashed(said);
  check_told_once(said);
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_closes_its_line_is_watched_all_the_same, Processes) {
  const pid_t pid = worker(Place::child, [](Link& link) {
    serve(link);
    while (seen->restricted == 0) {
    }
    ::close(link.descriptor());
    seen->idle = sleeps(seen->supervisor);
    seen->early = seen->finished.load();
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->idle);
  BOOST_TEST(seen->early == -1);
  BOOST_TEST(seen->operations == 2);
  BOOST_TEST(seen->server == 5U);
}

BOOST_FIXTURE_TEST_CASE(before_it_serves_nonsense_concerns_no_guest, Processes) {
  const pid_t pid = worker(Place::child, [](Link& link) {
    say(link, "\x01\x02"sv);
    say(link, kServing9);
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->finished == 0);
  BOOST_TEST(seen->operations == 0);
  BOOST_TEST(count(text(), "says what is no message") == 1U);
}

BOOST_FIXTURE_TEST_CASE(after_its_leave_a_worker_cannot_take_it_back, Processes) {
  const pid_t pid = worker(Place::child, [](Link& link) {
    serve(link);
    link.leave();
    say(link, kServing9);
    std::raise(SIGKILL);
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->finished == 0);
  BOOST_TEST(seen->operations == 0);
}

// The worker ends with it unread, which the supervisor's socket reports as an error first.
BOOST_AUTO_TEST_CASE(what_a_supervisor_has_said_in_vain_does_not_hide_what_its_worker_said) {
  for (const bool orderly : {false, true}) {
    Processes processes;
    seen->shouts = true;
    const pid_t pid = processes.worker(Place::child, [&](Link& link) {
      while (seen->restricted == 0) {
      }
      ::kill(seen->supervisor, SIGSTOP);
      Processes::serve(link);
      if (orderly) {
        link.leave();
      }
    });
    BOOST_TEST(Processes::ends(pid));
    BOOST_TEST(::kill(seen->supervisor, SIGCONT) == 0);
    Processes::await_conclusion();
    BOOST_TEST(seen->operations == (orderly ? 0 : 2));
    BOOST_TEST(seen->finished == (orderly ? 0 : 1));
  }
}

BOOST_FIXTURE_TEST_CASE(a_supervisor_that_shouts_is_not_taken_for_a_dead_one, Processes) {
  seen->shouts = true;
  const pid_t pid = worker(Place::child, [](Link& link) {
    serve(link);
    while (seen->restricted == 0) {
    }
    seen->early = static_cast<int>(link.hear());
    seen->heard = static_cast<int>(link.hear());
    link.leave();
  });
  BOOST_TEST(ends(pid));
  await_conclusion();
  BOOST_TEST(seen->early == static_cast<int>(Link::Heard::nonsense));
  BOOST_TEST(seen->heard == static_cast<int>(Link::Heard::nothing));
  BOOST_TEST(seen->operations == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::supervisor::test
