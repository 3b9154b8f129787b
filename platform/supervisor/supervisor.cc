// SPDX-License-Identifier: MIT
#include "platform/supervisor/supervisor.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/passed_descriptor.h"
#include "platform/linux/process/start_pages.h"
#include "platform/supervisor/last_requests.h"
#include "platform/supervisor/vigil.h"

#include <xen/sched.h>

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::supervisor {

namespace {

/// After it, what comes next may be hours away.
constexpr timespec kQuiet{.tv_sec = 1, .tv_nsec = 0};

// ---- start

/// All descriptors but standard error and these, of which some may be -1.
void close_all_but(std::vector<int> kept) noexcept {
  // 0 and 1 are put on /dev/null rather than closed, so that no handle of ours gets a number that
  // somebody prints to.
  if (const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC); null >= 0) {
    static_cast<void>(::dup2(null, STDIN_FILENO));
    static_cast<void>(::dup2(null, STDOUT_FILENO));
  }
  std::sort(kept.begin(), kept.end());
  auto first = static_cast<unsigned>(STDERR_FILENO) + 1;
  for (const int keep : kept) {
    if (keep < static_cast<int>(first)) {
      continue;
    }
    const auto next = static_cast<unsigned>(keep);
    if (next > first) {
      static_cast<void>(::close_range(first, next - 1, 0));
    }
    first = next + 1;
  }
  static_cast<void>(::close_range(first, ~0U, 0));
}

/// Close-on-exec, as every pidfd.
host::UniqueFd open_pidfd(pid_t pid) noexcept {
  return host::UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
}

void ignore_signals() noexcept {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2}) {
    static_cast<void>(std::signal(signal, SIG_IGN));
  }
}

/// The other end of a socket: an empty message reads like an end.
bool has_closed(int line) noexcept {
  pollfd look{.fd = line, .events = 0, .revents = 0};
  return ::poll(&look, 1, 0) > 0;
}

/// From now on the end of a child is noticed in ppoll(2) with the mask that this returns, and
/// nowhere else.
sigset_t hold_back_child_ends() noexcept {
  sigset_t child_ends;
  sigset_t waiting;
  static_cast<void>(::sigemptyset(&child_ends));
  static_cast<void>(::sigaddset(&child_ends, SIGCHLD));
  static_cast<void>(::pthread_sigmask(SIG_BLOCK, &child_ends, &waiting));
  static_cast<void>(::sigdelset(&waiting, SIGCHLD));
  struct sigaction action {};
  action.sa_handler = [](int) {};  // a signal without a handler would not end the waiting
  action.sa_flags = SA_NOCLDSTOP;
  static_cast<void>(::sigaction(SIGCHLD, &action, nullptr));
  return waiting;
}

