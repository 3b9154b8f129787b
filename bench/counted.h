// SPDX-License-Identifier: MIT
#pragma once

#include "bench/hot_path.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>

namespace dm::bench {

/// Set when an operation allocated memory or took a lock: the program then ends with an error.
inline bool broke_the_rule = false;

/// Counts allocations and locks of the timed loop.
class Counted {
 public:
  explicit Counted(benchmark::State& state) noexcept : state_{state}, before_{hot_path()} {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    const auto now = hot_path();
    show("allocs/op", now.allocations - before_.allocations);
    show("locks/op", now.locks - before_.locks - kLocksOfFramework);
  }

 private:
  /// Google Benchmark meets at a barrier before the first and after the last iteration.
  static constexpr std::uint64_t kLocksOfFramework = 2;

  void show(const char* name, std::uint64_t count) {
    broke_the_rule = broke_the_rule || count != 0;
    state_.counters[name] =
        benchmark::Counter(static_cast<double>(count), benchmark::Counter::kAvgIterations);
  }

  benchmark::State& state_;
  HotPath before_;
};

/// What main() does. The exit status: 1 when an operation broke the rule, 2 for unknown arguments.
[[nodiscard]] inline int run(int argc, char** argv, const char* program) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  if (broke_the_rule) {
    (void)std::fprintf(stderr, "%s: an operation allocated memory or took a lock: none may\n",
                       program);
    return 1;
  }
  return 0;
}

}  // namespace dm::bench
