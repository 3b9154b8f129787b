// SPDX-License-Identifier: MIT
#include "platform/display/launcher.h"

#include "core/obs/log.h"
#include "platform/display/program.h"
#include "platform/display/protocol.h"
#include "platform/linux/error_text.h"
#include "platform/linux/passed_descriptor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

namespace dm::display {

namespace {

/// One that connects and goes away in a loop costs no more than this in a turn.
constexpr unsigned kViewersPerTurn = 4;

/// `from` becomes descriptor `to`, which stays open through exec.
void put(int from, int to) noexcept {
  if (from == to) {
    static_cast<void>(::fcntl(to, F_SETFD, 0));
  } else {
    static_cast<void>(::dup2(from, to));
  }
}

}  // namespace

Result<host::UniqueFd> Launcher::find_program() {
  std::array<char, PATH_MAX> self{};
  const ssize_t size = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
  const std::string_view path{self.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  const std::string program{std::string{path.substr(0, path.rfind('/') + 1)} + kProgramName};
  host::UniqueFd opened{::open(program.c_str(), O_PATH | O_CLOEXEC)};
  if (!opened) {
    return fail("vnc: ", program, ": ", host::error_text(errno),
                ". It is the program that shows the screen: install it there, or write vnc=0 for a "
                "guest that nobody can look at");
  }
  return opened;
}

std::vector<int> Launcher::inherited() const {
  return {setup_.viewers.get(), setup_.browsers.get(), setup_.program.get(), setup_.line.get(),
          setup_.area.get()};
}

std::array<pollfd, Launcher::kWaits> Launcher::waits() const noexcept {
  return {{{.fd = setup_.viewers.get(), .events = POLLIN, .revents = 0},
           {.fd = setup_.browsers.get(), .events = POLLIN, .revents = 0},
           {.fd = control_.get(), .events = POLLIN, .revents = 0}}};
}

void Launcher::run(std::span<const pollfd, kWaits> ready) noexcept {
  // What it has said before it is asked for another viewer.
  if (ready[2].revents != 0) {
    hear();
  }
  for (const pollfd& listener : ready.first(2)) {
    if (listener.revents != 0) {
      accept_from(listener.fd);
    }
  }
}

void Launcher::accept_from(int listener) noexcept {
  for (unsigned i = 0; i < kViewersPerTurn; ++i) {
    host::UniqueFd viewer{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
    if (!viewer) {
      return;
    }
    if (!send(viewer)) {
      lose_display();  // it has ended, and we have not heard of it yet
      static_cast<void>(send(viewer));
    }
  }
}

/// False, and the viewer is still there: it cannot be sent. Without a place for it, because eight
/// others were not taken, it finds a closed connection.
bool Launcher::send(host::UniqueFd& viewer) noexcept {
  const auto place = std::ranges::find_if(sent_, [](const Sent& s) { return !s.viewer; });
  if (place == sent_.end() || (!control_ && !start())) {
    viewer.reset();
    return true;
  }
  std::array<std::byte, 1> one{};
  if (host::send_with_descriptor(control_.get(), one, viewer.get()) != 1) {
    return false;
  }
  place->viewer = std::move(viewer);
  place->number = ++handed_over_;
  return true;
}

/// The display has ended. Viewers that it had not taken are sent to the next one, and then no more.
void Launcher::lose_display() noexcept {
  control_.reset();
  for (Sent& lost : std::exchange(sent_, {})) {
    if (lost.viewer && send(lost.viewer)) {
      for (Sent& again : sent_) {
        again.viewer.reset();
      }
    }
  }
}

bool Launcher::start() noexcept {
  if (display_ > 0) {
    static_cast<void>(::kill(display_, SIGKILL));  // it was let go, and has not ended yet
  }
  // What the worker has said to the one before is not for this one.
  std::array<std::byte, kMessageBytes> stale{};
  while (::recv(setup_.line.get(), stale.data(), stale.size(), MSG_DONTWAIT) > 0) {
  }
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    log::warning("no viewer can be served: ", host::error_text(errno));
    return false;
  }
  host::UniqueFd ours{ends[0]};
  const host::UniqueFd theirs{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) {
    log::warning("no viewer can be served: ", host::error_text(errno));
    return false;
  }
  if (child == 0) {
    become_display(theirs.get());
  }
  display_ = child;
  control_ = std::move(ours);
  handed_over_ = 0;
  return true;
}

/// In the new process. Signals are as they were before the supervisor, and nothing is open but what
/// a display needs.
void Launcher::become_display(int control) noexcept {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD}) {
    static_cast<void>(std::signal(signal, SIG_DFL));
  }
  sigset_t none;
  static_cast<void>(::sigemptyset(&none));
  static_cast<void>(::pthread_sigmask(SIG_SETMASK, &none, nullptr));
  // First above the numbers that they get, so that none is overwritten before it is put in place.
  std::array<host::UniqueFd, 5> kept{host::duplicate(control, kFirstFree),
                                     host::duplicate(setup_.line.get(), kFirstFree),
                                     host::duplicate(setup_.area.get(), kFirstFree),
                                     host::duplicate(setup_.program.get(), kFirstFree),
                                     host::duplicate(setup_.video.get(), kFirstFree)};
  put(kept[0].get(), kControl);
  put(kept[1].get(), kLine);
  put(kept[2].get(), kArea);
  put(kept[3].get(), kItself);
  static_cast<void>(::fcntl(kItself, F_SETFD, FD_CLOEXEC));
  if (kept[4]) {
    put(kept[4].get(), kVideo);
  }
  static_cast<void>(
      ::syscall(SYS_close_range, static_cast<unsigned>(kept[4] ? kFirstFree : kVideo), ~0U, 0));
  for (host::UniqueFd& closed : kept) {
    static_cast<void>(closed.release());
  }
  std::vector<char*> arguments;
  std::string name{kProgramName};
  arguments.push_back(name.data());
  for (std::string& argument : setup_.arguments) {
    arguments.push_back(argument.data());
  }
  arguments.push_back(nullptr);
  static_cast<void>(::syscall(SYS_execveat, kItself, "", arguments.data(), environ, AT_EMPTY_PATH));
  log::error("the program that shows the screen cannot be started: ", host::error_text(errno));
  ::_exit(1);
}

/// When the display would like to end and has taken all viewers, its end of the socket is closed,
/// and it ends.
void Launcher::hear() noexcept {
  Report report;
  std::array<std::byte, kReportBytes + 1> bytes{};
  const ssize_t got = ::recv(control_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) {
    return;
  }
  if (got != static_cast<ssize_t>(kReportBytes)) {
    lose_display();
    return;
  }
  std::memcpy(&report, bytes.data(), sizeof report);
  for (Sent& sent : sent_) {
    if (sent.number <= report.taken) {
      sent.viewer.reset();
    }
  }
  if (report.lonely != 0 && report.taken == handed_over_) {
    control_.reset();
  }
}

void Launcher::child_ended(pid_t child) noexcept {
  if (child == display_) {
    display_ = -1;
    tell_worker_gone();
    lose_display();
  }
}

/// In the display's name.
void Launcher::tell_worker_gone() noexcept {
  const MessageBytes bytes = encode({.kind = Kind::gone});
  static_cast<void>(
      ::send(setup_.line.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

void Launcher::stop() noexcept {
  if (display_ > 0) {
    static_cast<void>(::kill(display_, SIGKILL));
    display_ = -1;
  }
}

}  // namespace dm::display
