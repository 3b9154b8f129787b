// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/bounds.h"
#include "core/mem/guest_memory.h"
#include "core/time/work.h"
#include "devices/e1000/descriptors.h"
#include "devices/e1000/interrupts.h"
#include "devices/e1000/shared.h"
#include "devices/e1000/statistics.h"
#include "devices/nic/fragments.h"

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::e1000 {

/// The transmit side (8254x SDM, 3.3 to 3.5): takes descriptors, sends frames, reports.
///
/// It runs as deferred work, after the TDT write was answered. One unit is one call of the back
/// end: up to bounds::kFramesPerSend frames, or one run of at most bounds::kSegmentsPerSend
/// segments that the back end cuts itself. A unit takes at most a block of descriptors. Descriptors
/// are copied once, in blocks. Payload goes to the back end as spans of the guest's pages, behind a
/// private copy of the header bytes that have to change. Descriptors are reported, and the
/// interrupt decided on, when the ring is empty, the back end is full, or a block is done.
///
/// When the back end takes only some of a unit's frames, the ring goes back to the first that it
/// did not take. That happens within the unit, so the guest cannot see it. The frame is tried again
/// after on_sendable(). Thread rule: the loop's thread only. No allocation.
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
  /// A block that is to be reported, a packet, and what one unit takes.
  static constexpr std::size_t kPending = kBlock + kMaxFragments + kBlock;
  static constexpr std::size_t kFrames = bounds::kFramesPerSend;

  struct Report {
    std::uint16_t slot;
    bool delayable;
  };
  enum class Sent : std::uint8_t { part, all, full, busy };
  enum class Taken : std::uint8_t { packet, block, nothing };
  /// Where the ring stood before a packet's first descriptor.
  struct Place {
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
    std::size_t reports = 0;
    TxContext plain;
    TxContext segment;
  };
  /// A frame that is ready to go, beside its Outgoing.
  struct Ready {
    Place from;
    std::uint32_t wire = 0;  ///< bytes on the wire, without FCS
    Cast cast = Cast::unicast;
  };
  /// A checksum to be put at `at`, over [start, end).
  struct Sum {
    bool wanted = false;
    std::uint32_t start = 0;
    std::uint32_t at = 0;
    std::uint32_t end = 0;
  };

  // transmit_ring.cc
  [[nodiscard]] bool run() noexcept;
  [[nodiscard]] bool send_alone() noexcept;
  [[nodiscard]] bool go_on() noexcept;
  [[nodiscard]] bool wait_for_room() noexcept;
  [[nodiscard]] bool enabled() const noexcept;
  [[nodiscard]] bool ring_has_more() const noexcept;
  [[nodiscard]] Taken take_packet(std::size_t& descriptors) noexcept;
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

  // transmit_batch.cc
  [[nodiscard]] Place here() const noexcept;
  void go_back(const Place& to) noexcept;
  [[nodiscard]] bool may_join() const noexcept;
  [[nodiscard]] bool join(const Place& from) noexcept;
  [[nodiscard]] bool send_batch() noexcept;

  // transmit_packet.cc
  [[nodiscard]] Sent send_part() noexcept;
  [[nodiscard]] Sent send_frame() noexcept;
  [[nodiscard]] bool prepare_frame(NetOffload& offload, std::uint32_t& private_bytes) noexcept;
  [[nodiscard]] std::uint32_t bytes_on_wire() const noexcept {
    return packet_.bytes + (packet_.insert_vlan ? kVlanTag : 0);
  }
  void count_frame(std::uint32_t wire, Cast cast) noexcept;
  [[nodiscard]] Sent send_segments() noexcept;
  [[nodiscard]] Sent drop() noexcept;
  [[nodiscard]] bool segments_make_sense() const noexcept;
  [[nodiscard]] bool host_can_cut() const noexcept;
  [[nodiscard]] bool header_is_as_said() const noexcept;
  [[nodiscard]] std::uint32_t at_once(std::uint32_t left) const noexcept;
  [[nodiscard]] nic::Fragments fragments() const noexcept;
  [[nodiscard]] bool copy_header(std::uint32_t size) noexcept;
  [[nodiscard]] bool gather(std::uint32_t from, std::uint32_t length) noexcept;
  void patch_header(std::uint32_t chunk, bool last, bool whole) noexcept;
  [[nodiscard]] Sum sum_of(std::uint32_t start, std::uint32_t at, std::uint32_t end) const noexcept;
  void insert(const Sum& sum, std::uint32_t header, bool zero_means_none) noexcept;
  void insert_tag() noexcept;
  [[nodiscard]] std::uint32_t add_pieces(std::uint32_t header, NetOffload& offload) noexcept;
  [[nodiscard]] SendStatus offer(std::uint32_t header, NetOffload offload) noexcept;
  [[nodiscard]] Cast cast(std::uint32_t header) const noexcept;
  void count_sent(std::uint32_t header, std::uint32_t chunk, Cast cast) noexcept;
  /// Of the packet under way, with the tag's room in front.
  [[nodiscard]] std::span<std::byte> header_room() noexcept { return headers_[frames_.size()]; }
  [[nodiscard]] std::span<std::byte> header() noexcept { return header_room().subspan(kVlanTag); }
  [[nodiscard]] std::span<const std::byte> header() const noexcept {
    return std::span{headers_[frames_.size()]}.subspan(kVlanTag);
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

  // Of the unit under way; empty between units.
  boost::container::static_vector<Outgoing, kFrames> frames_;
  std::array<Ready, kFrames> ready_{};
  std::array<std::array<std::byte, kVlanTag + kHeaderRoom>, kFrames> headers_{};
  DmaBuffer buffer_;  ///< its part is the packet under way
  boost::container::static_vector<std::span<std::byte>, NetBackend::kMostPieces> pieces_;
};

}  // namespace dm::e1000
