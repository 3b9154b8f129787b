// SPDX-License-Identifier: MIT
#include "bench/peer/guest/rows.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

namespace peer {

double Samples::at(double share, const Clock& clock) {
  if (ticks_.empty()) {
    return 0;
  }
  std::sort(ticks_.begin(), ticks_.end());
  const auto index = static_cast<std::size_t>(share * static_cast<double>(ticks_.size() - 1));
  return clock.ns(ticks_[index]);
}

bool Session::wants(const std::string& row) const {
  return options.rows.empty() ||
         std::any_of(options.rows.begin(), options.rows.end(),
                     [&](const auto& name) { return row.rfind(name, 0) == 0; });
}

bool Session::wants_of(const std::string& group) const {
  return wants(group) || std::any_of(options.rows.begin(), options.rows.end(),
                                     [&](const auto& name) { return name.rfind(group, 0) == 0; });
}

std::size_t Session::times(double count) const {
  return std::max<std::size_t>(1, static_cast<std::size_t>(count * options.scale));
}

void Session::report(const std::string& row, const std::string& fields) {
  std::printf("{\"row\": \"%s\", %s}\n", row.c_str(), fields.c_str());
  std::fflush(stdout);
}

void Session::not_there(const std::string& row, const std::string& why) {
  report(row, "\"absent\": \"" + why + "\"");
}

void Session::wrong(const std::string& row, const std::string& why) {
  failed = true;
  report(row, "\"wrong\": \"" + why + "\"");
}

void Session::repeat(const std::string& row,
                     std::size_t count,
                     const std::function<bool(std::size_t)>& operation,
                     double bytes_each,
                     double pause_us,
                     double per) {
  for (std::size_t i = 0; i < std::min<std::size_t>(count / 10 + 1, 200); ++i) {
    if (!operation(i)) {  // warm-up
      wrong(row, "a warm-up operation failed or gave wrong data");
      return;
    }
  }
  Samples samples{count};
  const Subject::Usage before = subject.usage();
  const std::uint64_t calls_before = subject.system_calls();
  const std::uint64_t requests_before = cpu.requests();
  const std::uint64_t start = Clock::ticks();
  double paused = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (pause_us > 0) {
      const timespec pause{.tv_sec = 0, .tv_nsec = static_cast<long>(pause_us * 1000)};
      const std::uint64_t asleep = Clock::ticks();
      ::clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
      xen.drain_wakes();
      paused += clock.ns(Clock::ticks() - asleep);
    }
    const std::uint64_t begin = Clock::ticks();
    const bool good = operation(i);
    samples.add(Clock::ticks() - begin);
    if (!good) {
      wrong(row, "operation " + std::to_string(i) + " failed or gave wrong data");
      return;
    }
  }
  const double total = clock.ns(Clock::ticks() - start) - paused;
  // What it still does after the last answer (leaving a spin, say) belongs to these requests too.
  ::poll(nullptr, 0, 20);
  const Subject::Use used = subject.used_since(before);
  const double n = static_cast<double>(count) * per;
  std::ostringstream fields;
  fields << "\"n\": " << count << ", \"median_ns\": " << samples.at(0.5, clock) / per
         << ", \"p99_ns\": " << samples.at(0.99, clock) / per
         << ", \"min_ns\": " << samples.at(0, clock) / per << ", \"mean_ns\": " << total / n
         << ", \"cpu_ns\": " << static_cast<double>(used.cpu_ns) / n
         << ", \"requests\": " << static_cast<double>(cpu.requests() - requests_before) / n;
  if (bytes_each > 0) {
    fields << ", \"bytes_per_s\": " << bytes_each * static_cast<double>(count) / total * 1e9;
  }
  if (options.count_calls) {
    fields << ", \"calls\": " << static_cast<double>(subject.system_calls() - calls_before) / n;
  }
  report(row, fields.str());
}

