// SPDX-License-Identifier: MIT
// The linker sends the library's calls here (--wrap), so that a test can make the kernel's rare
// answers happen on a real ring: submissions are changed on their way, answers when they are read.
#include "tests/unit/platform/linux/uring_faults.h"

#include "tests/unit/platform/linux/support.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <thread>
#include <utility>

namespace dm::test {

namespace {

using Clock = std::chrono::steady_clock;

/// What is to happen to the answer of one request. No allocation: a test counts those.
struct Fate {
  std::uint64_t request = 0;
  int result = 0;  ///< 0: the kernel's
  Clock::time_point not_before{};
};

struct Rings {
  std::array<Fate, 1024> fates;
  std::array<iovec, 256> shortened;
  io_uring* newest = nullptr;
  int event = -1;
};
Rings& rings() {
  static Rings all;
  return all;
}

Fate& fate_of(std::uint64_t request) {
  auto& fates = rings().fates;
  auto found = std::find_if(fates.begin(), fates.end(),
                            [=](const Fate& fate) { return fate.request == request; });
  if (found == fates.end()) {
    found = std::find_if(fates.begin(), fates.end(),
                         [](const Fate& fate) { return fate.request == 0; });
  }
  return found != fates.end() ? *found : fates.front();
}

void wake_later(Clock::time_point when) {
  std::thread{[when, event = ::fcntl(rings().event, F_DUPFD_CLOEXEC, 0)] {
    std::this_thread::sleep_until(when);
    const std::uint64_t one = 1;
    static_cast<void>(!::write(event, &one, sizeof one));
    ::close(event);
  }}.detach();
}

void shorten(io_uring_sqe& entry, std::size_t limit) {
  const auto* const from = reinterpret_cast<const iovec*>(entry.addr);
  auto& to = rings().shortened;
  unsigned used = 0;
  for (; used < entry.len && used < to.size() && limit != 0; ++used) {
    to[used] = from[used];
    to[used].iov_len = std::min(to[used].iov_len, limit);
    limit -= to[used].iov_len;
  }
  entry.addr = reinterpret_cast<std::uint64_t>(to.data());
  entry.len = used;
}

/// Not allowed on a restricted ring: nothing is done, and the answer is ours.
void replace(io_uring_sqe& entry, Fate& fate, int error) {
  entry.opcode = IORING_OP_NOP;
  entry.rw_flags = 0;
  fate.result = -error;
}

void tamper_with(io_uring_sqe& entry) {
  const bool moves = entry.opcode == IORING_OP_READV || entry.opcode == IORING_OP_WRITEV;
  const bool sync = entry.opcode == IORING_OP_FSYNC;
  if (!moves && !sync) {
    return;
  }
  count_call(sync ? Call::sync : entry.opcode == IORING_OP_READV ? Call::read : Call::write, true);
  const Faults faults = take_faults(moves);
  Fate& fate = fate_of(entry.user_data);
  fate = {.request = entry.user_data};
  const auto delay = sync                               ? faults.sync_delay
                     : entry.opcode == IORING_OP_WRITEV ? faults.write_delay
                                                        : 0ms;
  if (delay > 0ms) {
    fate.not_before = Clock::now() + delay;
    wake_later(fate.not_before);
  }
  if (faults.answer != 0) {
    replace(entry, fate, faults.answer);
  } else if (sync) {
    fate.result = -(faults.sync_error != 0 ? faults.sync_error : faults.sync_error_once);
  } else if (faults.interrupts > 0) {
    replace(entry, fate, EINTR);
  } else if (entry.opcode == IORING_OP_WRITEV && faults.write_error != 0) {
    replace(entry, fate, faults.write_error);
  } else if ((static_cast<unsigned>(entry.rw_flags) & RWF_DSYNC) != 0 && faults.dsync_error != 0) {
    entry.rw_flags = 0;
    fate.result = -faults.dsync_error;
  } else if (faults.at_most != 0) {
    shorten(entry, faults.at_most);
  }
}

void tamper_with_new(io_uring& ring) {
  for (unsigned i = ring.sq.sqe_head; i != ring.sq.sqe_tail; ++i) {
    tamper_with(ring.sq.sqes[i & ring.sq.ring_mask]);
  }
}

bool refuse_submission() {
  Faults faults = take_faults(true);
  if (faults.submits_refused <= 0) {
    return false;
  }
  --faults.submits_refused;
  set_faults(faults);
  return true;
}

}  // namespace

io_uring* newest_ring() {
  return rings().newest;
}

}  // namespace dm::test

