// SPDX-License-Identifier: MIT
// The synthetic guest: plays Xen and hvmloader, drives one device model through the rows, prints
// one JSON line for each.
#include "bench/peer/guest/rows.h"

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using namespace peer;

[[noreturn]] void usage() {
  std::fputs(
      "usage: peer_guest --dir FOLDER --lib FOLDER [--serial FILE] [--tap NAME] [--rows a,b] "
      "[--scale X] [--idle SECONDS]\n"
      "                  [--incoming FILE] [--slow NS] [--count] [--real-time] [--held] [--cpu N]\n"
      "                  [--guest-cpu N] -- program arguments...\n",
      stderr);
  std::exit(2);
}

Options parse(int argc, char** argv) {
  Options options;
  int i = 1;
  const auto value = [&]() -> std::string { return ++i < argc ? argv[i] : (usage(), ""); };
  for (; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--") {
      options.command.assign(argv + i + 1, argv + argc);
      break;
    }
    if (name == "--dir") {
      options.folder = value();
    } else if (name == "--lib") {
      options.libraries = value();
    } else if (name == "--serial") {
      options.serial_file = value();
    } else if (name == "--tap") {
      options.tap = value();
    } else if (name == "--incoming") {
      options.incoming = value();
    } else if (name == "--scale") {
      options.scale = std::stod(value());
    } else if (name == "--idle") {
      options.idle_seconds = std::stod(value());
    } else if (name == "--slow") {
      options.slow_ns = static_cast<unsigned>(std::stoul(value()));
    } else if (name == "--cpu") {
      options.cpu = std::stoi(value());
    } else if (name == "--guest-cpu") {
      options.guest_cpu = std::stoi(value());
    } else if (name == "--real-time") {
      options.real_time = true;
    } else if (name == "--held") {
      options.held = true;
    } else if (name == "--count") {
      options.count_calls = true;
    } else if (name == "--rows") {
      std::string rows = value();
      for (std::size_t at = 0; at != std::string::npos;) {
        const std::size_t comma = rows.find(',', at);
        options.rows.push_back(rows.substr(at, comma - at));
        at = comma == std::string::npos ? comma : comma + 1;
      }
    } else {
      usage();
    }
  }
  if (options.command.empty() || options.folder.empty() || options.libraries.empty()) {
    usage();
  }
  return options;
}

/// Until the state key says "running".
bool wait_running(Session& session) {
  for (;;) {
    if (session.xen.control().running.load(std::memory_order_acquire) != 0) {
      const double ns = session.clock.ns(Clock::ticks() - session.subject.started());
      session.report("start", "\"median_ns\": " + std::to_string(ns) + ", \"n\": 1");
      return true;
    }
    if (!session.subject.alive() ||
        session.clock.ns(Clock::ticks() - session.subject.started()) > 20e9) {
      session.wrong("start", "the device model did not reach running");
      return false;
    }
    pollfd wait{.fd = session.xen.wake_descriptor(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, 100) == 1) {
      session.xen.drain_wakes();
    }
  }
}

/// The vCPU gets a processor of its own.
void settle(const Options& options) {
  pin_to(options.guest_cpu);
  if (options.real_time) {
    const sched_param priority{.sched_priority = 10};
    ::sched_setscheduler(0, SCHED_FIFO, &priority);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options = parse(argc, argv);
  // Sleeps of 1 ms shall be 1 ms.
  ::prctl(PR_SET_TIMERSLACK, 1000);
  Clock clock;
  XenSide xen{options.folder, std::uint64_t{64} << 20, options.slow_ns};
  settle(options);
  Subject subject{options.command,  options.libraries, options.folder,
                  options.incoming, options.cpu,       options.real_time};
  Session session{.options = options, .clock = clock, .xen = xen, .subject = subject};
  if (!wait_running(session)) {
    return 1;
  }
  if (options.count_calls && !subject.count_system_calls()) {
    options.count_calls = false;
    session.not_there("calls", "no access to the raw_syscalls tracepoint");
  }
  if (options.held) {
    run_held(session);
    return session.failed ? 1 : 0;
  }
  run_ioreq_rows(session);
  run_serial_rows(session);
  run_ide_rows(session);
  run_e1000_rows(session);
  run_moving_rows(session);
  run_idle_rows(session);
  return session.failed ? 1 : 0;
}
