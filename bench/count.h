// SPDX-License-Identifier: MIT
// Programs that do an operation again and again, for tests/gates, which runs them under callgrind
// and takes the difference of two lengths. What is between two dumps is counted, so that neither
// start nor set-up is in a number. Each row ends with a look at what the device did: a row that
// counts errors would be cheap, and wrong.
//
// There are several programs, since link-time optimization decides for each what is inlined: a new
// row shall not move those of other devices.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string_view>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define DM_HAS_CALLGRIND 1
#else
#define DM_HAS_CALLGRIND 0
#endif

namespace dm::bench {

/// A multiple of the batches in which any ring here goes round.
inline constexpr unsigned kOperations = 64;
/// How often a row does its operation in all.
inline constexpr unsigned kAllOperations = 4 * kOperations;

/// The same loop three times: to make everything as it stays, for one length, for twice that.
template <class Operation>
void count(Operation operation) {
  for (const unsigned times : {kOperations, kOperations, 2 * kOperations}) {
#if DM_HAS_CALLGRIND
    CALLGRIND_ZERO_STATS;
#endif
    for (unsigned i = 0; i < times; ++i) {
      operation();
    }
#if DM_HAS_CALLGRIND
    CALLGRIND_DUMP_STATS;
#endif
  }
}

inline void must(bool holds) {
  if (!holds) {
    (void)std::fputs("the operation did not do what it should\n", stderr);
    std::exit(1);
  }
}

struct Row {
  std::string_view name;
  void (*run)();
  unsigned things = 1;  ///< frames, segments, sends in one operation: the number is for each
};

/// What main() does: `--list` names the rows; a row's name runs it, and prints by how many
/// operations its last dump is longer than the one before it. The exit status: 77 when nothing
/// could be counted, 2 for unknown arguments.
[[nodiscard]] inline int run_row(std::span<const Row> rows, int argc, char** argv) {
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  try {
    for (const Row& row : rows) {
      if (wanted == "--list") {
        std::printf("%.*s\n", static_cast<int>(row.name.size()), row.name.data());
      } else if (wanted == row.name) {
        if (DM_HAS_CALLGRIND == 0) {
          std::puts("NOT RUN: built without valgrind/callgrind.h (package valgrind)");
          return 77;
        }
        row.run();
        std::printf("%u\n", kOperations * row.things);
        return 0;
      }
    }
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  if (wanted != "--list") {
    (void)std::fprintf(stderr, "usage: %s --list | ROW, under callgrind\n", argv[0]);
    return 2;
  }
  return 0;
}

}  // namespace dm::bench
