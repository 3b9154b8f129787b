// SPDX-License-Identifier: MIT
#include "platform/linux/loop/signals.h"

#include <boost/system/system_error.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace dm::host {

SignalWatch::SignalWatch(Loop& loop, std::initializer_list<int> signals, Callback arrived)
    : arrived_{arrived} {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) {
    sigaddset(&set, number);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd{::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
  if (fd) {
    signals_ = Watch{loop, std::move(fd), Callback::bind<&SignalWatch::on_readable>(*this)};
  }
  if (!signals_.ok()) {
    throw boost::system::system_error{errno, boost::system::system_category(), "signalfd"};
  }
  signals_.await_readable();
}

void SignalWatch::on_readable() noexcept {
  signals_.await_readable();
  signalfd_siginfo info{};
  if (::read(signals_.fd(), &info, sizeof info) == sizeof info) {
    last_ = static_cast<int>(info.ssi_signo);
    arrived_();
  }
}

void ignore_write_signals() noexcept {
  static_cast<void>(::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(::signal(SIGXFSZ, SIG_IGN));
}

}  // namespace dm::host
