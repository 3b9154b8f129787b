// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/meter.h"

#include <type_traits>

namespace dm {

class WorkQueue;

/// Work that a device defers until the request that caused it has been answered. One run is one
/// unit (the frames of one call, one disk submission). The loop looks at every request slot between
/// two units; only the unit that it runs after each 32 requests or units, or 1 ms of them, may
/// follow another at once (ioreq/poller.h). Scheduling work that is already scheduled changes
/// nothing. The function returns true while there is more to do. No allocation. Thread rule: the
/// loop's thread only.
class Work {
 public:
  template <auto Run, class D>
  [[nodiscard]] static Work bind(WorkQueue& queue, D& device) noexcept {
    static_assert(std::is_nothrow_invocable_r_v<bool, decltype(Run), D&>);
    return Work{queue, &device, [](void* d) noexcept { return (static_cast<D*>(d)->*Run)(); }};
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  inline ~Work();

  inline void schedule() noexcept;
  inline void cancel() noexcept;
  [[nodiscard]] bool scheduled() const noexcept { return scheduled_; }

 private:
  friend class WorkQueue;
  using Callback = bool (*)(void*) noexcept;
  Work(WorkQueue& queue, void* device, Callback run) noexcept
      : queue_{queue}, device_{device}, run_{run} {}

  WorkQueue& queue_;
  void* device_;
  Callback run_;
  Work* next_ = nullptr;
  bool scheduled_ = false;
};

/// First in, first out. An item with more to do goes to the back, so devices take turns.
class WorkQueue {
 public:
  WorkQueue() = default;
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  /// Counts what a unit costs. Who serves requests tells it where one of those ends.
  [[nodiscard]] Meter& meter() noexcept { return meter_; }
  [[nodiscard]] const Meter& meter() const noexcept { return meter_; }
  /// Runs one unit; false when there was none.
  bool run_one() noexcept {
    Work* const work = first_;
    if (work == nullptr) {
      return false;
    }
    remove(*work);
    if (work->run_(work->device_)) {
      insert(*work);
    }
    meter_.end_unit();
    return true;
  }

 private:
  friend class Work;
  void insert(Work& work) noexcept {
    if (work.scheduled_) {
      return;
    }
    Work** link = &first_;
    while (*link != nullptr) {
      link = &(*link)->next_;
    }
    *link = &work;
    work.scheduled_ = true;
  }
  void remove(Work& work) noexcept {
    Work** link = &first_;
    while (*link != &work) {
      link = &(*link)->next_;
    }
    *link = work.next_;
    work.next_ = nullptr;
    work.scheduled_ = false;
  }

  Work* first_ = nullptr;
  Meter meter_;
};

inline void Work::schedule() noexcept {
  queue_.insert(*this);
}
inline void Work::cancel() noexcept {
  if (scheduled_) {
    queue_.remove(*this);
  }
}
inline Work::~Work() {
  cancel();
}

}  // namespace dm
