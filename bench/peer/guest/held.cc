// SPDX-License-Identifier: MIT
// A guest among many: idle until it is told to be busy.
#include "bench/peer/guest/rows.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <string>

namespace peer {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kPeriod = 1'000'000;  ///< ns from one request to the next

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

void sleep_until(std::int64_t when) {
  const timespec time{.tv_sec = when / kSecond, .tv_nsec = when % kSecond};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

/// What a guest that has booted has used: its device model has those pages in memory.
bool use_a_little(Session& s) {
  Uart uart{s.cpu};
  Ide ide{s.cpu, s.xen, s.pci};
  if (!uart.set_up() || !ide.set_up()) {
    return false;
  }
  uart.write("a line on the console\r\n");
  const std::array<std::uint64_t, 4> pages{0x400000, 0x402000, 0x404000, 0x406000};
  for (std::uint32_t i = 0; i < 8; ++i) {
    if (!ide.dma(false, i * 32, 32, pages) || !ide.dma(true, i * 32, 32, pages)) {
      return false;
    }
  }
  return ide.flush();
}

/// One request each millisecond. Milliseconds that a late answer takes away are not caught up on
/// but counted: what was wanted is told beside what was made.
void be_busy(Session& s, double seconds) {
  const auto wanted = static_cast<std::int64_t>(seconds * 1000);
  Samples samples{static_cast<std::size_t>(wanted)};
  // Guests are not in step with each other.
  const std::int64_t start = now() + ::getpid() * std::int64_t{7919} % 1000 * (kPeriod / 1000);
  for (std::int64_t i = 0; i < wanted;) {
    sleep_until(start + i * kPeriod);
    s.xen.drain_wakes();
    const std::uint64_t begin = Clock::ticks();
    if (s.cpu.inb(0x3fd) == 0xff) {
      s.wrong("busy", "no UART answers");
      return;
    }
    samples.add(Clock::ticks() - begin);
    i = std::max(i + 1, (now() - start) / kPeriod);
  }
  s.report("busy", "\"n\": " + std::to_string(samples.size()) +
                       ", \"wanted\": " + std::to_string(wanted) +
                       ", \"median_ns\": " + std::to_string(samples.at(0.5, s.clock)) +
                       ", \"p99_ns\": " + std::to_string(samples.at(0.99, s.clock)));
}

}  // namespace

void run_held(Session& s) {
  s.cpu.wait_by(Wait::sleep);
  if (!use_a_little(s)) {
    s.wrong("held", "UART or drive do not answer as they should");
    return;
  }
  s.report("held", "\"pid\": " + std::to_string(s.subject.pid()));
  for (std::string word; std::cin >> word;) {
    double seconds = 0;
    if (word == "busy" && std::cin >> seconds) {
      be_busy(s, seconds);
    }
  }
}

}  // namespace peer
