// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace dm {

/// The last requests, in memory that outlives the process which served them (platform/supervisor
/// shares the page), so that the message about a sudden death can say what the guest did last.
/// Recording costs three stores. Thread rule: one writer, the loop's thread; the reader looks only
/// when the writer is dead, and trusts nothing it reads.
class BlackBox {
 public:
  static constexpr unsigned kEntries = 64;

  /// Fields as in Xen's public header hvm/ioreq.h. Numbers only: the worker shares the page, and
  /// one that was taken over may write any bits there.
  struct Entry {
    std::uint64_t addr;
    std::uint64_t data;
    std::uint32_t count;
    std::uint8_t type;
    std::uint8_t size;
    std::uint8_t vcpu;
    std::uint8_t is_read;  ///< not 0: a read
  };

  /// Called before a request is carried out: if that kills us, the request is the last entry.
  void record(const Entry& entry) noexcept {
    const std::uint32_t next = next_.load(std::memory_order_relaxed);
    entries_[next % kEntries] = entry;
    next_.store(next + 1, std::memory_order_relaxed);
  }
  /// Requests recorded since the start, modulo 2^32.
  [[nodiscard]] std::uint32_t recorded() const noexcept {
    return next_.load(std::memory_order_relaxed);
  }
  /// The entry `back` requests before the last one; `back` below kEntries and below recorded().
  [[nodiscard]] Entry last(std::uint32_t back) const noexcept {
    return entries_[(recorded() - 1 - back) % kEntries];
  }

 private:
  std::array<Entry, kEntries> entries_{};
  std::atomic<std::uint32_t> next_{0};
};

}  // namespace dm
