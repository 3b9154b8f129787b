// SPDX-License-Identifier: MIT
// What the same machine does at best: the operations under each row without a device model around
// them. One JSON line each.
#include "bench/peer/floor/floor.h"
#include "bench/peer/guest/drivers.h"
#include "bench/peer/guest/e1000.h"
#include "bench/peer/guest/xen_side.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace peer {

Settings settings;
const Clock* the_clock = nullptr;

void report(const char* row, std::vector<std::uint64_t> ticks, double bytes_each) {
  std::sort(ticks.begin(), ticks.end());
  const auto at = [&](double share) {
    return the_clock->ns(
        ticks[static_cast<std::size_t>(share * static_cast<double>(ticks.size() - 1))]);
  };
  std::printf(
      "{\"row\": \"%s\", \"n\": %zu, \"median_ns\": %.1f, \"p99_ns\": %.1f, \"min_ns\": %.1f", row,
      ticks.size(), at(0.5), at(0.99), at(0));
  if (bytes_each > 0) {
    std::printf(", \"bytes_per_s\": %.0f", bytes_each / at(0.5) * 1e9);
  }
  std::printf("}\n");
  std::fflush(stdout);
}

std::size_t times(double count) {
  return std::max<std::size_t>(10, static_cast<std::size_t>(count * settings.scale));
}

}  // namespace peer

namespace {

using peer::Clock;
using peer::measure;
using peer::report;
using peer::settings;
using peer::the_clock;
using peer::times;

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::sched_setaffinity(0, sizeof set, &set);
  if (settings.real_time) {
    const sched_param priority{.sched_priority = 10};
    ::sched_setscheduler(0, SCHED_FIFO, &priority);
  }
}

/// The doorman of start-ups: back to an ordinary thread.
void unpin() {
  const sched_param priority{.sched_priority = 0};
  ::sched_setscheduler(0, SCHED_OTHER, &priority);
}

/// One byte goes to the other core and back: READY, answered. With `notify` the answering side
/// makes one system call after each answer, as a device model must: its vCPU may be asleep.
void ping_pong(const char* row, bool notify) {
  struct alignas(64) Line {
    std::atomic<std::uint8_t> state{0};
  } line;
  std::atomic<bool> stop{false};
  std::atomic<bool> there{false};
  const int event = ::eventfd(0, 0);
  std::thread other{[&] {
    pin(settings.cpu);
    there = true;
    const std::uint64_t one = 1;
    while (!stop.load(std::memory_order_relaxed)) {
      if (line.state.load(std::memory_order_acquire) == 1) {
        line.state.store(3, std::memory_order_release);
        if (notify) {
          static_cast<void>(!::write(event, &one, sizeof one));
        }
      }
      __builtin_ia32_pause();
    }
  }};
  while (!there) {
    ::poll(nullptr, 0, 1);  // not a spin: it may have to start on this CPU
  }
  report(row, measure(times(200'000), [&] {
           line.state.store(1, std::memory_order_release);
           while (line.state.load(std::memory_order_acquire) != 3) {
             __builtin_ia32_pause();
           }
         }));
  stop = true;
  other.join();
  ::close(event);
}

/// Two sleepers wake each other by eventfds.
void wake_ups(const char* row, std::size_t count, long pause_ns) {
  const int there = ::eventfd(0, 0);
  const int back = ::eventfd(0, 0);
  std::thread other{[&] {
    pin(settings.cpu);
    const std::uint64_t one = 1;
    for (std::uint64_t got = 0; ::read(there, &got, sizeof got) == sizeof got && got == 1;) {
      static_cast<void>(!::write(back, &one, sizeof one));
    }
  }};
  std::vector<std::uint64_t> ticks;
  for (std::size_t i = 0; i < count; ++i) {
    if (pause_ns != 0) {
      const timespec pause{.tv_sec = 0, .tv_nsec = pause_ns};
      ::clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
    }
    std::uint64_t one = 1;
    const std::uint64_t begin = Clock::ticks();
    static_cast<void>(!::write(there, &one, sizeof one));
    static_cast<void>(!::read(back, &one, sizeof one));
    ticks.push_back(Clock::ticks() - begin);
  }
  const std::uint64_t end = 2;
  static_cast<void>(!::write(there, &end, sizeof end));
  other.join();
  ::close(there);
  ::close(back);
  report(row, std::move(ticks));
}

