// SPDX-License-Identifier: MIT
#include "platform/linux/loop/loop.h"

#include "platform/linux/loop/asio_access.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <utility>

namespace dm::host {

namespace {

/// Marks Asio's descriptor among the events; the others carry their own number.
constexpr std::uint64_t kAsio = ~std::uint64_t{0};

[[noreturn]] void throw_errno(const char* what) {
  throw boost::system::system_error{errno, boost::system::system_category(), what};
}

}  // namespace

struct Loop::Asio {
  boost::asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  /// Without it a context that has nothing to do stops itself.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      context.get_executor()};
};

Loop::Loop()
    : asio_{std::make_unique<Asio>()},
      end_of_turn_{Work::bind<&Loop::mark_end_of_turn>(turn_queue_, *this)},
      set_{::epoll_create1(EPOLL_CLOEXEC)} {
  if (!set_) {
    throw_errno("epoll_create1");
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kAsio;
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, reactor_descriptor(asio_->context), &event) != 0) {
    throw_errno("epoll_ctl");
  }
  // Asio's self-wake descriptor starts out readable, once.
  poll();
}

Loop::~Loop() = default;

boost::asio::io_context& Loop::context() noexcept {
  return asio_->context;
}

Loop::Part* Loop::find_part(const void* key) const noexcept {
  for (const KeptPart& kept : parts_) {
    if (kept.key == key) {
      return kept.part.get();
    }
  }
  return nullptr;
}

Loop::Part& Loop::keep_part(const void* key, std::unique_ptr<Part> part) {
  return *parts_.emplace_back(KeptPart{key, std::move(part)}).part;
}

void Loop::add(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<std::uint64_t>(fd);
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw_errno("epoll_ctl");
  }
}

void Loop::remove(int fd) noexcept {
  ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Loop::end_turn() noexcept {
  if (turn_queue_.empty()) {
    return;
  }
  // What is scheduled from here on, by itself or by others, waits for the next turn.
  turn_over_ = false;
  end_of_turn_.schedule();
  while (!turn_over_ && turn_queue_.run_one()) {
  }
}

bool Loop::poll() noexcept {
  end_turn();
  return run_handlers() || !turn_queue_.empty();
}

bool Loop::run_handlers() noexcept {
  // Not io_context::poll(): it asks the kernel a second time to learn that there is no more, which
  // our own set tells for nothing; and it has no bound.
  for (unsigned n = 0; n < kHandlersPerTurn; ++n) {
    if (asio_->context.poll_one() == 0) {
      return false;
    }
    ++counters_.handlers;
    if (!has_queued_handlers(asio_->context)) {
      return false;
    }
  }
  return true;
}

bool Loop::wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
  if (!turn_queue_.empty()) {
    end_turn();
    if (!turn_queue_.empty()) {
      run_handlers();  // there is no end of work: sockets want their turn as well
    }
    return false;  // it may have armed a timer that `timeout` knows nothing of
  }
  if (has_queued_handlers(asio_->context)) {
    run_handlers();
    return false;
  }
  epoll_event events[4];
  const int count = sleep(std::begin(events), static_cast<int>(std::size(events)), timeout);
  bool hot = false;
  bool asio = false;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kAsio) {
      asio = true;
    } else {
      hot = true;
    }
  }
  if (asio) {
    run_handlers();
  }
  return hot;
}

void Loop::wake() noexcept {
  if (pulse_ != nullptr && pulse_->wake()) {
    itimerspec first{};
    first.it_value.tv_sec = Pulse::kLook.count();
    static_cast<void>(::timerfd_settime(pulse_timer_, 0, &first, nullptr));
  }
}

int Loop::sleep(epoll_event* events,
                int capacity,
                std::optional<std::chrono::nanoseconds> timeout) noexcept {
  using std::chrono::nanoseconds;
  ++counters_.sleeps;
  if (pulse_ != nullptr) {
    pulse_->rest();
  }
  int count = -1;
  errno = ENOSYS;
  if (has_pwait2_) {
    timespec until{};
    if (timeout) {
      const auto left = std::max(nanoseconds{0}, *timeout).count();
      until = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    }
    count = ::epoll_pwait2(set_.get(), events, capacity, timeout ? &until : nullptr, nullptr);
  }
  if (count < 0 && errno == ENOSYS) {  // before Linux 5.11
    has_pwait2_ = false;
    // Rounded up: a timer that is looked at a moment too early would make us spin until it is due.
    std::int64_t ms = -1;
    if (timeout) {
      ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(nanoseconds{0}, *timeout)).count();
    }
    count = ::epoll_wait(set_.get(), events, capacity,
                         static_cast<int>(std::min<std::int64_t>(ms, INT_MAX)));
  }
  wake();
  if (count > 0) {
    ++counters_.wakeups;
  }
  return count;
}

}  // namespace dm::host
