// SPDX-License-Identifier: MIT
#include "platform/xen/watcher.h"

#include "core/obs/log.h"
#include "platform/xen/errors.h"

#include <xen/hvm/ioreq.h>
#include <xen/sched.h>

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>
#include <utility>

namespace dm::xen {

struct Watcher::Shared {
  enum Phase : std::uint32_t {
    starting,  ///< no server yet: a death needs no answer, the toolstack sees the process end
    serving,
    leaving,
  };
  std::atomic<std::uint32_t> phase{starting};
  std::atomic<std::uint32_t> server{0};
  BlackBox box;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

namespace {

constexpr std::uint32_t kRequestsShown = 8;
constexpr int kNoStatus = -1;  ///< a child cannot learn how its parent died

void close_all_but(int keep) noexcept {
  // 0 and 1 are put on /dev/null rather than closed, so that no handle of ours gets a number that
  // somebody prints to.
  if (const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC); null >= 0) {
    static_cast<void>(::dup2(null, STDIN_FILENO));
    static_cast<void>(::dup2(null, STDOUT_FILENO));
  }
  if (keep > STDERR_FILENO) {
    if (keep > STDERR_FILENO + 1) {
      static_cast<void>(::close_range(STDERR_FILENO + 1, static_cast<unsigned>(keep) - 1, 0));
    }
    static_cast<void>(::close_range(static_cast<unsigned>(keep) + 1, ~0U, 0));
  } else {
    static_cast<void>(::close_range(STDERR_FILENO + 1, ~0U, 0));
  }
}

/// Close-on-exec, as every pidfd.
int open_pidfd(pid_t pid) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

void ignore_signals() noexcept {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2}) {
    static_cast<void>(std::signal(signal, SIG_IGN));
  }
}

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
               log::hex(entry.addr), entry.is_read ? " read" : " write", ", size ", entry.size,
               ", count ", entry.count, ", data ", log::hex(entry.data), ", vCPU ", entry.vcpu);
  }
}

}  // namespace

void Watcher::server_created(ioservid_t id) noexcept {
  shared_->server.store(id, std::memory_order_relaxed);
  shared_->phase.store(Shared::serving, std::memory_order_release);
}

void Watcher::orderly_end() noexcept {
  if (shared_ != nullptr) {
    shared_->phase.store(Shared::leaving, std::memory_order_release);
  }
}

BlackBox& Watcher::black_box() noexcept {
  return shared_->box;
}

Result<Watcher> Watcher::start(const Options& options) {
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail("no memory to share with the watcher: ", error_text(errno));
  }
  auto* const shared = new (memory) Shared;
  // Of the process that will be the parent, opened before the fork: no moment in which the pid
  // could be somebody else's.
  const int parent = open_pidfd(::getpid());
  if (parent < 0) {
    return fail("cannot watch this process (pidfd_open): ", error_text(errno),
                ". Linux 5.3 or newer is needed");
  }
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) {
    const int error = errno;
    ::close(parent);
    return fail("cannot start the watcher: ", error_text(error));
  }
  if (options.place == Place::parent) {
    if (child != 0) {
      watch_child(options, *shared, child);
    }
    return Watcher{shared, parent};
  }
  if (child == 0) {
    watch_parent(options, *shared, self, parent);
  }
  ::close(parent);
  const int lifeline = open_pidfd(child);  // it is not reaped, so the pid is its own
  if (lifeline < 0) {
    return fail("cannot watch the watcher (pidfd_open): ", error_text(errno));
  }
  return Watcher{shared, lifeline};
}

Watcher::~Watcher() {
  orderly_end();
  if (lifeline_ >= 0) {
    ::close(lifeline_);
  }
}

Watcher::Means Watcher::settle(const Options& options) {
  static_cast<void>(::prctl(PR_SET_NAME, "stubdm-watcher"));
  ignore_signals();
  Means means;
  if (auto opened = options.open_ops(options.domid); opened) {
    means.ops = std::move(*opened);
    // ENOTTY and EOPNOTSUPP come from kernels without it; then the handle stays as it is.
    static_cast<void>(means.ops->restrict_to_domain());
  } else {
    // Told when it matters: the worker, which meets the same, ends the start with a message of its
    // own.
    means.why_not = opened.error().message;
  }
  if (options.confine != nullptr) {
    options.confine();
  }
  static_cast<void>(::malloc_trim(0));
  return means;
}

void Watcher::watch_parent(const Options& options, const Shared& shared, int worker, int pidfd) {
  close_all_but(pidfd);
  const Means means = settle(options);
  pollfd wait{.fd = pidfd, .events = POLLIN, .revents = 0};
  while (::poll(&wait, 1, -1) < 0 && errno == EINTR) {
  }
  conclude(options, shared, means, worker, kNoStatus);
}

void Watcher::watch_child(const Options& options, const Shared& shared, int child) {
  close_all_but(-1);
  const Means means = settle(options);
  int status = kNoStatus;
  for (;;) {
    int any = 0;
    const pid_t ended = ::waitpid(-1, &any, 0);  // pid 1 inherits orphans
    if (ended == child) {
      status = any;
      break;
    }
    if (ended < 0 && errno != EINTR) {
      break;
    }
  }
  conclude(options, shared, means, child, status);
}

void Watcher::conclude(
    const Options& options, const Shared& shared, const Means& means, int worker, int status) {
  DmOps* const ops = means.ops.get();
  const bool sudden = shared.phase.load(std::memory_order_acquire) == Shared::serving;
  if (sudden) {
    const auto server = static_cast<ioservid_t>(shared.server.load(std::memory_order_relaxed));
    // Crash first: destroying the server lets waiting vCPUs go on, and they must not run with half
    // a machine.
    const int crash = ops != nullptr ? ops->shutdown(SHUTDOWN_crash) : EBADF;
    const int destroy = ops != nullptr ? ops->destroy_server(server) : EBADF;
    const auto& box = shared.box;
    if (status != kNoStatus && WIFSIGNALED(status)) {
      log::error("the device model (pid ", worker, ") of domain ", options.domid,
                 " was killed by signal ", WTERMSIG(status), " after ", box.recorded(),
                 " requests");
    } else {
      log::error("the device model (pid ", worker, ") of domain ", options.domid,
                 " died unexpectedly after ", box.recorded(), " requests");
    }
    show_last_requests(box);
    if (ops == nullptr) {
      log::error("nothing can be done about it: ", std::string_view{means.why_not});
    }
    log::error(crash == 0 ? "the domain was crashed on purpose" : "the domain could not be crashed",
               " (errno ", crash, "), ioreq server ", server,
               destroy == 0 ? " destroyed" : " could not be destroyed", " (errno ", destroy, ")");
  }
  const int result = sudden || (status != kNoStatus && status != 0) ? 1 : 0;
  if (options.finish != nullptr) {
    options.finish(result);
  }
  ::_exit(result);
}

}  // namespace dm::xen
