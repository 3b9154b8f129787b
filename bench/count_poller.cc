// SPDX-License-Identifier: MIT
// Instructions of the loop's fast part: a turn that finds a request, and one that goes to sleep.
// The host is idle and its clock a counter, so that nothing depends on the time that counting
// takes.

#include "bench/count.h"
#include "bench/dispatch_rig.h"
#include "bench/keep.h"
#include "core/ports/event_loop.h"
#include "ioreq/poller.h"

#include <time.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace {

constexpr long kTick = 100;  ///< ns between two looks at the clock
std::int64_t host_time = 0;

}  // namespace

// Before libc's own, so that std::chrono::steady_clock asks this one.
extern "C" int clock_gettime(clockid_t /*which*/, timespec* now) noexcept {
  host_time += kTick;
  now->tv_sec = host_time / 1'000'000'000;
  now->tv_nsec = host_time % 1'000'000'000;
  return 0;
}

namespace {

using dm::bench::count;
using dm::bench::DispatchRig;
using dm::bench::kAllOperations;
using dm::bench::keep;
using dm::bench::must;
using dm::bench::Row;

class IdleHost final : public dm::EventLoop {
 public:
  bool wait(std::optional<std::chrono::nanoseconds> /*timeout*/) noexcept override {
    ++sleeps;
    return true;
  }
  void poll() noexcept override {}
  std::uint64_t sleeps = 0;
};

struct PollerRig {
  DispatchRig m;
  IdleHost host;
  dm::ioreq::Poller poller{
      m.guest.server(), m.guest.ioreq_port(), host,
      m.guest.timers(), m.guest.work(),       {.mode = dm::ioreq::SpinPolicy::Mode::off}};

  std::uint64_t request() {
    m.guest.fill_slot(DispatchRig::kPortRead, 0);
    keep(poller.turn());
    return m.guest.take_answer(0);
  }
};

void poller_request() {
  PollerRig rig;
  count([&] { keep(rig.request()); });
  must(rig.host.sleeps == 0 && rig.request() == 0x65 && host_time != 0);
}
void poller_request_and_sleep() {
  PollerRig rig;
  count([&] {
    keep(rig.request());
    keep(rig.poller.turn());
  });
  must(rig.host.sleeps == kAllOperations);
}

constexpr Row kRows[]{
    {"poller_request", poller_request},
    {"poller_request_and_sleep", poller_request_and_sleep},
};

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run_row(kRows, argc, argv);
}
