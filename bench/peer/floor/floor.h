// SPDX-License-Identifier: MIT
// What the programs' floors share: how an operation is measured and reported.
#pragma once

#include "bench/peer/guest/drivers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace peer {

struct Settings {
  int cpu = 0;
  int guest_cpu = 1;
  double scale = 1;
  bool real_time = false;
  std::string disk;
  std::string tap;
  std::string programs;  ///< folder of static_exit and asio_idle
};
extern Settings settings;
extern const Clock* the_clock;

/// One JSON line: the median and others of `ticks`; with `bytes_each`, bytes a second too.
void report(const char* row, std::vector<std::uint64_t> ticks, double bytes_each = 0);
/// So many repetitions, scaled as --scale says, ten at least.
std::size_t times(double count);

template <class Operation>
std::vector<std::uint64_t> measure(std::size_t count, Operation operation) {
  std::vector<std::uint64_t> ticks;
  ticks.reserve(count);
  for (std::size_t i = 0; i < count / 10 + 1; ++i) {
    operation();
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t begin = Clock::ticks();
    operation();
    ticks.push_back(Clock::ticks() - begin);
  }
  return ticks;
}

/// Frames to a tap, one by one, sixteen a call, and 64 KiB to be cut.
void tap_writes();
/// Frames that wait in the tap's queue, taken out one by one.
void tap_reads(const char* row, std::uint32_t bytes);

}  // namespace peer
