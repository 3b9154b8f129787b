// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/hang_up_watch.h"

#include <poll.h>
#include <sys/epoll.h>

#include <utility>

namespace dm::host {

HangUpWatch::HangUpWatch(Loop& loop, Callback gone) : gone_{gone} {
  UniqueFd set{::epoll_create1(EPOLL_CLOEXEC)};
  if (set) {
    set_ = Watch{loop, std::move(set), Callback::bind<&HangUpWatch::on_event>(*this)};
  }
}

void HangUpWatch::watch(int fd, End end) noexcept {
  if (!set_.ok()) {
    return;
  }
  epoll_event event{};
  // EPOLLHUP and EPOLLERR come unasked (epoll_ctl(2)).
  event.events = EPOLLONESHOT;
  if (end == End::either_way) {
    event.events |= EPOLLRDHUP;
  }
  const bool known = fd == fd_;
  if (!known) {
    stop();
  }
  if (::epoll_ctl(set_.fd(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0) {
    fd_ = fd;
    set_.await_readable();
  }
}

void HangUpWatch::stop() noexcept {
  if (fd_ >= 0) {
    ::epoll_ctl(set_.fd(), EPOLL_CTL_DEL, std::exchange(fd_, -1), nullptr);
  }
}

void HangUpWatch::on_event() noexcept {
  epoll_event event{};
  if (::epoll_wait(set_.fd(), &event, 1, 0) == 1) {
    gone_();
  } else if (fd_ >= 0) {
    set_.await_readable();  // somebody else came before we looked
  }
}

Readiness ask(int fd, HangUpWatch::End end) noexcept {
  pollfd state{.fd = fd, .events = POLLOUT, .revents = 0};
  if (end == HangUpWatch::End::either_way) {
    state.events |= POLLRDHUP;
  }
  if (::poll(&state, 1, 0) != 1) {
    return {};
  }
  const bool gone = (state.revents & (POLLHUP | POLLERR | POLLNVAL | POLLRDHUP)) != 0;
  return {.gone = gone, .writable = !gone && (state.revents & POLLOUT) != 0};
}

}  // namespace dm::host