void run_ioreq_rows(Session& s) {
  const auto bridge = s.pci.find(0x8086, 0x1237);
  if (!bridge) {
    s.wrong("ioreq", "no host bridge");
    return;
  }
  const bool uart = s.xen.claimed(range_port, 0x3f8, 0x3ff);
  const auto port_read = [&](std::size_t i) {
    // The scratch register, changed from time to time: what is read back must be what was written.
    static std::uint8_t kept = 0;
    if (i % 256 == 0) {
      kept = static_cast<std::uint8_t>(i / 256 + 1);
      s.cpu.outb(0x3ff, kept);
    }
    return s.cpu.inb(0x3ff) == kept;
  };
  const auto config_read = [&](std::size_t) {
    return s.cpu.config_read(*bridge, 0, 4) == 0x12378086U;
  };
  if (s.wants("ioreq_port_spin") && uart) {
    s.repeat("ioreq_port_spin", s.times(100'000), port_read);
  }
  if (s.wants("ioreq_config_spin")) {
    s.repeat("ioreq_config_spin", s.times(100'000), config_read);
  }
  s.cpu.wait_by(Wait::sleep);
  if (s.wants("ioreq_port_sleep") && uart) {
    s.repeat("ioreq_port_sleep", s.times(20'000), port_read);
  }
  if (s.wants("ioreq_port_idle_1ms") && uart) {
    s.repeat(
        "ioreq_port_idle_1ms", s.times(1000), [&](std::size_t) { return s.cpu.inb(0x3fd) != 0xff; },
        0, 1000);
  }
  s.cpu.wait_by(Wait::spin);
}

namespace {

std::string file_tail(const std::string& path, std::size_t bytes) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(0, file.tellg()));
  const std::size_t take = std::min(size, bytes);
  file.seekg(static_cast<std::streamoff>(size - take));
  std::string text(take, '\0');
  file.read(text.data(), static_cast<std::streamsize>(take));
  return text;
}

std::size_t file_size(const std::string& path) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  return static_cast<std::size_t>(std::max<std::streamoff>(0, file.tellg()));
}

/// The bytes come out of a file at the other side of the device model, perhaps a little later.
bool arrived(const std::string& path,
             std::size_t size_before,
             const std::string& line,
             std::size_t lines) {
  for (int i = 0; i < 2000 && file_size(path) < size_before + line.size() * lines; ++i) {
    ::poll(nullptr, 0, 1);
  }
  return file_size(path) == size_before + line.size() * lines &&
         file_tail(path, line.size()) == line;
}

}  // namespace

void run_serial_rows(Session& s) {
  if (!s.wants_of("serial")) {
    return;
  }
  Uart uart{s.cpu};
  if (!s.xen.claimed(range_port, 0x3f8, 0x3ff) || !uart.set_up()) {
    s.wrong("serial_char", "no 16550A");
    return;
  }
  const std::string line = "The quick brown fox jumps over the lazy dog and does so once more.\r\n";
  const auto check = [&](const std::string& row, const std::function<void()>& send) {
    if (!s.wants(row)) {
      return;
    }
    const std::size_t before = file_size(s.options.serial_file);
    const std::size_t lines = s.times(500);
    s.repeat(
        row, lines,
        [&](std::size_t) {
          send();
          return true;
        },
        static_cast<double>(line.size()));
    const std::size_t warm = std::min<std::size_t>(lines / 10 + 1, 200);
    if (!arrived(s.options.serial_file, before, line, lines + warm)) {
      s.wrong(row, "the text did not arrive as it was sent");
    }
  };
  check("serial_char", [&] { uart.write(line); });
  constexpr std::uint64_t kText = 0x190000;
  std::memcpy(s.xen.at<char>(kText), line.data(), line.size());
  check("serial_rep_outsb",
        [&] { uart.write_block(kText, static_cast<std::uint32_t>(line.size())); });
}

namespace {

/// A drive whose first half is read and whose second half is written, 64 KiB at a time.
class IdeRows {
 public:
  IdeRows(Session& s, Ide& ide, std::uint32_t sectors)
      : s_{s}, ide_{ide}, runs_{sectors / kRun / 2} {
    for (std::uint64_t page = 0; page < 16; ++page) {
      // Scattered, as pages of a page cache are: no two adjacent.
      pages_.push_back(kBuffer + (page * 7 % 16) * 8192);
    }
  }

  void read_64k() {
    const auto read = [this](std::size_t i) { return read_run(i); };
    if (s_.wants("ide_read_dma_64k")) {
      s_.repeat("ide_read_dma_64k", s_.times(4000), read, 65536);
    }
    if (s_.wants("ide_read_dma_64k_sleep")) {
      s_.cpu.wait_by(Wait::sleep);
      s_.repeat("ide_read_dma_64k_sleep", s_.times(1000), read, 65536);
      s_.cpu.wait_by(Wait::spin);
    }
  }
  void read_4k() {
    if (s_.wants("ide_read_dma_4k")) {
      s_.repeat(
          "ide_read_dma_4k", s_.times(4000),
          [this](std::size_t i) {
            const std::uint32_t lba = read_at(i);
            return ide_.dma(false, lba, 8, std::span{pages_}.first(1)) &&
                   holds(pages_[0], std::uint64_t{lba} * 64, 512);
          },
          4096);
    }
    if (s_.wants("ide_read_pio_4k")) {
      s_.repeat(
          "ide_read_pio_4k", s_.times(1000),
          [this](std::size_t i) {
            const std::uint32_t lba = read_at(i);
            return ide_.read_pio(lba, 8, kBuffer) && holds(kBuffer, std::uint64_t{lba} * 64, 512);
          },
          4096);
    }
  }
  void write_64k() {
    if (!s_.wants("ide_write_dma_64k")) {
      return;
    }
    s_.repeat(
        "ide_write_dma_64k", s_.times(1000), [this](std::size_t i) { return write_run(i); }, 65536);
    // What was written last is read back.
    const std::uint32_t lba = runs_ * kRun;
    const bool good = ide_.flush() && ide_.dma(false, lba, kRun, pages_) &&
                      *s_.xen.at<std::uint64_t>(pages_[0]) == ~disk_word(std::uint64_t{lba} * 64);
    if (!good) {
      s_.wrong("ide_write_dma_64k", "what was written does not come back");
    }
  }

 private:
  static constexpr std::uint64_t kBuffer = 0x400000;
  static constexpr std::uint32_t kRun = 128;  ///< sectors of 64 KiB

  [[nodiscard]] std::uint32_t read_at(std::size_t i) const {
    return static_cast<std::uint32_t>(i % runs_ * kRun);
  }
  [[nodiscard]] bool holds(std::uint64_t page, std::uint64_t index, std::size_t words) const {
    const auto* const at = s_.xen.at<std::uint64_t>(page);
    for (std::size_t i = 0; i < words; ++i) {
      if (at[i] != disk_word(index + i)) {
        return false;
      }
    }
    return true;
  }
  bool read_run(std::size_t i) {
    const std::uint32_t lba = read_at(i);
    for (const std::uint64_t page : pages_) {
      *s_.xen.at<std::uint64_t>(page) = 0;
    }
    if (!ide_.dma(false, lba, kRun, pages_)) {
      return false;
    }
    // One word of each page each time, all of them now and then: checking must not be what is
    // measured.
    for (std::size_t page = 0; page < pages_.size(); ++page) {
      if (!holds(pages_[page], std::uint64_t{lba} * 64 + page * 512, i % 100 == 0 ? 512 : 1)) {
        return false;
      }
    }
    return true;
  }
  bool write_run(std::size_t i) {
    const std::uint32_t lba = (runs_ + static_cast<std::uint32_t>(i) % runs_) * kRun;
    for (std::size_t page = 0; page < pages_.size(); ++page) {
      *s_.xen.at<std::uint64_t>(pages_[page]) = ~disk_word(std::uint64_t{lba} * 64 + page * 512);
    }
    return ide_.dma(true, lba, kRun, pages_);
  }

  Session& s_;
  Ide& ide_;
  std::uint32_t runs_;  ///< of 64 KiB, in a half
  std::vector<std::uint64_t> pages_;
};

}  // namespace

void run_ide_rows(Session& s) {
  if (!s.wants_of("ide")) {
    return;
  }
  Ide ide{s.cpu, s.xen, s.pci};
  const auto sectors = ide.set_up();
  if (!sectors) {
    s.not_there("ide_read_dma_64k", "no drive answers IDENTIFY");
    return;
  }
  IdeRows rows{s, ide, *sectors};
  rows.read_64k();
  rows.read_4k();
  rows.write_64k();
}

void run_idle_rows(Session& s) {
  const Subject::Memory memory = s.subject.memory();
  s.report("memory", "\"anon_kb\": " + std::to_string(memory.anon_kb) +
                         ", \"file_kb\": " + std::to_string(memory.file_kb) +
                         ", \"total_kb\": " + std::to_string(memory.anon_kb + memory.file_kb) +
                         ", \"processes\": " + std::to_string(memory.processes) +
                         ", \"threads\": " + std::to_string(memory.threads));
  if (!s.wants("idle") || s.options.idle_seconds <= 0) {
    return;
  }
  // Idle workers of either side end after about 10 s: a long look begins after that.
  constexpr double kWorkersLinger = 10;
  ::poll(nullptr, 0, s.options.idle_seconds >= kWorkersLinger - 1 ? 13'000 : 300);
  const Subject::Usage before = s.subject.usage();
  ::poll(nullptr, 0, static_cast<int>(s.options.idle_seconds * 1000));
  const Subject::Use used = s.subject.used_since(before);
  std::ostringstream fields;
  fields << "\"seconds\": " << s.options.idle_seconds << ", \"wakeups\": " << used.timeslices
         << ", \"cpu_ns\": " << used.cpu_ns << ", \"who\": \"" << s.subject.who_ran_since(before)
         << "\"";
  s.report("idle", fields.str());
}

}  // namespace peer
