// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/bounds.h"
#include "core/mem/guest_memory.h"
#include "core/time/timer.h"
#include "core/time/work.h"
#include "devices/nic/fragments.h"
#include "devices/nic/landing.h"
#include "devices/rtl8139/descriptors.h"
#include "devices/rtl8139/filter.h"
#include "devices/rtl8139/interrupts.h"
#include "devices/rtl8139/shared.h"

#include <boost/container/static_vector.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::rtl8139 {

/// The receive side: filters frames, cuts long ones, puts them where the guest wants them, reports.
/// In C+ mode that is a ring of descriptors, a frame in each; in C mode one run of memory.
///
/// It asks the back end for a frame only while there is a place for one, so other frames wait in
/// the host's kernel. Where the next frame goes is a guess (devices/nic/landing.h): it is like the
/// last one.
///
/// A driver of C+ mode hands a descriptor back by writing memory, and tells nobody. So a card that
/// has none looks again whenever ISR or IMR is accessed, and by a timer, after 1 ms at first and
/// later each 64 ms.
///
/// One unit of work is one frame of the back end, with at most bounds::kSegmentsPerReceive
/// segments. Thread rule: the loop's thread only. No allocation after construction.
class Receiver {
 public:
  struct Ports {
    GuestMemory& memory;
    TimerQueue& timers;
    WorkQueue& work;
    NetBackend& backend;
  };
  Receiver(Shared& shared,
           const Ports& ports,
           Interrupts& interrupts,
           Loopback& loop,
           const MacAddress& mac);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() = default;

  /// Looks again: something that it may wait for has come (CAPR, CR, bus mastering, a link).
  void kick() noexcept;
  /// The same, if it waits for a descriptor.
  void look() noexcept {
    if (waiting_) {
      kick();
    }
  }
  void on_receivable() noexcept;
  /// RCR.AAP, the mode or the station address changed: run() tells the back end.
  void settings_changed() noexcept;
  /// CR.RE was set: both kinds of rings begin anew.
  void restart() noexcept;
  /// CpCR.CPRX changed.
  void change_mode() noexcept;
  /// The ring of C+ mode begins anew.
  void first_descriptor() noexcept;
  /// The ring of C mode begins anew.
  void empty_ring() noexcept;
  /// CR.BUFE.
  [[nodiscard]] bool ring_is_empty() const noexcept;
  /// On return, only what is in CardState is left; the back end keeps its frames.
  void settle() noexcept;
  void reset() noexcept;

 private:
  static constexpr std::uint32_t kHead = 128;
  static constexpr std::size_t kSegmentsInUnit = bounds::kSegmentsPerReceive;

  /// Room for one frame and its FCS: a descriptor's buffer, or the ring of C mode behind the
  /// header, in up to two pieces.
  struct Place {
    std::array<std::uint64_t, 2> address{};
    std::array<std::uint32_t, 2> length{};
    std::uint8_t index = 0;  ///< C+ mode: of the descriptor
    bool end_of_ring = false;

    [[nodiscard]] std::uint32_t room() const noexcept { return length[0] + length[1]; }
    [[nodiscard]] nic::Fragments pieces() const noexcept {
      return {address.data(), length.data(), address.size()};
    }
  };
  /// Where the next frame is expected to go.
  struct Layout {
    std::uint32_t head = kHead;    ///< bytes that go into the private head
    std::uint32_t offset = kHead;  ///< where the rest begins in a place: less when a tag goes
    std::uint32_t segment = 0;     ///< 0: one frame; else bytes of payload in each place
    std::size_t used = 0;          ///< places that have a part of it
    std::uint32_t room = 0;        ///< bytes in them
  };
  /// What the last long frame was like.
  struct Guess {
    std::uint32_t head = 0;
    std::uint32_t segment = 0;
    std::size_t segments = 0;
    bool tagged = false;
  };
  /// A frame, or the rest of a long one, that waits in landing_ for places.
  struct Pending {
    std::uint32_t at = 0;
    std::uint32_t left = 0;  ///< payload bytes
    bool waiting = false;
  };
  struct Seen {
    Match match = Match::none;
    std::uint32_t checksum = 0;  ///< of RxOpts1
    std::uint32_t tag = 0;       ///< RxOpts2
  };

