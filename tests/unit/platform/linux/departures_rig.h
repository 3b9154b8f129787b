// SPDX-License-Identifier: MIT
#pragma once

#include "tests/unit/platform/linux/char_peers.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace dm::test {

/// Serial lines whose other side goes: what has to be true afterwards.
struct Departures : CharFixture {
  static constexpr std::size_t kBacklog = 16384;  ///< what is kept for who comes

  /// Everything that the loop has to do is done.
  void settle() {
    for (int quiet = 0; quiet < 3;) {
      const auto before = loop.counters();
      loop.wait(2ms);
      quiet = loop.counters().handlers == before.handlers ? quiet + 1 : 0;
    }
  }
  /// The device sees a line on which nobody has ever been, and the process sleeps.
  void check_nobody_there(const CharKind& kind,
                          Chardev& device,
                          Client& uart,
                          std::chrono::milliseconds idle = 10ms) {
    settle();
    if (kind.carrier) {
      BOOST_TEST(!uart.lines.dcd);
      BOOST_TEST(!uart.lines.dsr);
      BOOST_TEST(!uart.lines.cts);
    }
    BOOST_TEST(stays_idle(loop, idle));
    reset_calls();
    const auto before = device.output();
    const std::string text = numbered(100'000);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < text.size(); at += 16) {
      refused += 16 - device.write(bytes(text).subspan(at, 16));
      if (at % 4096 == 0) {
        loop.wait(0ns);
      }
    }
    BOOST_TEST(refused == 0U);
    BOOST_TEST(calls().vector_writes == 0U);
    BOOST_TEST(calls().epoll_changes == 0U);
    const auto after = device.output();
    BOOST_TEST(after.waiting == (kind.keeps ? kBacklog : 0U));
    BOOST_TEST(after.dropped - before.dropped ==
               before.waiting + text.size() - (kind.keeps ? kBacklog : 0U));
    BOOST_TEST(stays_idle(loop, 5ms));
  }
  /// Writes until the line takes no more.
  static std::size_t fill(Chardev& device) {
    const std::string text(1 << 20, '.');
    std::size_t taken = 0;
    for (;;) {
      const std::size_t now = device.write(bytes(text));
      taken += now;
      if (now < text.size()) {
        return taken;
      }
    }
  }
  /// The next one sees what is printed for it from its first character on.
  void check_next(const CharKind& kind, CharLine& line) {
    if (!kind.comes_back) {
      return;
    }
    const CharPeer next = line.come();
    settle();
    while (!read_all(next.fd.get()).empty()) {  // what was kept for it
      settle();
    }
    for (const char c : std::string_view{"HELLO"}) {
      BOOST_TEST(line.device->write(bytes({&c, 1})) == 1U);
      loop.wait(0ns);
    }
    BOOST_TEST(receive(next.fd.get(), 5) == "HELLO");
  }
};

inline void for_each_kind(const std::function<void(const CharKind&)>& check) {
  for (const CharKind& kind : char_kinds()) {
    BOOST_TEST_CONTEXT(kind.name) {
      check(kind);
    }
  }
}

/// How much the device reads of what is typed: nothing (loopback, a chip that is full), a chip
/// without FIFOs, and one with.
inline constexpr std::size_t kRooms[] = {0, 1, 16};

}  // namespace dm::test