extern "C" {

int __real_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params);
int __real_io_uring_register_restrictions(io_uring* ring, io_uring_restriction* rules, unsigned n);
int __real_io_uring_register_eventfd(io_uring* ring, int fd);
void __real_io_uring_queue_exit(io_uring* ring);
int __real_io_uring_submit(io_uring* ring);
int __real_io_uring_submit_and_wait(io_uring* ring, unsigned count);
unsigned __real_io_uring_peek_batch_cqe(io_uring* ring, io_uring_cqe** entries, unsigned count);

int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params) {
  using namespace dm::test;
  rings().newest = nullptr;
  const int error = pool_only() ? ENOSYS : take_faults(true).ring_error;
  if (error != 0) {
    return -error;
  }
  const int result = __real_io_uring_queue_init_params(entries, ring, params);
  rings().newest = result >= 0 ? ring : nullptr;
  return result;
}

void __wrap_io_uring_queue_exit(io_uring* ring) {
  using namespace dm::test;
  rings().newest = rings().newest == ring ? nullptr : rings().newest;
  __real_io_uring_queue_exit(ring);
}

int __wrap_io_uring_register_restrictions(io_uring* ring, io_uring_restriction* rules, unsigned n) {
  const int error = dm::test::take_faults(true).restrict_error;
  return error != 0 ? -error : __real_io_uring_register_restrictions(ring, rules, n);
}

int __wrap_io_uring_register_eventfd(io_uring* ring, int fd) {
  dm::test::rings().event = fd;
  return __real_io_uring_register_eventfd(ring, fd);
}

int __wrap_io_uring_submit(io_uring* ring) {
  using namespace dm::test;
  if (::io_uring_sq_ready(ring) != 0 && refuse_submission()) {
    return -EAGAIN;
  }
  tamper_with_new(*ring);
  return __real_io_uring_submit(ring);
}

int __wrap_io_uring_submit_and_wait(io_uring* ring, unsigned count) {
  using namespace dm::test;
  if (::io_uring_sq_ready(ring) != 0 && refuse_submission()) {
    return -EAGAIN;
  }
  tamper_with_new(*ring);
  if (::io_uring_cq_ready(ring) != 0) {  // answers that are held back
    std::this_thread::sleep_for(1ms);
    return __real_io_uring_submit(ring);
  }
  return __real_io_uring_submit_and_wait(ring, count);
}

/// One at a time is asked for. The one that is due goes to the head of the queue.
unsigned __wrap_io_uring_peek_batch_cqe(io_uring* ring, io_uring_cqe** entries, unsigned count) {
  using namespace dm::test;
  std::array<io_uring_cqe*, 256> ready{};
  const unsigned n = __real_io_uring_peek_batch_cqe(ring, ready.data(), ready.size());
  const bool newest_first = take_faults(true).newest_first;
  const auto now = Clock::now();
  io_uring_cqe* due = nullptr;
  for (unsigned i = 0; i < n && (due == nullptr || newest_first); ++i) {
    due = fate_of(ready[i]->user_data).not_before <= now ? ready[i] : due;
  }
  if (due == nullptr || count == 0) {
    return 0;
  }
  std::swap(due->user_data, ready[0]->user_data);
  std::swap(due->res, ready[0]->res);
  Fate& fate = fate_of(ready[0]->user_data);
  ready[0]->res = fate.result != 0 ? fate.result : ready[0]->res;
  fate = {};
  entries[0] = ready[0];
  return 1;
}
}
