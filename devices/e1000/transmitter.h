// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/mem/guest_memory.h"
#include "core/time/work.h"
#include "devices/e1000/descriptors.h"
#include "devices/e1000/interrupts.h"
#include "devices/e1000/shared.h"
#include "devices/e1000/statistics.h"

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::e1000 {

/// The transmit side (8254x SDM, 3.3 to 3.5): takes descriptors, sends frames, reports.
///
/// It runs as deferred work, after the TDT write was answered. One unit is one frame, or one run of
/// at most bounds::kSegmentsPerSend segments that the back end cuts itself; a unit takes at most a
/// block of descriptors. Descriptors are copied once, in blocks. Payload goes to the back end as
/// spans of the guest's pages, behind a private copy of the header bytes that have to change.
/// Descriptors are reported, and the interrupt decided on, when the ring is empty, the back end is
/// full, or a block is done.
///
/// A frame for which the back end has no room waits here until on_sendable(). Thread rule: the
/// loop's thread only. No allocation.
class Transmitter {
 public:
  Transmitter(Shared& shared,
              GuestMemory& memory,
              Interrupts& interrupts,
              NetBackend& backend,
              Loopback& loop,
              WorkQueue& work) noexcept;
  Transmitter(const Transmitter&) = delete;
  Transmitter& operator=(const Transmitter&) = delete;
  ~Transmitter() = default;

  /// Looks again: something that it may wait for has come (TDT, TCTL.EN, bus mastering, a link).
  void kick() noexcept;
  void on_sendable() noexcept;
  /// Call it before ring registers change: reports what is done, and drops what was fetched.
  void leave_ring() noexcept;
  /// On return, only what is in CardState is left.
  void settle() noexcept;
  /// CTRL.RST: reads and writes nothing more.
  void reset() noexcept;

 private:
  static constexpr std::size_t kBlock = 64;        ///< descriptors fetched at once
  static constexpr std::size_t kHeaderRoom = 264;  ///< a checksum offset is at most 255
  static constexpr std::size_t kPending = kBlock + kMaxFragments;

  struct Report {
    std::uint16_t slot;
    bool delayable;
  };
  enum class Sent : std::uint8_t { part, all, full, busy };
  /// A checksum to be put at `at`, over [start, end).
  struct Sum {
    bool wanted = false;
    std::uint32_t start = 0;
    std::uint32_t at = 0;
    std::uint32_t end = 0;
  };

  // transmit_ring.cc
  [[nodiscard]] bool run() noexcept;
  [[nodiscard]] bool enabled() const noexcept;
  [[nodiscard]] bool ring_has_more() const noexcept;
  [[nodiscard]] bool next(Descriptor& d) noexcept;
  [[nodiscard]] bool fetch() noexcept;
  void take(const Descriptor& d) noexcept;
  void take_context(const Descriptor& d) noexcept;
  void open_packet(const Descriptor& d) noexcept;
  void add_fragment(const Descriptor& d, std::uint32_t length) noexcept;
  void close_packet(const Descriptor& d) noexcept;
  void forget_packet() noexcept;
  void finish_packet() noexcept;
  void report(std::uint16_t slot, std::uint8_t flags) noexcept;
  void write_back() noexcept;
  void end_batch() noexcept;

  // transmit_packet.cc
  [[nodiscard]] Sent send_part() noexcept;
  [[nodiscard]] Sent send_frame() noexcept;
  [[nodiscard]] Sent send_segments() noexcept;
  [[nodiscard]] Sent drop() noexcept;
  [[nodiscard]] bool segments_make_sense() const noexcept;
  [[nodiscard]] bool host_can_cut() const noexcept;
  [[nodiscard]] bool header_is_as_said() const noexcept;
  [[nodiscard]] std::uint32_t at_once(std::uint32_t left) const noexcept;
  [[nodiscard]] bool copy_header(std::uint32_t size) noexcept;
  [[nodiscard]] bool gather(std::uint32_t from, std::uint32_t length) noexcept;
  void patch_header(std::uint32_t chunk, bool last, bool whole) noexcept;
  [[nodiscard]] Sum sum_of(std::uint32_t start, std::uint32_t at, std::uint32_t end) const noexcept;
  void insert(const Sum& sum, std::uint32_t header, bool zero_means_none) noexcept;
  void insert_tag() noexcept;
  [[nodiscard]] SendStatus offer(std::uint32_t header, NetOffload offload) noexcept;
  [[nodiscard]] Cast cast(std::uint32_t header) const noexcept;
  void count_sent(std::uint32_t header, std::uint32_t chunk, Cast cast) noexcept;
  [[nodiscard]] std::span<std::byte> header() noexcept {
    return std::span{header_}.subspan(kVlanTag);
  }
  [[nodiscard]] std::span<const std::byte> header() const noexcept {
    return std::span{header_}.subspan(kVlanTag);
  }

  Shared& shared_;
  RegisterFile& file_;
  TxPacket& packet_;
  GuestMemory& memory_;
  Interrupts& interrupts_;
  NetBackend& backend_;
  Loopback& loop_;
  Work work_;
  Meter& meter_;

  std::array<Descriptor, kBlock> cache_{};
  std::size_t cache_at_ = 0;
  std::size_t cached_ = 0;
  boost::container::static_vector<Report, kPending> reports_;
  bool all_delayable_ = true;
  bool progress_ = false;  ///< since the last end of a batch
  bool blocked_ = false;   ///< the backend said full

  std::array<std::byte, kVlanTag + kHeaderRoom> header_{};  ///< the tag's room comes first
  DmaBuffer buffer_;
  boost::container::static_vector<std::span<std::byte>, NetBackend::kMostPieces> pieces_;
};

}  // namespace dm::e1000
