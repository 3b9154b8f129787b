// SPDX-License-Identifier: MIT
#include "platform/linux/loop/alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace dm::host {

namespace {

void set(int timer, std::chrono::nanoseconds delay) noexcept {
  itimerspec when{};
  when.it_value = {.tv_sec = delay.count() / 1'000'000'000,
                   .tv_nsec = delay.count() % 1'000'000'000};
  ::timerfd_settime(timer, 0, &when, nullptr);
}

}  // namespace

bool Alarm::prepare() noexcept {
  if (!timer_.ok()) {
    UniqueFd timer{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
    if (!timer) {
      return false;
    }
    timer_ = Watch{loop_, std::move(timer), Callback::bind<&Alarm::on_expired>(*this)};
  }
  return timer_.ok();
}

bool Alarm::arm(std::chrono::nanoseconds delay) noexcept {
  if (!prepare()) {
    return false;
  }
  set(timer_.fd(), std::max(delay, std::chrono::nanoseconds{1}));  // 0 would disarm it
  armed_ = true;
  timer_.await_readable();
  return true;
}

void Alarm::cancel() noexcept {
  if (armed_) {
    armed_ = false;
    set(timer_.fd(), std::chrono::nanoseconds{0});
  }
}

void Alarm::on_expired() noexcept {
  std::uint64_t expirations = 0;
  if (::read(timer_.fd(), &expirations, sizeof expirations) != sizeof expirations) {
    // Moved or cancelled after it had expired.
    if (armed_) {
      timer_.await_readable();
    }
    return;
  }
  if (armed_) {
    armed_ = false;
    fire_();
  }
}

}  // namespace dm::host
