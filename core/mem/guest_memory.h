// SPDX-License-Identifier: MIT
#pragma once

#include "core/addr.h"
#include "core/bounds.h"
#include "core/obs/meter.h"
#include "core/ports/memory_mapper.h"
#include "core/time/guest_time.h"

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace dm {

class GuestMemory;

/// Which way a transfer goes, seen from the guest's memory.
enum class Dma : std::uint8_t {
  from_guest,  ///< the device reads memory
  to_guest,  ///< the device writes memory; pages are reported as dirty when the buffer is released
};

/// Payload of one transfer: spans of the guest's own pages, for vectored system calls without a
/// copy. While it lives its windows stay mapped, also across INVALIDATE. Bytes behind a span belong
/// to the guest: it may change them at any moment, so nothing that steers us is ever read from
/// here. Move-only, bounded.
class DmaBuffer {
 public:
  static constexpr std::size_t kMaxSpans = 256;

  DmaBuffer() noexcept = default;
  DmaBuffer(const DmaBuffer&) = delete;
  DmaBuffer& operator=(const DmaBuffer&) = delete;
  ~DmaBuffer() { release(); }

  [[nodiscard]] std::span<const std::span<std::byte>> spans() const noexcept { return spans_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }  ///< bytes
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// What is appended from here on shares no span with what is there. So several frames can lie in
  /// one buffer.
  void begin_part() noexcept { part_ = spans_.size(); }
  /// The spans since begin_part().
  [[nodiscard]] std::span<const std::span<std::byte>> part() const noexcept {
    return std::span<const std::span<std::byte>>{spans_}.subspan(part_);
  }
  /// Reports dirty pages and lets the windows go.
  void release() noexcept;

 private:
  friend class GuestMemory;
  struct Hold {
    std::uint64_t gpa;
    std::uint32_t length;
    std::uint16_t window;
    bool dirty;
  };

  GuestMemory* memory_ = nullptr;
  boost::container::static_vector<std::span<std::byte>, kMaxSpans> spans_;
  boost::container::static_vector<Hold, kMaxSpans> holds_;
  std::size_t size_ = 0;
  std::size_t part_ = 0;  ///< the first span of the part under way
};

/// The guest's RAM. Windows of 2 MiB are mapped when first used and found again by direct index;
/// their number is bounded, so a small process serves a large guest. To make room a window goes
/// that was not used since the clock hand last passed it (second chance). Addresses that are not
/// RAM (holes, ROM that Xen does not give, MMIO, our own BARs) simply fail: a device turns that
/// into its bus error and nothing is ever dispatched back into a device. Costs: a hit is two loads;
/// a miss is one mapping call. No allocation after construction.
///
/// That something is not RAM is remembered, or each item of a string operation and each descriptor
/// of a ring would map 2 MiB again only to hear it again: until INVALIDATE, or to the end of the
/// request or unit and for bounds::kAbsence, whichever is longer. A page that the guest gets back
/// from its balloon is announced by nothing, so after that time it is looked for once more.
/// Thread rule: the loop's thread only.
class GuestMemory {
 public:
  struct Limits {
    std::size_t windows = 1024;                   ///< mapped at once, at most 65534; 2 MiB each
    std::uint64_t size = std::uint64_t{1} << 42;  ///< addresses at or above are not RAM
  };
  struct Counters {
    std::uint64_t maps = 0;
    std::uint64_t evictions = 0;
    std::uint64_t failures = 0;    ///< accesses to what is not RAM
    std::uint64_t remembered = 0;  ///< of these, without asking the mapper again
    std::uint64_t invalidations = 0;
  };

  /// What "again" is measured by. Without a clock nothing is remembered.
  struct Pace {
    const Clock* clock = nullptr;  ///< read only where something is not RAM
    Meter* meter = nullptr;        ///< hears of each mapping
  };

  GuestMemory(MemoryMapper& mapper, Limits limits, Pace pace);
  GuestMemory(MemoryMapper& mapper, Limits limits) : GuestMemory(mapper, limits, Pace{}) {}
  explicit GuestMemory(MemoryMapper& mapper) : GuestMemory(mapper, Limits{}) {}
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  /// Every DmaBuffer must be gone by then.
  ~GuestMemory();

  /// Control data, by value: copied in once, checked by the caller, the copy used. False (and `out`
  /// untouched) unless every byte is RAM.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] bool read(Gpa at, T& out) noexcept {
    T copy;
    if (!read_bytes(at, std::as_writable_bytes(std::span{&copy, 1}))) {
      return false;
    }
    out = copy;
    return true;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] bool write(Gpa at, const T& value) noexcept {
    return write_bytes(at, std::as_bytes(std::span{&value, 1}));
  }
  [[nodiscard]] bool read_bytes(Gpa at, std::span<std::byte> to) noexcept;
  /// All or nothing as far as RAM goes: no byte is written unless all are RAM. Marks pages dirty.
  [[nodiscard]] bool write_bytes(Gpa at, std::span<const std::byte> from) noexcept;

  /// The longest piece of [at, at+length) that is contiguous here; empty when `at` is not RAM. For
  /// copies that end before the next call of any member. A writer calls mark_dirty afterwards.
  [[nodiscard]] std::span<std::byte> piece(Gpa at, std::size_t length) noexcept;
  void mark_dirty(Gpa at, std::uint64_t length) noexcept {
    if (dirty_ != nullptr && length != 0) {
      report_dirty(at, length);
    }
  }

  /// Adds [at, at+length) to a transfer. False, with `buffer` as it was, when a byte is not RAM or
  /// the buffer has no room for another span.
  [[nodiscard]] bool append(DmaBuffer& buffer, Gpa at, std::size_t length, Dma direction) noexcept;

  /// Xen took pages from the guest (IOREQ_TYPE_INVALIDATE): drops every window that no transfer
  /// holds, and hides the others so that the next access maps anew.
  void invalidate() noexcept;

  /// Null: nobody wants to know.
  void track_dirty(DirtySink* sink) noexcept { dirty_ = sink; }
  [[nodiscard]] bool tracks_dirty() const noexcept { return dirty_ != nullptr; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::size_t mapped_windows() const noexcept { return mapped_; }

 private:
  friend class DmaBuffer;
  /// When something was found not to be RAM.
  struct Absence {
    GuestTime until{};
    std::uint64_t serial = 0;  ///< of the meter; 0: never
  };
  struct Window {
    std::byte* base = nullptr;
    std::uint64_t number = 0;
    std::uint32_t holds = 0;
    bool referenced = false;  ///< used since the clock hand last passed
    bool hidden = false;      ///< invalidated while held: unmapped at the last release
    Absence absence;          ///< of a page that `present` does not have
    WindowPages present;
  };
  /// A window without any RAM. The table is looked up by the window's low bits: neighbours, as one
  /// access may touch them, never share a place.
  struct Hole {
    std::uint64_t number = 0;
    Absence absence;
  };
  static constexpr std::size_t kHoles = 64;
  struct Free {
    void operator()(std::uint16_t* index) const noexcept;
  };

  /// What index_ and holds name is a slot, whatever a guest does: no check.
  [[nodiscard]] Window& in_slot(std::size_t index) noexcept { return *(windows_.data() + index); }
  /// The window of `gpa` with that page present, or null.
  [[nodiscard]] Window* window_at(std::uint64_t gpa) noexcept;
  [[nodiscard]] std::span<std::byte> piece(Gpa at, std::size_t length, Window*& window) noexcept;
  [[nodiscard]] Window* map_window(std::uint64_t number) noexcept;
  [[nodiscard]] Window* free_slot() noexcept;
  [[nodiscard]] bool remembered(const Absence& absence) noexcept;
  [[nodiscard]] Absence absent_now() const noexcept;
  void drop(Window& window) noexcept;
  void hide(Window& window) noexcept;
  void release_hold(std::uint16_t index) noexcept;
  void report_dirty(Gpa at, std::uint64_t length) noexcept;
  [[nodiscard]] bool present(Gpa at, std::size_t length) noexcept;

  MemoryMapper& mapper_;
  const Pace pace_;
  DirtySink* dirty_ = nullptr;
  std::uint64_t size_;
  /// window number -> slot + 1. Untouched zero pages: a 4 TiB guest costs 4 MiB of address space
  /// and what it uses.
  std::unique_ptr<std::uint16_t[], Free> index_;
  std::vector<Window> windows_;  ///< sized once
  std::array<Hole, kHoles> holes_{};
  std::size_t hand_ = 0;
  std::size_t mapped_ = 0;
  Counters counters_;
};

}  // namespace dm
