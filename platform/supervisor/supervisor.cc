// SPDX-License-Identifier: MIT
#include "platform/supervisor/supervisor.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/process/start_pages.h"

#include <xen/hvm/ioreq.h>
#include <xen/sched.h>

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace dm::supervisor {

namespace {

constexpr std::uint32_t kRequestsShown = 8;

// ---- start

/// All descriptors but standard error and these two, of which either may be -1.
void close_all_but(int one, int other) noexcept {
  // 0 and 1 are put on /dev/null rather than closed, so that no handle of ours gets a number that
  // somebody prints to.
  if (const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC); null >= 0) {
    static_cast<void>(::dup2(null, STDIN_FILENO));
    static_cast<void>(::dup2(null, STDOUT_FILENO));
  }
  auto first = static_cast<unsigned>(STDERR_FILENO) + 1;
  for (const int keep : {std::min(one, other), std::max(one, other)}) {
    if (keep < static_cast<int>(first)) {
      continue;
    }
    const auto kept = static_cast<unsigned>(keep);
    if (kept > first) {
      static_cast<void>(::close_range(first, kept - 1, 0));
    }
    first = kept + 1;
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

// ---- the log

[[nodiscard]] const char* type_name(std::uint8_t type) noexcept {
  switch (type) {
    case IOREQ_TYPE_PIO:
      return "port";
    case IOREQ_TYPE_COPY:
      return "memory";
    case IOREQ_TYPE_PCI_CONFIG:
      return "PCI configuration";
    case IOREQ_TYPE_INVALIDATE:
      return "invalidate";
    default:
      return "unknown type";
  }
}

void show_last_requests(const BlackBox& box) noexcept {
  const std::uint32_t shown = std::min(box.recorded(), kRequestsShown);
  if (shown == 0) {
    log::error("it had served no request yet");
  }
  for (std::uint32_t back = 0; back < shown; ++back) {
    const BlackBox::Entry entry = box.last(back);
    log::error(back == 0 ? "last request: " : "before it:    ", type_name(entry.type), " ",
               log::hex(entry.addr), entry.is_read != 0 ? " read" : " write", ", size ", entry.size,
               ", count ", entry.count, ", data ", log::hex(entry.data), ", vCPU ", entry.vcpu);
  }
}

// ---- the process

/// How a worker has ended: waitpid(2)'s status, which only a parent learns.
struct End {
  std::optional<int> status;
};

class Process {
 public:
  /// `pidfd` is the worker's, where that is not a child of ours.
  Process(const Options& options,
          const BlackBox& box,
          pid_t worker,
          host::UniqueFd line,
          host::UniqueFd pidfd) noexcept
      : options_{options},
        box_{box},
        worker_{worker},
        line_{std::move(line)},
        pidfd_{std::move(pidfd)} {}

  [[noreturn]] void run();

 private:
  void settle();
  [[nodiscard]] End await_end() noexcept;
  [[nodiscard]] std::optional<End> reap() noexcept;
  /// One message at most; false when there is none left.
  bool listen() noexcept;
  void conclude_suddenly(End end) noexcept;

  const Options& options_;
  const BlackBox& box_;
  pid_t worker_;
  host::UniqueFd line_;  ///< open to the end: its closing would tell the worker that we are gone
  host::UniqueFd pidfd_;
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
  const int result = sudden || end.status.value_or(0) != 0 ? 1 : 0;
  if (options_.finish != nullptr) {
    options_.finish(result);
  }
  ::_exit(result);
}

void Process::settle() {
  close_all_but(line_.get(), pidfd_.get());
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
  if (auto confined = host::confine(options_.confinement); !confined) {
    log::warning("the supervisor keeps its privileges: ",
                 std::string_view{confined.error().message});
  }
  host::drop_start_pages();
  static_cast<void>(::malloc_trim(0));
}

End Process::await_end() noexcept {
  const sigset_t waiting = hold_back_child_ends();
  for (;;) {
    if (const auto end = reap()) {
      return *end;
    }
    std::array<pollfd, 2> look{
        {{.fd = pidfd_.get(), .events = POLLIN, .revents = 0},
         {.fd = listening_ ? line_.get() : -1, .events = POLLIN, .revents = 0}}};
    if (::ppoll(look.data(), look.size(), nullptr, &waiting) <= 0) {
      continue;  // a child has ended
    }
    if (look[0].revents != 0) {
      return {};
    }
    static_cast<void>(listen());
    host::drop_start_pages();  // until the next one, which may be hours away
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
  }
  return listening_;
}

void Process::conclude_suddenly(End end) noexcept {
  // Crash first: destroying the server lets waiting vCPUs go on, and they must not run with half a
  // machine.
  const auto server = account_.server();
  const int crash = ops_ != nullptr ? ops_->shutdown(SHUTDOWN_crash) : EBADF;
  const int destroy = ops_ != nullptr ? ops_->destroy_server(server) : EBADF;
  if (end.status && WIFSIGNALED(*end.status)) {
    log::error("the device model (pid ", worker_, ") of domain ", options_.domid,
               " was killed by signal ", WTERMSIG(*end.status), " after ", box_.recorded(),
               " requests");
  } else {
    log::error("the device model (pid ", worker_, ") of domain ", options_.domid,
               " died unexpectedly after ", box_.recorded(), " requests");
  }
  show_last_requests(box_);
  if (ops_ == nullptr) {
    log::error("nothing can be done about it: ", std::string_view{why_not_});
  }
  log::error(crash == 0 ? "the domain was crashed on purpose" : "the domain could not be crashed",
             " (errno ", crash, "), ioreq server ", server,
             destroy == 0 ? " destroyed" : " could not be destroyed", " (errno ", destroy, ")");
}

}  // namespace

Result<Link> start(const Options& options) {
  void* const memory =
      ::mmap(nullptr, sizeof(BlackBox), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail("no memory to share with the supervisor: ", host::error_text(errno));
  }
  auto* const box = new (memory) BlackBox;  // stays as long as either process
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
    Process{options, *box, supervisor_is_child ? self : child, std::move(theirs), std::move(pidfd)}
        .run();
  }
  return Link{std::move(ours), *box};
}

}  // namespace dm::supervisor
