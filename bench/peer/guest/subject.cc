// SPDX-License-Identifier: MIT
#include "bench/peer/guest/subject.h"

#include "bench/peer/guest/xen_side.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace peer {

namespace {

/// Threads of a process.
std::vector<pid_t> tasks(pid_t pid) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    found.push_back(std::atoi(entry.path().filename().c_str()));
  }
  return found;
}

std::uint64_t status_field(pid_t pid, const char* name) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name, 0) == 0) {
      return std::strtoull(line.c_str() + std::strlen(name) + 1, nullptr, 10);
    }
  }
  return 0;
}

}  // namespace

void pin_to(int cpu) noexcept {
  if (cpu < 0) {
    return;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

Subject::Subject(const std::vector<std::string>& command,
                 const std::string& libraries,
                 const std::string& folder,
                 const std::string& incoming,
                 int cpu,
                 bool real_time) {
  std::vector<char*> arguments;
  for (const std::string& part : command) {
    arguments.push_back(const_cast<char*>(part.c_str()));
  }
  arguments.push_back(nullptr);
  ::setenv("PEER_DIR", folder.c_str(), 1);
  started_ = Clock::ticks();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setenv("LD_LIBRARY_PATH", libraries.c_str(), 1);
    ::setenv("XEN_DOMAIN_ID", "1", 1);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setsid();
    pin_to(cpu);
    if (real_time) {
      const sched_param priority{.sched_priority = 10};
      ::sched_setscheduler(0, SCHED_FIFO, &priority);
    }
    const std::string log = folder + "/dm.log";
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::close_range(3, ~0U, 0);
    if (!incoming.empty() && ::open(incoming.c_str(), O_RDONLY) != 3) {
      ::_exit(127);
    }
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  if (pid_ < 0) {
    die("cannot fork");
  }
}

Subject::~Subject() {
  for (const int counter : counters_) {
    ::close(counter);
  }
  const auto all = processes();
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 2000 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) {
    ::poll(nullptr, 0, 1);
    if (i == 1999) {
      std::fprintf(stderr, "guest: the device model does not end on SIGTERM\n");
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
}

bool Subject::alive() noexcept {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

/// The process and its descendants, found by their parents' pids.
std::vector<pid_t> Subject::processes() const {
  std::vector<pid_t> found{pid_};
  std::vector<std::pair<pid_t, pid_t>> parents;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0) {
      parents.emplace_back(pid, static_cast<pid_t>(status_field(pid, "PPid")));
    }
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const auto& [pid, parent] : parents) {
      if (parent == found[i]) {
        found.push_back(pid);
      }
    }
  }
  return found;
}

Subject::Usage Subject::usage() const {
  Usage all;
  for (const pid_t process : processes()) {
    for (const pid_t task : tasks(process)) {
      std::ifstream file{"/proc/" + std::to_string(process) + "/task/" + std::to_string(task) +
                         "/schedstat"};
      Use& use = all[task];
      std::uint64_t waited = 0;
      file >> use.cpu_ns >> waited >> use.timeslices;
    }
  }
  return all;
}

Subject::Use Subject::used_since(const Usage& before) const {
  Use total;
  for (const auto& [task, now] : usage()) {
    const auto old = before.find(task);
    const Use from = old == before.end() ? Use{} : old->second;
    // A thread that ended while it was looked at reads zero.
    if (now.cpu_ns >= from.cpu_ns && now.timeslices >= from.timeslices) {
      total.cpu_ns += now.cpu_ns - from.cpu_ns;
      total.timeslices += now.timeslices - from.timeslices;
    }
  }
  return total;
}

std::string Subject::who_ran_since(const Usage& before) const {
  std::string who;
  for (const auto& [task, now] : usage()) {
    const auto old = before.find(task);
    const std::uint64_t from = old == before.end() ? 0 : old->second.timeslices;
    if (now.timeslices > from) {
      std::string name;
      std::getline(std::ifstream{"/proc/" + std::to_string(task) + "/comm"}, name);
      who += (who.empty() ? "" : ", ") + name + " " + std::to_string(now.timeslices - from);
    }
  }
  return who;
}

Subject::Memory Subject::memory() const {
  Memory total;
  for (const pid_t process : processes()) {
    total.anon_kb += status_field(process, "RssAnon");
    total.file_kb += status_field(process, "RssFile");
    total.threads += static_cast<unsigned>(status_field(process, "Threads"));
    ++total.processes;
  }
  return total;
}

bool Subject::count_system_calls() {
  std::uint64_t id = 0;
  for (const char* const folder : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::ifstream file{std::string{folder} + "/events/raw_syscalls/sys_enter/id"};
    if (file >> id) {
      break;
    }
  }
  if (id == 0) {
    return false;
  }
  for (const pid_t process : processes()) {
    for (const pid_t task : tasks(process)) {
      perf_event_attr what{};
      what.type = PERF_TYPE_TRACEPOINT;
      what.size = sizeof what;
      what.config = id;
      what.inherit = 1;  // threads that are made later
      const long counter = ::syscall(SYS_perf_event_open, &what, task, -1, -1, 0);
      if (counter >= 0) {
        counters_.push_back(static_cast<int>(counter));
      }
    }
  }
  return !counters_.empty();
}

std::uint64_t Subject::system_calls() const {
  std::uint64_t total = 0;
  for (const int counter : counters_) {
    std::uint64_t value = 0;
    if (::read(counter, &value, sizeof value) == sizeof value) {
      total += value;
    }
  }
  return total;
}

}  // namespace peer