  // receive_ring.cc
  [[nodiscard]] bool run() noexcept;
  [[nodiscard]] bool enabled() const noexcept;
  [[nodiscard]] bool listening() const noexcept {
    return enabled() && !shared_.loopback && shared_.link;
  }
  void want(bool on) noexcept;
  void tell_backend() noexcept;
  void on_timer() noexcept;
  void watch() noexcept;
  void stop_watching() noexcept;
  void stall() noexcept;
  [[nodiscard]] Gpa descriptor_at(std::uint8_t index) const noexcept;
  [[nodiscard]] bool read_descriptor(std::uint8_t index, Place& place) noexcept;
  [[nodiscard]] std::uint32_t ring_size() const noexcept;
  [[nodiscard]] std::uint32_t read_pointer() const noexcept;
  [[nodiscard]] bool find_in_ring(Place& place) const noexcept;
  [[nodiscard]] std::size_t find_places(std::size_t wanted) noexcept;
  void publish(const Place& place, std::uint32_t total, const Seen& seen) noexcept;
  void publish_descriptor(const Place& place, std::uint32_t total, const Seen& seen) noexcept;
  void publish_entry(std::uint32_t total, const Seen& seen) noexcept;
  void delivered() noexcept;
  void receive_looped() noexcept;

  // receive_frame.cc
  [[nodiscard]] bool receive() noexcept;
  void lay_out() noexcept;
  void accept(std::uint32_t size, const NetOffload& offload) noexcept;
  void accept_frame(std::uint32_t size, Seen& seen, const NetOffload& offload) noexcept;
  void accept_segments(std::uint32_t size, Seen& seen, const NetOffload& offload) noexcept;
  void cut_in_place(std::uint32_t payload, const Seen& seen) noexcept;
  [[nodiscard]] std::uint64_t sum_in(const Place& place,
                                     std::uint32_t from,
                                     std::uint32_t bytes) noexcept;
  [[nodiscard]] bool is_in_place(std::uint32_t head, std::uint32_t behind) const noexcept;
  void write(const Place& place, std::uint32_t at, std::span<const std::byte> bytes) noexcept;
  void end_in_place(const Place& place, std::uint32_t size, const Seen& seen) noexcept;
  [[nodiscard]] bool put(std::span<const std::byte> head,
                         std::span<const std::byte> body,
                         const Seen& seen) noexcept;
  [[nodiscard]] bool deliver_pending() noexcept;
  [[nodiscard]] std::uint32_t strip_tag(std::span<std::byte> head, Seen& seen) noexcept;
  void note_checksums(std::span<const std::byte> head, bool verified, Seen& seen) noexcept;
  void miss() noexcept;
  void count(const Seen& seen) noexcept;

  Shared& shared_;
  RegisterFile& file_;
  GuestMemory& memory_;
  Interrupts& interrupts_;
  NetBackend& backend_;
  Loopback& loop_;
  Work work_;
  Timer timer_;
  MacAddress mac_;

  bool wanted_ = false;       ///< as the back end was told
  bool dry_ = true;           ///< the back end had nothing when last asked
  bool promiscuous_ = false;  ///< as the back end was told
  bool offloads_ = false;     ///< as the back end was told
  bool settings_dirty_ = false;
  bool published_ = false;  ///< in this unit
  bool waiting_ = false;    ///< C+ mode: for a descriptor
  std::chrono::milliseconds patience_{1};
  std::size_t places_left_ = 0;  ///< that this unit may still fill

  boost::container::static_vector<Place, kRing> places_;  ///< from the next one on, of this unit
  Layout layout_;
  Guess guess_;
  Pending pending_;
  nic::SegmentHeader segments_;  ///< of the long frame under way
  Seen pending_seen_;
  nic::Landing landing_;
};

}  // namespace dm::rtl8139
