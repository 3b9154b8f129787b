// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace dm::test {

/// A guest's end of a PV disk's ring, as xen-blkfront works it. Layouts typed from Xen's public
/// headers io/ring.h and io/blkif.h as a compiler for 64-bit and 32-bit x86 lays them out.
class BlkfrontDriver {
 public:
  enum class Abi : std::uint8_t { x86_64, x86_32 };
  enum Op : std::uint8_t {
    kRead = 0,
    kWrite = 1,
    kBarrier = 2,
    kFlush = 3,
    kDiscard = 5,
    kIndirect = 6
  };

  struct Segment {
    std::uint32_t grant;
    std::uint8_t first;
    std::uint8_t last;
  };
  struct Response {
    std::uint64_t id;
    std::uint8_t operation;
    std::int16_t status;
  };

  /// `memory`: the ring's pages one after the other. Empty, as a frontend makes it.
  BlkfrontDriver(std::byte* memory, std::size_t pages, Abi abi)
      : memory_{memory}, abi_{abi}, size_{abi == Abi::x86_64 ? 112U : 108U} {
    std::memset(memory, 0, pages * 4096);
    set(4, 1);
    set(12, 1);
    entries_ = 1;
    while (entries_ * 2 * size_ + 64 <= pages * 4096) {
      entries_ *= 2;
    }
  }

  [[nodiscard]] std::uint32_t entries() const { return static_cast<std::uint32_t>(entries_); }

  void transfer(std::uint8_t op,
                std::uint64_t id,
                std::uint64_t sector,
                const std::vector<Segment>& segments) {
    std::byte* const at = next();
    put8(at, 0, op);
    put8(at, 1, static_cast<std::uint8_t>(segments.size()));
    put64(at, id_at(), id);
    put64(at, id_at() + 8, sector);
    for (std::size_t i = 0; i < segments.size() && i < 11; ++i) {
      put_segment(at + id_at() + 16 + i * 8, segments[i]);
    }
  }
  void indirect(std::uint8_t op,
                std::uint64_t id,
                std::uint64_t sector,
                std::uint16_t count,
                const std::vector<std::uint32_t>& pages) {
    std::byte* const at = next();
    put8(at, 0, kIndirect);
    put8(at, 1, op);
    std::memcpy(at + 2, &count, sizeof count);
    put64(at, id_at(), id);
    put64(at, id_at() + 8, sector);
    for (std::size_t i = 0; i < pages.size() && i < 8; ++i) {
      std::memcpy(at + (abi_ == Abi::x86_64 ? 28 : 24) + i * 4, &pages[i], 4);
    }
  }
  void discard(std::uint64_t id, std::uint64_t sector, std::uint64_t sectors, bool secure = false) {
    std::byte* const at = next();
    put8(at, 0, kDiscard);
    put8(at, 1, secure ? 1 : 0);
    put64(at, id_at(), id);
    put64(at, id_at() + 8, sector);
    put64(at, id_at() + 16, sectors);
  }
  static void put_segment(std::byte* at, Segment segment) {
    std::memcpy(at, &segment.grant, 4);
    put8(at, 4, segment.first);
    put8(at, 5, segment.last);
  }

  /// Shows what was put in. True when the backend wants to be notified.
  bool push() {
    const std::uint32_t before = word(0);
    set(0, produced_);
    return produced_ - word(4) < produced_ - before;
  }
  /// Whatever has been answered since; asks to be notified of the next.
  std::vector<Response> responses() {
    std::vector<Response> all;
    const std::uint32_t end = word(8);
    for (; consumed_ != end && all.size() <= entries_; ++consumed_) {
      const std::byte* const at = entry(consumed_);
      Response one{};
      std::memcpy(&one.id, at, 8);
      std::memcpy(&one.operation, at + 8, 1);
      std::memcpy(&one.status, at + 10, 2);
      all.push_back(one);
    }
    set(12, consumed_ + 1);
    return all;
  }
  [[nodiscard]] std::uint32_t open() const { return produced_ - consumed_; }
  /// The entry that was put in last, to be changed behind the backend's back.
  [[nodiscard]] std::byte* last() { return entry(produced_ - 1); }
  void claim(std::uint32_t more) { set(0, word(0) + more); }

  [[nodiscard]] std::uint32_t word(std::size_t offset) const {
    return std::atomic_ref<std::uint32_t>{*at(offset)}.load(std::memory_order_acquire);
  }
  void set(std::size_t offset, std::uint32_t value) {
    std::atomic_ref<std::uint32_t>{*at(offset)}.store(value, std::memory_order_release);
  }

 private:
  [[nodiscard]] std::size_t id_at() const { return abi_ == Abi::x86_64 ? 8 : 4; }
  [[nodiscard]] std::byte* entry(std::uint32_t index) const {
    return memory_ + 64 + (index & (entries_ - 1)) * size_;
  }
  std::byte* next() {
    std::byte* const at = entry(produced_++);
    std::memset(at, 0, size_);
    return at;
  }
  static void put8(std::byte* at, std::size_t offset, std::uint8_t value) {
    at[offset] = static_cast<std::byte>(value);
  }
  static void put64(std::byte* at, std::size_t offset, std::uint64_t value) {
    std::memcpy(at + offset, &value, sizeof value);
  }
  [[nodiscard]] std::uint32_t* at(std::size_t offset) const {
    return static_cast<std::uint32_t*>(static_cast<void*>(memory_ + offset));
  }

  std::byte* memory_;
  Abi abi_;
  std::size_t size_;
  std::size_t entries_ = 0;
  std::uint32_t produced_ = 0;
  std::uint32_t consumed_ = 0;
};

}  // namespace dm::test
