// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/bounds.h"
#include "core/mem/guest_memory.h"
#include "core/time/work.h"
#include "devices/e1000/descriptors.h"
#include "devices/e1000/eeprom.h"
#include "devices/e1000/interrupts.h"
#include "devices/e1000/shared.h"
#include "devices/e1000/statistics.h"
#include "devices/nic/landing.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::e1000 {

/// The receive side (8254x SDM, 3.2): filters frames, cuts them, puts them into the guest's
/// buffers, reports.
///
/// It asks the back end for a frame only while the guest has buffers, so other frames wait in the
/// host's kernel. A frame is scattered over a small private head, which is filtered and changed,
/// and the guest's own buffers. This needs a guess of how long the headers are and how a long frame
/// is cut: the guess is that the frame is like the last one. If it is right, the payload is already
/// in its place, and only the head is copied. If it is wrong, the frame goes through a private
/// buffer.
///
/// One unit of work is one frame of the back end, with at most bounds::kSegmentsPerReceive
/// segments; fewer if each takes several buffers. Thread rule: the loop's thread only. No
/// allocation after construction.
class Receiver {
 public:
  Receiver(Shared& shared,
           GuestMemory& memory,
           Interrupts& interrupts,
           NetBackend& backend,
           Loopback& loop,
           WorkQueue& work,
           const MacAddress& mac);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() = default;

  /// Looks again: something that it may wait for has come (RDT, RCTL, bus mastering, a link).
  void kick() noexcept;
  void on_receivable() noexcept;
  /// RCTL or the addresses changed: run() tells the back end.
  void filters_changed() noexcept;
  void wrote_tail() noexcept;
  /// Call it before ring registers change.
  void leave_ring() noexcept;
  /// On return, only what is in CardState is left; the back end keeps its frames.
  void settle() noexcept;
  void reset() noexcept;

 private:
  static constexpr std::size_t kCache = 128;  ///< a frame of 16 KiB in buffers of 256 bytes
  static constexpr std::uint32_t kHead = 128;
  static constexpr std::size_t kSegmentsInUnit = bounds::kSegmentsPerReceive;
  static constexpr std::size_t kSpill = nic::Landing::kSpill;

  /// Where the next frame is expected to go.
  struct Layout {
    std::uint32_t head = kHead;    ///< bytes that go into the private head
    std::uint32_t offset = kHead;  ///< where the rest begins in a buffer: less when a tag goes
    std::uint32_t segment = 0;     ///< 0: one frame; else bytes of payload in each buffer
    std::size_t buffers = 0;       ///< the guest's, that have a part of it
    std::uint32_t buffer_size = 0;
    std::uint32_t room = 0;  ///< bytes in them
  };
  /// What the last long frame was like.
  struct Guess {
    std::uint32_t head = 0;
    std::uint32_t segment = 0;
    std::size_t segments = 0;
    bool tagged = false;
  };
  enum class Verdict : std::uint8_t { rejected, exact, inexact };
  /// A frame, or the rest of a long one, that waits in landing_ for buffers.
  struct Pending {
    std::uint32_t at = 0;
    std::uint32_t left = 0;  ///< payload bytes
    bool waiting = false;
  };
  struct Seen {
    std::uint64_t status = 0;  ///< bits of the last descriptor
    Cast cast = Cast::unicast;
    std::uint32_t tag = 0;  ///< bytes of a VLAN tag that was taken out

    /// The shortest frame in the guest's memory: it was padded on the wire, tag included.
    [[nodiscard]] std::uint32_t shortest() const noexcept { return kShortestFrame - tag; }
  };

  // receive_ring.cc
  [[nodiscard]] bool run() noexcept;
  [[nodiscard]] bool enabled() const noexcept;
  [[nodiscard]] std::uint32_t available() const noexcept;
  [[nodiscard]] std::uint32_t buffer_size() const noexcept;
  [[nodiscard]] std::uint32_t crc_bytes() const noexcept;
  void want(bool on) noexcept;
  void tell_backend() noexcept;
  [[nodiscard]] std::size_t fetch(std::size_t wanted) noexcept;
  void skip_null_buffers() noexcept;
  void publish(std::uint64_t status) noexcept;
  void publish_frame(std::uint32_t bytes, const Seen& seen) noexcept;
  [[nodiscard]] bool put(std::span<const std::byte> head,
                         std::span<const std::byte> body,
                         const Seen& seen) noexcept;
  void write(std::uint64_t address, std::span<const std::byte> bytes) noexcept;
  void delivered() noexcept;
  void receive_looped() noexcept;

  // receive_frame.cc
  [[nodiscard]] bool receive() noexcept;
  void lay_out() noexcept;
  void add_buffers(std::size_t most, std::uint32_t longest) noexcept;
  void accept(std::uint32_t size, const NetOffload& offload) noexcept;
  void accept_frame(std::uint32_t size, Seen& seen, const NetOffload& offload) noexcept;
  void accept_segments(std::uint32_t size, Seen& seen, const NetOffload& offload) noexcept;
  void cut_in_place(std::uint32_t payload, const Seen& seen) noexcept;
  [[nodiscard]] bool deliver_pending() noexcept;
  [[nodiscard]] bool is_in_place(std::uint32_t head,
                                 std::uint32_t behind,
                                 std::uint32_t shortest) const noexcept;
  void end_in_place(std::uint32_t size, const Seen& seen) noexcept;
  [[nodiscard]] bool length_allowed(std::uint32_t size) noexcept;
  [[nodiscard]] std::uint32_t strip_tag(std::span<std::byte> head, Seen& seen) noexcept;
  void drop() noexcept { ++shared_.counters.rx_dropped; }

  // receive_filter.cc
  [[nodiscard]] Verdict filter(std::span<const std::byte> head) const noexcept;
  [[nodiscard]] Verdict filter_address(std::span<const std::byte> head) const noexcept;
  [[nodiscard]] bool filter_vlan(std::span<const std::byte> head) const noexcept;
  [[nodiscard]] bool tagged(std::span<const std::byte> head) const noexcept;
  [[nodiscard]] std::uint64_t checksum_status(std::span<const std::byte> head,
                                              bool verified) const noexcept;
  [[nodiscard]] bool needs_everything() const noexcept;

  Shared& shared_;
  RegisterFile& file_;
  GuestMemory& memory_;
  Interrupts& interrupts_;
  NetBackend& backend_;
  Loopback& loop_;
  Work work_;
  MacAddress mac_;

  std::array<std::uint64_t, kCache> buffers_{};  ///< addresses, from RDH on
  std::size_t cached_ = 0;
  std::size_t cache_at_ = 0;
  bool wanted_ = false;       ///< as the backend was told
  bool dry_ = true;           ///< the backend had nothing when last asked
  bool promiscuous_ = false;  ///< as the backend was told
  bool filters_dirty_ = false;
  bool published_ = false;        ///< in this unit
  std::size_t buffers_left_ = 0;  ///< that this unit may still fill

  Layout layout_;
  Guess guess_;
  Pending pending_;
  SegmentHeader segments_;  ///< of the long frame under way
  Seen pending_seen_;
  nic::Landing landing_;
};

}  // namespace dm::e1000
