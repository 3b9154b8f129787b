// SPDX-License-Identifier: MIT
// Processes that cannot go on: what they say, that their guest ends, and that nothing returns.
#include "platform/linux/process/last_words.h"

#include "platform/linux/process/syscall_filter.h"

#include <boost/test/unit_test.hpp>

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

namespace dm::test {
namespace {

int guests_end = -1;

struct End {
  int status = 0;
  std::string said;
  bool guest_ended = false;
};

/// In a process that has prepared its last words and is filtered.
template <class Work>
End end_of(Work work, bool filtered = true) {
  std::array<int, 2> log{};
  std::array<int, 2> guest{};
  BOOST_TEST_REQUIRE(::pipe2(log.data(), 0) == 0);
  BOOST_TEST_REQUIRE(::pipe2(guest.data(), 0) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(log[1], STDERR_FILENO);
    guests_end = guest[1];
    for (const int signal : {SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
      static_cast<void>(::signal(signal, SIG_DFL));  // not the test's own
    }
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    const bool ready = host::prepare_last_words([]() noexcept {
                         ::syscall(SYS_write, guests_end, "e", 1);
                       }).has_value() &&
                       (!filtered || host::filter_system_calls({}).has_value());
    if (ready) {
      work();
    }
    for (;;) {
      ::syscall(SYS_exit_group, 1);
    }
  }
  ::close(log[1]);
  ::close(guest[1]);
  End end;
  std::array<char, 512> text{};
  for (ssize_t got = 0; (got = ::read(log[0], text.data(), text.size())) > 0;) {
    end.said.append(text.data(), static_cast<std::size_t>(got));
  }
  end.guest_ended = ::read(guest[0], text.data(), 1) == 1;
  ::close(log[0]);
  ::close(guest[0]);
  BOOST_TEST_REQUIRE(::waitpid(child, &end.status, 0) == child);
  return end;
}

bool ended_as_prepared(const End& end) {
  return WIFEXITED(end.status) && WEXITSTATUS(end.status) == host::kLastWordsStatus &&
         end.guest_ended;
}

bool says(const End& end, const std::string& what) {
  return end.said.find(what) != std::string::npos && end.said.find('\n') == end.said.size() - 1;
}

BOOST_AUTO_TEST_SUITE(last_words)

BOOST_AUTO_TEST_CASE(a_trapped_call_is_named_and_ends_the_guest_and_the_process) {
  const End end = end_of([] { ::syscall(SYS_ptrace, 16, 1, nullptr, nullptr); });
  BOOST_TEST(ended_as_prepared(end));
  BOOST_TEST(says(end, "system call 101 (ptrace, 0x10, 0x1) is not allowed"), end.said);
}

BOOST_AUTO_TEST_CASE(a_request_that_is_not_allowed_is_told) {
  const End end = end_of([] { ::syscall(SYS_ioctl, 7, 0x5412, nullptr); });
  BOOST_TEST(ended_as_prepared(end));
  BOOST_TEST(says(end, "system call 16 (ioctl, 0x7, 0x5412) is not allowed"), end.said);
}

BOOST_AUTO_TEST_CASE(a_call_without_a_name_is_told_by_its_number) {
  const End end = end_of([] { ::syscall(9999); });
  BOOST_TEST(ended_as_prepared(end));
  BOOST_TEST(says(end, "system call 9999 (see ausyscall(8)"), end.said);
}

// With or without the filter, on a stack of its own.
BOOST_AUTO_TEST_CASE(memory_that_is_not_there_ends_it_in_the_same_way) {
  for (const bool filtered : {true, false}) {
    const End end = end_of(
        [] {
          void* const page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          // By hand: a sanitizer looks at what a compiler writes.
          asm volatile("movb (%0), %%al" : : "r"(page) : "al", "memory");
        },
        filtered);
    BOOST_TEST(ended_as_prepared(end));
    BOOST_TEST(says(end, "ended by SIGSEGV (no such memory), at 0x"), end.said);
  }
}

BOOST_AUTO_TEST_CASE(an_impossible_instruction_does_too) {
  const End end = end_of([] { asm volatile("ud2"); });
  BOOST_TEST(ended_as_prepared(end));
  BOOST_TEST(says(end, "ended by SIGILL"), end.said);
}

BOOST_AUTO_TEST_CASE(a_process_that_finds_itself_broken_does_too) {
  const End end = end_of([] { ::raise(SIGABRT); }, false);
  BOOST_TEST(ended_as_prepared(end));
  BOOST_TEST(says(end, "ended by SIGABRT"), end.said);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