[[nodiscard]] std::chrono::nanoseconds in_nanoseconds(const timespec& time) noexcept {
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

// ---- the process

/// How a worker has ended: waitpid(2)'s status, which only a parent learns.
struct End {
  std::optional<int> status;
};

class Process {
 public:
  struct Shared {
    BlackBox box;
    Pulse pulse;
  };
  struct Ends {
    host::UniqueFd line;
    host::UniqueFd timer;
    host::UniqueFd pidfd;  ///< the worker's, where that is not a child of ours
  };

  Process(Options options, Shared& shared, pid_t worker, Ends ends) noexcept
      : options_{std::move(options)},
        broker_{options_.broker.get()},
        box_{shared.box},
        pulse_{shared.pulse},
        worker_{worker},
        line_{std::move(ends.line)},
        timer_{std::move(ends.timer)},
        pidfd_{std::move(ends.pidfd)} {}

  [[noreturn]] void run();

 private:
  void settle();
  [[nodiscard]] End await_end() noexcept;
  [[nodiscard]] std::optional<End> reap() noexcept;
  /// One message at most; false when there is none left.
  bool listen() noexcept;
  void answer(const Message& question) noexcept;
  void look_at_pulse() noexcept;
  [[nodiscard]] char worker_state() const noexcept;
  void end_hung(Vigil::Verdict verdict) noexcept;
  void conclude_suddenly(End end) noexcept;
  void end_guest() noexcept;

  const Options options_;
  Broker* const broker_;
  const BlackBox& box_;
  Pulse& pulse_;
  Vigil vigil_;
  pid_t worker_;
  host::UniqueFd line_;   ///< open to the end: its closing would tell the worker that we are gone
  host::UniqueFd timer_;  ///< the worker arms it, too
  host::UniqueFd pidfd_;
  host::UniqueFd stat_;  ///< /proc/PID/stat
  bool ended_guest_ = false;
  Account account_;
  bool listening_ = true;  ///< there may be more to be heard from the worker
  std::unique_ptr<xen::DmOps> ops_;
  std::string why_not_;  ///< when there are none
};

void Process::run() {
  settle();
  const End end = await_end();
  while (listen()) {  // what it said before it died
  }
  const bool sudden = account_.phase() == Account::Phase::serving;
  if (sudden) {
    conclude_suddenly(end);
  }
  if (broker_ != nullptr) {
    broker_->worker_ended();
  }
  const int result = sudden || end.status.value_or(0) != 0 ? 1 : 0;
  if (options_.finish != nullptr) {
    options_.finish(result);
  }
  ::_exit(result);
}

void Process::settle() {
  std::vector<int> kept = broker_ != nullptr ? broker_->inherited() : std::vector<int>{};
  kept.insert(kept.end(), {line_.get(), timer_.get(), pidfd_.get()});
  close_all_but(std::move(kept));
  static_cast<void>(::prctl(PR_SET_NAME, "stubdm-supervisor"));  // Linux keeps 15 characters
  ignore_signals();
  if (auto opened = options_.open_ops(options_.domid); opened) {
    ops_ = std::move(*opened);
    // ENOTTY and EOPNOTSUPP come from kernels without it; then the handle stays as it is.
    static_cast<void>(ops_->restrict_to_domain());
  } else {
    // Told when it matters: the worker, which meets the same, ends the start with a message of its
    // own.
    why_not_ = opened.error().message;
  }
  const std::string stat = "/proc/" + std::to_string(worker_) + "/stat";
  stat_ = host::UniqueFd{::open(stat.c_str(), O_RDONLY | O_CLOEXEC)};
  if (broker_ != nullptr) {
    broker_->open();
  }
  if (auto confined = host::confine(options_.confinement); !confined) {
    log::warning("the supervisor keeps its privileges: ",
                 std::string_view{confined.error().message});
  }
  host::drop_start_pages();
  static_cast<void>(::malloc_trim(0));
}

End Process::await_end() noexcept {
  const sigset_t waiting = hold_back_child_ends();
  bool busy = false;
  for (;;) {
    if (const auto end = reap()) {
      return *end;
    }
    std::array<pollfd, 3 + Broker::kMostWaits> look{
        {{.fd = pidfd_.get(), .events = POLLIN, .revents = 0},
         {.fd = listening_ ? line_.get() : -1, .events = POLLIN, .revents = 0},
         {.fd = timer_.get(), .events = POLLIN, .revents = 0}}};
    const auto brokers = std::span{look}.last<Broker::kMostWaits>();
    for (pollfd& wait : brokers) {
      wait.fd = -1;
    }
    if (broker_ != nullptr) {
      broker_->fill(brokers);
    }
    const int ready = ::ppoll(look.data(), look.size(), busy ? &kQuiet : nullptr, &waiting);
    if (ready == 0) {
      host::drop_start_pages();  // until the next one, which may be hours away
    }
    busy = ready > 0;
    if (ready <= 0) {
      continue;  // a child has ended
    }
    if (look[0].revents != 0) {
      return {};
    }
    static_cast<void>(listen());
    if (look[2].revents != 0) {
      look_at_pulse();
    }
    if (broker_ != nullptr) {
      broker_->run(brokers);
    }
  }
}

/// Also what is not ours: pid 1 inherits orphans.
std::optional<End> Process::reap() noexcept {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended == worker_) {
      return End{status};
    }
    if (ended < 0 && errno == ECHILD && options_.place == Place::parent) {
      return End{};
    }
    if (ended <= 0) {
      return std::nullopt;
    }
    if (broker_ != nullptr) {
      broker_->child_ended(ended);
    }
  }
}

bool Process::listen() noexcept {
  if (!listening_) {
    return false;
  }
  // A byte more than a message, so that a longer one shows. Descriptors that somebody may have put
  // into it are dropped by the kernel: there is no room for them.
  std::array<std::byte, kMessageBytes + 1> bytes{};
  const ssize_t got = ::recv(line_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0) {
    // ECONNRESET comes once, before what it has said: it has ended without reading an answer.
    return errno == EINTR || errno == ECONNRESET;
  }
  if (got == 0 && has_closed(line_.get())) {
    listening_ = false;
  } else if (!account_.hear(std::span{bytes}.first(static_cast<std::size_t>(got)))) {
    listening_ = false;
    log::error("the device model (pid ", worker_, ") of domain ", options_.domid,
               " says what is no message to its supervisor: it is not listened to any more");
  } else if (account_.asked()) {
    answer(*account_.asked());
  }
  return listening_;
}

/// It waits for the answer, so there is room for it. One that does not read it harms itself.
void Process::answer(const Message& question) noexcept {
  host::UniqueFd found;
  int error = ENOSYS;
  if (broker_ != nullptr) {
    error = question.kind == Kind::disc ? broker_->disc(question.value, found)
                                        : broker_->sleep(question.value);
  }
  MessageBytes bytes = encode({.kind = Kind::done, .value = static_cast<std::uint32_t>(error)});
  static_cast<void>(host::send_with_descriptor(line_.get(), bytes, found.get()));
}