void disk_reads() {
  const int file = ::open(settings.disk.c_str(), O_RDWR);
  if (file < 0) {
    return;
  }
  std::vector<std::byte> buffer(65536);
  off_t at = 0;
  const auto next = [&](std::size_t bytes) {
    at = (at + 65536) % (32 << 20);
    static_cast<void>(!::pread(file, buffer.data(), bytes, at));
  };
  report("floor_pread_64k", measure(times(4000), [&] { next(65536); }), 65536);
  report("floor_pread_4k", measure(times(4000), [&] { next(4096); }), 4096);
  report("floor_pwrite_64k",
         measure(times(2000),
                 [&] {
                   at = (at + 65536) % (32 << 20);
                   static_cast<void>(!::pwrite(file, buffer.data(), 65536, (32 << 20) + at));
                 }),
         65536);
  ::close(file);
}

void starting() {
  const std::string program = settings.programs + "/static_exit";
  report("floor_start", measure(std::min<std::size_t>(times(100), 100), [&] {
           std::array<int, 2> ends{};
           static_cast<void>(!::pipe(ends.data()));
           const pid_t child = ::fork();
           if (child == 0) {
             ::dup2(ends[1], 1);
             ::execl(program.c_str(), program.c_str(), nullptr);
             ::_exit(127);
           }
           ::close(ends[1]);
           char byte = 0;
           static_cast<void>(!::read(ends[0], &byte, 1));
           ::close(ends[0]);
           ::waitpid(child, nullptr, 0);
         }));
}

std::uint64_t rss_kb(pid_t pid, const char* field) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(field, 0) == 0) {
      return std::strtoull(line.c_str() + std::strlen(field) + 1, nullptr, 10);
    }
  }
  return 0;
}

void memory() {
  const std::string program = settings.programs + "/asio_idle";
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(program.c_str(), program.c_str(), nullptr);
    ::_exit(127);
  }
  ::poll(nullptr, 0, 200);
  const std::uint64_t anon = rss_kb(child, "RssAnon");
  const std::uint64_t file = rss_kb(child, "RssFile");
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  std::printf(
      "{\"row\": \"floor_memory\", \"anon_kb\": %lu, \"file_kb\": %lu, \"total_kb\": %lu}\n", anon,
      file, anon + file);
  std::fflush(stdout);
}

/// The test disk: every 8-byte word says where it is.
int make_disk(const char* path, std::uint64_t megabytes) {
  std::ofstream out{path, std::ios::binary};
  std::vector<std::uint64_t> words(1 << 17);
  for (std::uint64_t at = 0; at < megabytes; ++at) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] = peer::disk_word(at * words.size() + i);
    }
    out.write(reinterpret_cast<const char*>(words.data()), 1 << 20);
  }
  return out.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--make-disk") == 0) {
    return make_disk(argv[2], std::strtoull(argv[3], nullptr, 10));
  }
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const char* const value = argv[i + 1];
    if (name == "--scale") {
      settings.scale = std::strtod(value, nullptr);
    } else if (name == "--cpu") {
      settings.cpu = std::atoi(value);
    } else if (name == "--guest-cpu") {
      settings.guest_cpu = std::atoi(value);
    } else if (name == "--disk") {
      settings.disk = value;
    } else if (name == "--tap") {
      settings.tap = value;
    } else if (name == "--programs") {
      settings.programs = value;
    } else if (name == "--real-time") {
      settings.real_time = std::atoi(value) != 0;
    }
  }
  ::prctl(PR_SET_TIMERSLACK, 1000);
  const Clock clock;
  the_clock = &clock;
  pin(settings.guest_cpu);
  if (!settings.programs.empty()) {
    starting();
    memory();
  }
  ping_pong("floor_ping_pong", false);
  ping_pong("floor_ping_pong_notify", true);
  wake_ups("floor_wake_sleep", times(10'000), 0);
  wake_ups("floor_wake_idle_1ms", times(500), 1'000'000);
  disk_reads();
  pin(settings.cpu);
  peer::tap_writes();
  peer::tap_reads("floor_tap_read_60", 60);
  peer::tap_reads("floor_tap_read_1514", 1514);
  unpin();
}
