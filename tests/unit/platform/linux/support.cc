// SPDX-License-Identifier: MIT
#include "tests/unit/platform/linux/support.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <new>
#include <thread>

namespace dm::test {

namespace {

std::atomic<std::uint64_t> allocation_count;

struct Kernel {
  std::mutex mutex;
  Faults faults;
  Calls calls;
  std::thread::id home;
};
Kernel& kernel() {
  static Kernel the_kernel;
  return the_kernel;
}

}  // namespace

TempDir::TempDir() {
  // Not /tmp: there it may be a tmpfs, which has no RWF_NOWAIT before Linux 6.
  std::string name = "/var/tmp/stubdm-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    std::abort();
  }
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::image(std::string_view name, std::uint64_t size) const {
  const std::string path = file(name);
  std::string data(size, '\0');
  for (std::uint64_t i = 0; i < size; ++i) {
    data[i] = static_cast<char>(pattern(i));
  }
  std::ofstream{path, std::ios::binary} << data;
  return path;
}

bool run_until(host::Loop& loop,
               const std::function<bool()>& done,
               std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) {
      return done();
    }
    loop.wait(5ms);
  }
  return true;
}

void run_for(host::Loop& loop, std::chrono::milliseconds time) {
  run_until(
      loop, [] { return false; }, time);
}

bool stays_idle(host::Loop& loop, std::chrono::milliseconds time) {
  const auto before = loop.counters();
  const auto start = std::chrono::steady_clock::now();
  loop.wait(time);
  return loop.counters().wakeups == before.wakeups &&
         std::chrono::steady_clock::now() - start >= time;
}

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

std::string read_all(int fd) {
  std::string all;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) {
      return all;
    }
    all.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::string contents(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::uint64_t allocations() noexcept {
  return allocation_count;
}

void Client::pull() noexcept {
  std::array<char, 64> buffer;
  for (;;) {
    const std::size_t want = std::min(buffer.size(), room);
    const std::size_t count = backend_.read(std::as_writable_bytes(std::span{buffer.data(), want}));
    received.append(buffer.data(), count);
    room -= count;
    if (count < want || want == 0) {
      return;
    }
  }
}

void set_faults(const Faults& faults) {
  const std::lock_guard lock{kernel().mutex};
  kernel().faults = faults;
}

void reset_calls() {
  const std::lock_guard lock{kernel().mutex};
  kernel().calls = {};
  kernel().home = std::this_thread::get_id();
}

Faults take_faults(bool interruptible) {
  const std::lock_guard lock{kernel().mutex};
  const Faults now = kernel().faults;
  if (interruptible && kernel().faults.interrupts > 0) {
    --kernel().faults.interrupts;
  }
  if (!interruptible) {
    kernel().faults.sync_error_once = 0;
  }
  return now;
}

void count_call(Call call, bool elsewhere) {
  const std::lock_guard lock{kernel().mutex};
  Calls& calls = kernel().calls;
  switch (call) {
    case Call::read:
      ++calls.reads;
      calls.reads_elsewhere += elsewhere ? 1U : 0U;
      break;
    case Call::write:
      ++calls.writes;
      calls.writes_elsewhere += elsewhere ? 1U : 0U;
      break;
    case Call::sync:
      ++calls.syncs;
      break;
    case Call::vector_write:
      ++calls.vector_writes;
      break;
    case Call::epoll_change:
      ++calls.epoll_changes;
      break;
  }
}

bool pool_only() {
  const char* const engine = std::getenv("DM_TEST_ENGINE");
  return engine != nullptr && std::string_view{engine} == "pool";
}

Calls calls() {
  const std::lock_guard lock{kernel().mutex};
  return kernel().calls;
}

namespace {

/// The first `limit` bytes of what a vector describes.
std::array<iovec, 256> shorten(const iovec* from, int& count, std::size_t limit) {
  std::array<iovec, 256> result{};
  int used = 0;
  for (; used < count && used < 256 && limit != 0; ++used) {
    const auto i = static_cast<std::size_t>(used);
    result[i] = from[used];
    result[i].iov_len = std::min(result[i].iov_len, limit);
    limit -= result[i].iov_len;
  }
  count = used;
  return result;
}

Faults begin(std::uint64_t Calls::*counter, std::uint64_t Calls::*elsewhere, bool& interrupted) {
  const std::lock_guard lock{kernel().mutex};
  ++(kernel().calls.*counter);
  if (std::this_thread::get_id() != kernel().home) {
    ++(kernel().calls.*elsewhere);
  }
  interrupted = kernel().faults.interrupts > 0;
  if (interrupted) {
    --kernel().faults.interrupts;
  }
  return kernel().faults;
}

ssize_t positioned(long number, int fd, const iovec* vector, int count, off_t offset, int flags) {
  return ::syscall(number, fd, vector, count, offset, offset >> 32 >> 32, flags);
}

}  // namespace

}  // namespace dm::test

