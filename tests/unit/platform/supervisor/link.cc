// SPDX-License-Identifier: MIT
// The worker's end, with the test as a supervisor that says and does what it likes.
#include "platform/supervisor/link.h"

#include "platform/linux/process/syscall_filter.h"
#include "tests/rig/open_descriptors.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

using namespace dm;
using namespace dm::supervisor;
using dm::rig::open_descriptors;

namespace {

using Heard = Link::Heard;

struct Ends {
  Ends() {
    std::array<int, 2> ends{};
    BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    link.emplace(host::UniqueFd{ends[0]}, box);
    supervisor.reset(ends[1]);
  }
  /// The next message, whose length the result has; nothing when there is none.
  std::optional<std::vector<std::byte>> next() {
    std::vector<std::byte> bytes(64);
    const ssize_t got = ::recv(supervisor.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 || (got == 0 && !link)) {
      return std::nullopt;
    }
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }
  std::optional<Message> message() {
    const auto bytes = next();
    return bytes ? parse_worker(*bytes) : std::nullopt;
  }
  void say(const std::vector<std::byte>& bytes) {
    BOOST_TEST_REQUIRE(::send(supervisor.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(bytes.size()));
  }
  /// The bytes, and so many descriptors of standard error.
  void say_with(std::vector<std::byte> bytes, std::size_t descriptors) {
    std::vector<std::byte> control(CMSG_SPACE(descriptors * sizeof(int)));
    iovec data{.iov_base = bytes.data(), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
    const std::vector<int> given(descriptors, STDERR_FILENO);
    std::memcpy(CMSG_DATA(header), given.data(), descriptors * sizeof(int));
    BOOST_TEST_REQUIRE(::sendmsg(supervisor.get(), &message, MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] bool readable() const {
    pollfd look{.fd = link->descriptor(), .events = POLLIN, .revents = 0};
    return ::poll(&look, 1, 0) == 1;
  }

  BlackBox box;
  std::optional<Link> link;
  host::UniqueFd supervisor;
};

BOOST_FIXTURE_TEST_SUITE(link, Ends)

BOOST_AUTO_TEST_CASE(a_worker_tells_its_server_and_once_that_it_leaves) {
  BOOST_TEST(link->serve(5).has_value());
  BOOST_TEST((message() == Message{Kind::serving, 5}));
  link->leave();
  link->leave();
  BOOST_TEST((message() == Message{Kind::leaving}));
  link.reset();
  BOOST_TEST(!next().has_value());
}

BOOST_AUTO_TEST_CASE(a_link_that_moves_says_nothing_and_leaves_from_its_new_place) {
  std::optional<Link> moved{std::move(*link)};
  link.reset();
  BOOST_TEST(!next().has_value());
  moved.reset();
  BOOST_TEST((message() == Message{Kind::leaving}));
}

BOOST_AUTO_TEST_CASE(a_silent_supervisor_is_not_heard) {
  BOOST_TEST(!readable());
  BOOST_TEST((link->hear() == Heard::nothing));
}

BOOST_AUTO_TEST_CASE(whatever_a_supervisor_says_is_dropped_one_by_one_and_is_not_its_end) {
  for (const std::size_t length : {0U, 1U, 7U, 8U, 9U, 4096U}) {
    say(std::vector<std::byte>(length, std::byte{0x5a}));
    say(std::vector<std::byte>(length));
    for (int i = 0; i < 2; ++i) {
      BOOST_TEST(readable());
      BOOST_TEST((link->hear() == Heard::nonsense), length);
    }
    BOOST_TEST(!readable());
    BOOST_TEST((link->hear() == Heard::nothing));
  }
}

BOOST_AUTO_TEST_CASE(descriptors_in_what_a_supervisor_says_unasked_do_not_arrive) {
  const std::size_t before = open_descriptors();
  say_with({std::byte{0}}, 1);
  BOOST_TEST((link->hear() == Heard::nonsense));
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(a_supervisor_that_is_gone_is_heard_of_whatever_it_has_said_before) {
  say(std::vector<std::byte>(8));
  supervisor.reset();
  BOOST_TEST(readable());
  BOOST_TEST((link->hear() == Heard::gone));
  BOOST_TEST((link->hear() == Heard::gone));
}

BOOST_AUTO_TEST_CASE(a_worker_without_a_supervisor_does_not_begin_to_serve) {
  supervisor.reset();
  BOOST_TEST(link->serve(5).has_error());
  link->leave();  // and no signal ends it
}

BOOST_AUTO_TEST_CASE(a_supervisor_that_does_not_read_never_holds_its_worker_up) {
  while (::send(link->descriptor(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) {
  }
  BOOST_TEST(link->serve(5).has_error());
  link->leave();
}

std::vector<std::byte> done(std::uint32_t error) {
  const MessageBytes bytes = encode({.kind = Kind::done, .value = error});
  return {bytes.begin(), bytes.end()};
}

BOOST_AUTO_TEST_CASE(what_is_asked_is_said_and_the_answer_is_an_errno_value) {
  for (const std::uint32_t error : {0U, 1U, 4095U}) {
    say(done(error));
    BOOST_TEST(link->ask({.kind = Kind::sleep, .value = 3}) == static_cast<int>(error));
    BOOST_TEST((message() == Message{Kind::sleep, 3}));
    BOOST_TEST(!readable());
  }
}

BOOST_AUTO_TEST_CASE(a_descriptor_comes_with_an_answer_and_no_second_one) {
  const Message question{.kind = Kind::disc, .value = 2};
  const std::size_t before = open_descriptors();
  host::UniqueFd disc;
  for (const std::size_t descriptors : {1U, 2U, 8U}) {
    say_with(done(0), descriptors);
    BOOST_TEST(link->ask(question, disc) == 0);
    BOOST_TEST((message() == question));
    BOOST_TEST(disc.get() >= 0);
    BOOST_TEST(::fcntl(disc.get(), F_GETFD) == FD_CLOEXEC);
    BOOST_TEST(open_descriptors() == before + 1);
  }
  say(done(ENOENT));
  BOOST_TEST(link->ask(question, disc) == ENOENT);
  BOOST_TEST(disc.get() == -1);
  say_with(done(0), 1);
  BOOST_TEST(link->ask(question) == 0);  // by who wants none
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(after_an_answer_that_makes_no_sense_nothing_is_asked_any_more) {
  say(std::vector<std::byte>(9));
  BOOST_TEST(link->ask({.kind = Kind::sleep, .value = 3}) == EPROTO);
  BOOST_TEST((message() == Message{Kind::sleep, 3}));
  say(done(0));
  BOOST_TEST(link->ask({.kind = Kind::sleep, .value = 0}) == EPIPE);
  BOOST_TEST(!message().has_value());
}

BOOST_AUTO_TEST_CASE(a_supervisor_that_is_gone_is_asked_nothing_and_not_waited_for) {
  supervisor.reset();
  BOOST_TEST(link->ask({.kind = Kind::sleep, .value = 3}) == EPIPE);
}

// A stub domain's worker has given up nearly all of them before its guest runs.
BOOST_AUTO_TEST_CASE(the_system_calls_of_a_confined_worker_are_enough) {
#if defined(__SANITIZE_ADDRESS__)
  std::fputs("NOT RUN: a sanitizer makes system calls of its own\n", stderr);
#else
  say(std::vector<std::byte>(8));
  const pid_t worker = ::fork();
  BOOST_TEST_REQUIRE(worker >= 0);
  if (worker == 0) {
    supervisor.reset();
    if (!host::filter_system_calls({})) {
      ::_exit(1);
    }
    const bool heard = link->hear() == Heard::nonsense && link->hear() == Heard::nothing;
    link->leave();
    ::_exit(heard ? 0 : 2);
  }
  int status = -1;
  BOOST_TEST_REQUIRE(::waitpid(worker, &status, 0) == worker);
  BOOST_TEST(status == 0);
  BOOST_TEST((message() == Message{Kind::leaving}));
#endif
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
