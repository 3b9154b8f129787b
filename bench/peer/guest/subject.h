// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace peer {

/// Ties the calling thread to a processor; -1 leaves it free.
void pin_to(int cpu) noexcept;

/// What is measured, seen from outside: a process tree that was started by a command line. What
/// program it is does not matter here.
class Subject {
 public:
  /// Starts it on `cpu`, with the stand-in libraries in front, under SCHED_FIFO if wanted.
  /// The file `incoming`, if it has a name, is its descriptor 3. Nanoseconds of the start are kept.
  Subject(const std::vector<std::string>& command,
          const std::string& libraries,
          const std::string& folder,
          const std::string& incoming,
          int cpu,
          bool real_time);
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  /// Ends it: SIGTERM, and SIGKILL after two seconds.
  ~Subject();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] std::uint64_t started() const noexcept { return started_; }
  [[nodiscard]] bool alive() noexcept;

  struct Use {
    std::uint64_t cpu_ns = 0;      ///< of all threads of all processes
    std::uint64_t timeslices = 0;  ///< times one of them was put on a CPU
  };
  /// What each thread has used since it began.
  using Usage = std::map<pid_t, Use>;
  [[nodiscard]] Usage usage() const;
  /// What all have used since then. A thread that ended meanwhile has taken its counters along:
  /// what it used last is not in it.
  [[nodiscard]] Use used_since(const Usage& before) const;
  /// The threads that were put on a CPU since then, by name and how often: "stubdm 2".
  [[nodiscard]] std::string who_ran_since(const Usage& before) const;
  struct Memory {
    std::uint64_t anon_kb = 0;  ///< RssAnon
    std::uint64_t file_kb = 0;  ///< RssFile
    unsigned processes = 0;
    unsigned threads = 0;
  };
  [[nodiscard]] Memory memory() const;
  /// Counts system calls of every thread from now on, if the kernel's tracepoint is to be had.
  [[nodiscard]] bool count_system_calls();
  [[nodiscard]] std::uint64_t system_calls() const;

 private:
  [[nodiscard]] std::vector<pid_t> processes() const;

  pid_t pid_ = -1;
  std::uint64_t started_ = 0;
  std::vector<int> counters_;
};

}  // namespace peer
