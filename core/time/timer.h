// SPDX-License-Identifier: MIT
#pragma once

#include "core/time/guest_time.h"

#include <optional>
#include <type_traits>

namespace dm {

class TimerQueue;

/// One timer of a device, on guest time. It lives inside the device; arming links it into the
/// queue, so nothing is allocated. Arming an armed timer moves it. The callback runs from the loop,
/// never from arm(). Thread rule: the loop's thread only.
class Timer {
 public:
  /// `Timer::bind<&Uart::on_timeout>(queue, *this)`
  template <auto Fire, class D>
  [[nodiscard]] static Timer bind(TimerQueue& queue, D& device) noexcept {
    static_assert(std::is_nothrow_invocable_v<decltype(Fire), D&>);
    return Timer{queue, &device, [](void* d) noexcept { (static_cast<D*>(d)->*Fire)(); }};
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  void arm(GuestTime deadline) noexcept;
  void arm_in(GuestClock::duration delay) noexcept;
  void cancel() noexcept;
  [[nodiscard]] bool armed() const noexcept { return armed_; }
  [[nodiscard]] GuestTime deadline() const noexcept { return deadline_; }

 private:
  friend class TimerQueue;
  using Callback = void (*)(void*) noexcept;
  Timer(TimerQueue& queue, void* device, Callback fire) noexcept
      : queue_{queue}, device_{device}, fire_{fire} {}

  TimerQueue& queue_;
  void* device_;
  Callback fire_;
  GuestTime deadline_{};
  Timer* next_ = nullptr;
  bool armed_ = false;
};

/// The armed timers, soonest first. A machine has a few dozen at most, so a sorted list is the
/// quickest structure.
class TimerQueue {
 public:
  explicit TimerQueue(const Clock& clock) noexcept : clock_{clock} {}
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  [[nodiscard]] GuestTime now() const noexcept { return clock_.now(); }
  [[nodiscard]] std::optional<GuestTime> next_deadline() const noexcept;
  /// Fires what is due, each timer at most once a call, so that a timer that re-arms itself cannot
  /// hold the loop.
  void run_due() noexcept;

 private:
  friend class Timer;
  void insert(Timer& timer) noexcept;
  void remove(Timer& timer) noexcept;

  const Clock& clock_;
  Timer* first_ = nullptr;
};

}  // namespace dm
