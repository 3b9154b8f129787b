// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/bounds.h"
#include "core/mem/guest_memory.h"
#include "core/net/segment.h"
#include "core/time/work.h"
#include "devices/nic/fragments.h"
#include "devices/rtl8139/descriptors.h"
#include "devices/rtl8139/interrupts.h"
#include "devices/rtl8139/shared.h"

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::rtl8139 {

/// The transmit side: takes descriptors, sends frames, reports.
///
/// It runs as deferred work, after the write of TPPoll or TSD was answered. One unit is one call of
/// the back end: up to bounds::kFramesPerSend frames, or one run of at most
/// bounds::kSegmentsPerSend segments that the back end cuts itself. In C+ mode a unit looks at a
/// ring of descriptors at most once. The ring moves on only behind what has gone: what the back end
/// did not take is read again. So nothing of a packet is kept between two units but how much of a
/// long one has gone. Payload goes to the back end as spans of the guest's pages, behind a private
/// copy of the header bytes that have to change.
///
/// In C mode the four descriptors are registers, taken in turn, a frame in each unit. Thread rule:
/// the loop's thread only. No allocation.
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

  /// Looks again: something that it may wait for has come (TPPoll, CR.TE, bus mastering, a link).
  void kick() noexcept;
  void on_sendable() noexcept;
  /// C mode: a write of TSD.
  void hand_over(std::size_t descriptor, std::uint32_t value) noexcept;
  /// The ring of C+ mode begins anew.
  void restart() noexcept;
  /// What is done to a packet has changed: if parts of it have gone, the rest is another packet.
  void forget_part() noexcept { shared_.state.tx_sent = 0; }
  /// On return, only what is in CardState is left.
  void settle() noexcept;
  /// CR.RST: reads and writes nothing more.
  void reset() noexcept;

 private:
  static constexpr std::size_t kFrames = bounds::kFramesPerSend;
  /// Ethernet, tag, IPv4 and TCP with all their options.
  static constexpr std::uint32_t kLongestHeader = 14 + 4 + 60 + 60;

  /// A run of descriptors that make a packet, by their places in the arrays below.
  struct Packet {
    std::size_t first = 0;
    std::size_t count = 0;
    std::uint32_t opts1 = 0;  ///< of the last one, as opts2: its flags count
    std::uint32_t opts2 = 0;
    std::uint32_t bytes = 0;  ///< without the driver's FCS
    bool whole = false;       ///< it begins with FS, ends with LS, and is not too long
  };
  enum class Fate : std::uint8_t { frame, done, bad };
  /// A packet whose descriptors can be reported when the call has been made.
  struct Ready {
    std::size_t first = 0;
    std::size_t count = 0;
    Fate fate = Fate::done;
  };
  enum class Sent : std::uint8_t { part, all, bad, full, busy };
  /// Where an IPv4 packet's headers are.
  struct Ip {
    std::uint32_t at = 0;
    std::uint32_t header = 0;  ///< bytes
    std::uint32_t l4 = 0;
    std::uint32_t l4_header = 0;  ///< bytes; 0: neither TCP nor UDP, or a fragment
    std::uint32_t end = 0;        ///< of the datagram
    bool tcp = false;

    [[nodiscard]] bool ok() const noexcept { return header != 0; }
    [[nodiscard]] inet::HeaderPlaces places(std::uint32_t headers_end) const noexcept;
  };

  // transmit_ring.cc
  [[nodiscard]] bool run() noexcept;
  [[nodiscard]] bool enabled() const noexcept;
  [[nodiscard]] bool run_plus() noexcept;
  [[nodiscard]] Gpa descriptor_at(std::uint8_t index) const noexcept;
  [[nodiscard]] bool fetch(std::size_t place) noexcept;
  [[nodiscard]] std::uint8_t next_index(std::size_t place) const noexcept;
  [[nodiscard]] bool take(Packet& packet) noexcept;
  [[nodiscard]] bool collect(std::size_t most) noexcept;
  [[nodiscard]] bool send_alone(const Packet& packet) noexcept;
  [[nodiscard]] bool send_batch() noexcept;
  [[nodiscard]] bool report(const Ready& done) noexcept;
  [[nodiscard]] bool wait_for_room() noexcept;

  // transmit_classic.cc
  [[nodiscard]] bool run_classic() noexcept;
  [[nodiscard]] Sent send_classic(std::size_t descriptor) noexcept;

  // transmit_packet.cc
  [[nodiscard]] nic::Fragments fragments(const Packet& packet) const noexcept;
  [[nodiscard]] bool copy_front(const Packet& packet, std::span<std::byte> to) noexcept;
  [[nodiscard]] bool gather(const Packet& packet, std::uint32_t from, std::uint32_t bytes) noexcept;
  [[nodiscard]] Ip read_headers(std::span<const std::byte> front,
                                std::uint32_t bytes) const noexcept;
  [[nodiscard]] bool fits_pieces(const Packet& packet) const noexcept;
  [[nodiscard]] Fate prepare_frame(const Packet& packet,
                                   NetOffload& offload,
                                   std::uint32_t& private_bytes) noexcept;
  void put_checksums(const Packet& packet,
                     const Ip& ip,
                     NetOffload& offload,
                     std::uint32_t private_bytes) noexcept;
  [[nodiscard]] Sent send_frame(const Packet& packet) noexcept;
  [[nodiscard]] Sent send_segments(const Packet& packet) noexcept;
  void make_segment_headers(const Packet& packet,
                            const Ip& ip,
                            std::uint32_t chunk,
                            bool last,
                            NetOffload& offload) noexcept;
  void add_pieces(const Packet& packet, std::uint32_t size, NetOffload& offload) noexcept;
  [[nodiscard]] SendStatus offer(const Packet& packet,
                                 std::uint32_t size,
                                 NetOffload offload) noexcept;
  /// Of the packet under way, with the tag's room in front.
  [[nodiscard]] std::span<std::byte> header_room() noexcept { return headers_[frames_.size()]; }
  [[nodiscard]] std::span<std::byte> header() noexcept { return header_room().subspan(kVlanTag); }

  Shared& shared_;
  RegisterFile& file_;
  GuestMemory& memory_;
  Interrupts& interrupts_;
  NetBackend& backend_;
  Loopback& loop_;
  Work work_;
  Meter& meter_;
  bool blocked_ = false;  ///< the back end said full

  // Of the unit under way: descriptors, in the order of the ring.
  std::array<std::uint64_t, kRing> address_{};
  std::array<std::uint32_t, kRing> length_{};
  std::array<std::uint32_t, kRing> opts1_{};
  std::array<std::uint32_t, kRing> opts2_{};
  std::array<std::uint8_t, kRing> index_{};
  std::size_t fetched_ = 0;
  std::size_t taken_ = 0;  ///< of these, by packets
  boost::container::static_vector<Ready, kRing> ready_;
  boost::container::static_vector<Outgoing, kFrames> frames_;
  std::array<std::array<std::byte, kVlanTag + kLongestHeader>, kFrames> headers_{};
  DmaBuffer buffer_;  ///< its part is the packet under way
  boost::container::static_vector<std::span<std::byte>, NetBackend::kMostPieces> pieces_;
};

}  // namespace dm::rtl8139
