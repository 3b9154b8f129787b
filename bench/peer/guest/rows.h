// SPDX-License-Identifier: MIT
#pragma once

#include "bench/peer/guest/drivers.h"
#include "bench/peer/guest/subject.h"
#include "bench/peer/guest/xen_side.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace peer {

struct Options {
  std::string folder;
  std::string libraries;
  std::string serial_file;  ///< where the device model puts what COM1 sends
  std::string tap;          ///< the host's side of the card
  std::string incoming;     ///< a saved state; descriptor 3 of the device model
  std::vector<std::string> command;
  std::vector<std::string> rows;  ///< empty: all
  double scale = 1;               ///< of repetitions
  double idle_seconds = 10;
  unsigned slow_ns = 0;
  int cpu = 0;        ///< of the device model; -1: any
  int guest_cpu = 1;  ///< ours; -1: any
  bool count_calls = false;
  bool held = false;  ///< no rows: does what its input says, beside other guests
  bool real_time =
      false;  ///< for a machine that others use at the same time: both sides get SCHED_FIFO
};

/// Times of one repeated operation.
class Samples {
 public:
  explicit Samples(std::size_t expected) { ticks_.reserve(expected); }
  void add(std::uint64_t ticks) { ticks_.push_back(ticks); }
  [[nodiscard]] std::size_t size() const noexcept { return ticks_.size(); }
  /// Sorts. Nanoseconds at a share of the samples (0.5: median).
  [[nodiscard]] double at(double share, const Clock& clock);

 private:
  std::vector<std::uint64_t> ticks_;
};

/// One run: a device model that was just started, and the drivers.
struct Session {
  Options& options;
  Clock& clock;
  XenSide& xen;
  Subject& subject;
  Vcpu cpu{xen};
  Pci pci{cpu};
  bool failed = false;

  [[nodiscard]] bool wants(const std::string& row) const;
  /// Any of the rows whose names begin like this?
  [[nodiscard]] bool wants_of(const std::string& group) const;
  [[nodiscard]] std::size_t times(double count) const;
  /// Prints one JSON line.
  void report(const std::string& row, const std::string& fields);
  void not_there(const std::string& row, const std::string& why);
  void wrong(const std::string& row, const std::string& why);
  /// Runs `operation` that often and reports nanoseconds for each, the subject's CPU time and
  /// system calls; `per`: things in one operation, for results for each of them.
  void repeat(const std::string& row,
              std::size_t count,
              const std::function<bool(std::size_t)>& operation,
              double bytes_each = 0,
              double pause_us = 0,
              double per = 1);
};

void run_ioreq_rows(Session& session);
void run_serial_rows(Session& session);
void run_ide_rows(Session& session);
void run_e1000_rows(Session& session);
void run_moving_rows(Session& session);
void run_idle_rows(Session& session);
/// Uses port and drive a little, reports "held", and then obeys lines of its input until that ends:
/// "busy SECONDS" is one request each millisecond for so long, reported as "busy".
void run_held(Session& session);

}  // namespace peer