void Process::look_at_pulse() noexcept {
  std::uint64_t expirations = 0;
  static_cast<void>(!::read(timer_.get(), &expirations, sizeof expirations));
  if (account_.phase() != Account::Phase::serving || ended_guest_) {
    return;
  }
  if (pulse_.let_rest()) {
    vigil_.rest();
    return;
  }
  itimerspec next{};
  next.it_value.tv_sec = Pulse::kLook.count();
  static_cast<void>(::timerfd_settime(timer_.get(), 0, &next, nullptr));
  timespec now{};
  timespec used{};
  clockid_t clock{};
  if (::clock_gettime(CLOCK_MONOTONIC, &now) != 0 || ::clock_getcpuclockid(worker_, &clock) != 0 ||
      ::clock_gettime(clock, &used) != 0) {
    return;
  }
  const auto verdict = vigil_.look({.rounds = pulse_.rounds(),
                                    .processor = in_nanoseconds(used),
                                    .now = in_nanoseconds(now),
                                    .state = worker_state()});
  if (verdict != Vigil::Verdict::goes_on) {
    end_hung(verdict);
  }
}

/// The letter behind the name, which is in brackets and may be anything.
char Process::worker_state() const noexcept {
  std::array<char, 128> text{};
  const ssize_t got = ::pread(stat_.get(), text.data(), text.size(), 0);
  const std::string_view said{text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  const std::size_t bracket = said.rfind(')');
  return bracket != std::string_view::npos && bracket + 2 < said.size() ? said[bracket + 2] : '\0';
}

void Process::end_hung(Vigil::Verdict verdict) noexcept {
  const bool spins = verdict == Vigil::Verdict::spins;
  log::error("the device model (pid ", worker_, ") of domain ", options_.domid, " hangs after ",
             box_.recorded(), " requests: its loop has not come round for ",
             spins ? Vigil::kSpins.count() : Vigil::kBlocked.count(),
             spins ? " s of its own processor time" : " s, blocked in a system call",
             ". It is killed");
  end_guest();
  // It cannot be another process: it was not waited for, or its pidfd would be readable.
  static_cast<void>(::kill(worker_, SIGKILL));
}

void Process::conclude_suddenly(End end) noexcept {
  if (ended_guest_) {
    return;  // it hung, and we have killed it
  }
  if (end.status && WIFSIGNALED(*end.status)) {
    log::error("the device model (pid ", worker_, ") of domain ", options_.domid,
               " was killed by signal ", WTERMSIG(*end.status), " after ", box_.recorded(),
               " requests");
  } else {
    log::error("the device model (pid ", worker_, ") of domain ", options_.domid,
               " died unexpectedly after ", box_.recorded(), " requests");
  }
  end_guest();
}

void Process::end_guest() noexcept {
  // Crash first: destroying the server lets waiting vCPUs go on, and they must not run with half a
  // machine.
  ended_guest_ = true;
  const auto server = account_.server();
  const int crash = ops_ != nullptr ? ops_->shutdown(SHUTDOWN_crash) : EBADF;
  const int destroy = ops_ != nullptr ? ops_->destroy_server(server) : EBADF;
  show_last_requests(box_);
  if (ops_ == nullptr) {
    log::error("nothing can be done about it: ", std::string_view{why_not_});
  }
  log::error(crash == 0 ? "the domain was crashed on purpose" : "the domain could not be crashed",
             " (errno ", crash, "), ioreq server ", server,
             destroy == 0 ? " destroyed" : " could not be destroyed", " (errno ", destroy, ")");
}

}  // namespace

Result<Link> start(Options options) {
  void* const memory = ::mmap(nullptr, sizeof(Process::Shared), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail("no memory to share with the supervisor: ", host::error_text(errno));
  }
  auto* const shared = new (memory) Process::Shared;  // stays as long as either process
  // Without one nobody looks whether the worker's loop comes round.
  host::UniqueFd timer{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail("no sockets between this process and its supervisor: ", host::error_text(errno),
                ". A stub domain's kernel needs CONFIG_UNIX; kernel and ramdisk must be from one "
                "build");
  }
  host::UniqueFd ours{ends[0]};
  host::UniqueFd theirs{ends[1]};
  // Opened before the fork: no moment in which the pid could be somebody else's.
  const pid_t self = ::getpid();
  host::UniqueFd pidfd;
  if (options.place == Place::child) {
    pidfd = open_pidfd(self);
    if (!pidfd) {
      return fail("cannot watch this process (pidfd_open): ", host::error_text(errno),
                  ". Linux 5.3 or newer is needed");
    }
  }
  const pid_t child = ::fork();
  if (child < 0) {
    return fail("cannot start the supervisor: ", host::error_text(errno));
  }
  const bool supervisor_is_child = options.place == Place::child;
  if ((child == 0) == supervisor_is_child) {
    ours.reset();
    Process{std::move(options),
            *shared,
            supervisor_is_child ? self : child,
            {.line = std::move(theirs), .timer = std::move(timer), .pidfd = std::move(pidfd)}}
        .run();
  }
  if (!timer) {
    return Link{std::move(ours), shared->box};
  }
  return Link{std::move(ours), shared->box, shared->pulse, std::move(timer)};
}

}  // namespace dm::supervisor
