// SPDX-License-Identifier: MIT
#include "core/time/timer.h"

namespace dm {

void Timer::arm(GuestTime deadline) noexcept {
  cancel();
  deadline_ = deadline;
  queue_.insert(*this);
}

void Timer::arm_in(GuestClock::duration delay) noexcept {
  arm(queue_.now() + delay);
}

void Timer::cancel() noexcept {
  if (armed_) {
    queue_.remove(*this);
  }
}

std::optional<GuestTime> TimerQueue::next_deadline() const noexcept {
  if (first_ == nullptr) {
    return std::nullopt;
  }
  return first_->deadline_;
}

void TimerQueue::run_due() noexcept {
  if (first_ == nullptr) {
    return;
  }
  // A timer that re-arms itself gets a deadline after this moment, so the loop below ends.
  const GuestTime now = clock_.now();
  while (first_ != nullptr && first_->deadline_ <= now) {
    Timer& due = *first_;
    remove(due);
    due.fire_(due.device_);
    if (due.armed_ && due.deadline_ <= now) {
      return;  // armed in the past: next turn of the loop
    }
  }
}

void TimerQueue::insert(Timer& timer) noexcept {
  Timer** link = &first_;
  while (*link != nullptr && (*link)->deadline_ <= timer.deadline_) {
    link = &(*link)->next_;
  }
  timer.next_ = *link;
  *link = &timer;
  timer.armed_ = true;
}

void TimerQueue::remove(Timer& timer) noexcept {
  Timer** link = &first_;
  while (*link != &timer) {
    link = &(*link)->next_;
  }
  *link = timer.next_;
  timer.next_ = nullptr;
  timer.armed_ = false;
}

}  // namespace dm