// These definitions come before libc's for the whole program, so that a test can make the kernel's
// rare answers happen.
extern "C" {

ssize_t preadv2(int fd, const iovec* vector, int count, off_t offset, int flags) {
  using namespace dm::test;
  bool interrupted = false;
  const Faults faults = begin(&Calls::reads, &Calls::reads_elsewhere, interrupted);
  const bool nowait = (flags & RWF_NOWAIT) != 0;
  if (interrupted || (nowait && (faults.nothing_cached || faults.nowait_unknown))) {
    errno = interrupted ? EINTR : faults.nowait_unknown ? EOPNOTSUPP : EAGAIN;
    return -1;
  }
  if (faults.at_most != 0) {
    const auto less = shorten(vector, count, faults.at_most);
    return positioned(SYS_preadv2, fd, less.data(), count, offset, flags);
  }
  return positioned(SYS_preadv2, fd, vector, count, offset, flags);
}

ssize_t pwritev2(int fd, const iovec* vector, int count, off_t offset, int flags) {
  using namespace dm::test;
  bool interrupted = false;
  const Faults faults = begin(&Calls::writes, &Calls::writes_elsewhere, interrupted);
  const bool nowait = (flags & RWF_NOWAIT) != 0;
  if (interrupted || (nowait && faults.nowait_unknown) || (!nowait && faults.write_error != 0)) {
    errno = interrupted ? EINTR : nowait ? EOPNOTSUPP : faults.write_error;
    return -1;
  }
  if (!nowait && faults.write_delay > 0ms) {
    std::this_thread::sleep_for(faults.write_delay);
  }
  if ((flags & RWF_DSYNC) != 0 && faults.dsync_error != 0) {
    static_cast<void>(positioned(SYS_pwritev2, fd, vector, count, offset, 0));
    errno = faults.dsync_error;
    return -1;
  }
  if (faults.at_most != 0) {
    const auto less = shorten(vector, count, faults.at_most);
    return positioned(SYS_pwritev2, fd, less.data(), count, offset, flags);
  }
  return positioned(SYS_pwritev2, fd, vector, count, offset, flags);
}

ssize_t writev(int fd, const iovec* vector, int count) {
  dm::test::count_call(dm::test::Call::vector_write, false);
  return ::syscall(SYS_writev, fd, vector, count);
}

int epoll_ctl(int set, int what, int fd, epoll_event* event) noexcept {
  dm::test::count_call(dm::test::Call::epoll_change, false);
  return static_cast<int>(::syscall(SYS_epoll_ctl, set, what, fd, event));
}

int epoll_pwait2(
    int set, epoll_event* events, int capacity, const timespec* timeout, const sigset_t* mask) {
  using namespace dm::test;
  {
    const std::lock_guard lock{kernel().mutex};
    if (kernel().faults.no_pwait2) {
      errno = ENOSYS;
      return -1;
    }
    using std::chrono::nanoseconds;
    using std::chrono::seconds;
    kernel().calls.last_sleep = timeout == nullptr
                                    ? nanoseconds{-1}
                                    : seconds{timeout->tv_sec} + nanoseconds{timeout->tv_nsec};
  }
  return static_cast<int>(
      ::syscall(SYS_epoll_pwait2, set, events, capacity, timeout, mask, _NSIG / 8));
}

int poll(pollfd* fds, nfds_t count, int timeout) {
  using namespace dm::test;
  if (count == 0) {
    const std::lock_guard lock{kernel().mutex};
    ++kernel().calls.naps;
  }
  return static_cast<int>(::syscall(SYS_poll, fds, count, timeout));
}

int inotify_init1(int flags) noexcept {
  using namespace dm::test;
  {
    const std::lock_guard lock{kernel().mutex};
    if (kernel().faults.no_inotify) {
      errno = EMFILE;
      return -1;
    }
  }
  return static_cast<int>(::syscall(SYS_inotify_init1, flags));
}

int fdatasync(int fd) {
  using namespace dm::test;
  Faults faults;
  {
    const std::lock_guard lock{kernel().mutex};
    ++kernel().calls.syncs;
    faults = kernel().faults;
    kernel().faults.sync_error_once = 0;
  }
  if (faults.sync_delay > 0ms) {
    std::this_thread::sleep_for(faults.sync_delay);
  }
  if (faults.sync_error != 0 || faults.sync_error_once != 0) {
    errno = faults.sync_error != 0 ? faults.sync_error : faults.sync_error_once;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
}

void* operator new(std::size_t size) {
  ++dm::test::allocation_count;
  if (void* const memory = std::malloc(size == 0 ? 1 : size); memory != nullptr) {
    return memory;
  }
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
