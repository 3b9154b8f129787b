// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

namespace dm::test {

/// Counts what it is told.
struct Counter {
  int calls = 0;
  void count() noexcept { ++calls; }
  [[nodiscard]] host::Callback callback() { return host::Callback::bind<&Counter::count>(*this); }
};

/// Two ends of a socket: one to watch, one to send from.
struct Pair {
  Pair() {
    int fds[2];
    BOOST_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    near = host::UniqueFd{fds[0]};
    far = host::UniqueFd{fds[1]};
  }
  void send() const { BOOST_REQUIRE_EQUAL(::write(far.get(), "x", 1), 1); }
  host::UniqueFd near;
  host::UniqueFd far;
};

}  // namespace dm::test
