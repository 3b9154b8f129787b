// SPDX-License-Identifier: MIT
// Symbols of the program go before those of libc and libstdc++, so these are called by everything
// in the process; each counts and hands on to glibc's own.
#include "bench/hot_path.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>

namespace {
std::atomic<std::uint64_t> allocated{0};
std::atomic<std::uint64_t> locked{0};

/// The next definition of a function, which is glibc's.
template <class F>
F* next(std::atomic<F*>& known, const char* name) noexcept {
  F* function = known.load(std::memory_order_relaxed);
  if (function == nullptr) {
    function = reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
    known.store(function, std::memory_order_relaxed);
  }
  return function;
}
std::atomic<int (*)(pthread_mutex_t*)> mutex_lock{nullptr};
std::atomic<int (*)(pthread_rwlock_t*)> read_lock{nullptr};
std::atomic<int (*)(pthread_rwlock_t*)> write_lock{nullptr};
}  // namespace

namespace dm::bench {
HotPath hot_path() noexcept {
  return {.allocations = allocated.load(std::memory_order_relaxed),
          .locks = locked.load(std::memory_order_relaxed)};
}
}  // namespace dm::bench

extern "C" {

// glibc's names behind malloc and its kin, exported for exactly this use.
void* __libc_malloc(std::size_t);               // NOLINT(bugprone-reserved-identifier,cert-dcl*)
void* __libc_calloc(std::size_t, std::size_t);  // NOLINT(bugprone-reserved-identifier,cert-dcl*)
void* __libc_realloc(void*, std::size_t);       // NOLINT(bugprone-reserved-identifier,cert-dcl*)

// libstdc++'s operator new ends here.
void* malloc(std::size_t size) noexcept {
  allocated.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  allocated.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  allocated.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  locked.fetch_add(1, std::memory_order_relaxed);
  return next(mutex_lock, "pthread_mutex_lock")(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  locked.fetch_add(1, std::memory_order_relaxed);
  return next(read_lock, "pthread_rwlock_rdlock")(lock);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  locked.fetch_add(1, std::memory_order_relaxed);
  return next(write_lock, "pthread_rwlock_wrlock")(lock);
}
}
