// SPDX-License-Identifier: MIT
// Frames of the back end: where they are to land, and what is done when they have.
#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "devices/rtl8139/receiver.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace dm::rtl8139 {

namespace {

using inet::Checksum;
using inet::get16;
using inet::sum_bytes;
using regs::CpCR;
using regs::MPC;

constexpr std::uint32_t kMissedMax = 0x00ffffff;  // of MPC

[[nodiscard]] bool tagged(std::span<const std::byte> head) noexcept {
  return head.size() >= kVlanOffset + kVlanTag + 2 && get16(head, kVlanOffset) == inet::kTypeVlan;
}

}  // namespace

/// A frame that the guest would have had and does not get.
void Receiver::miss() noexcept {
  ++shared_.counters.rx_dropped;
  if (const std::uint32_t missed = file_.get<MPC>(); missed != kMissedMax) {
    file_.set<MPC>(missed + 1);
  }
  std::uint16_t& tally = shared_.state.tally.missed;
  tally = static_cast<std::uint16_t>(tally +
                                     (tally == std::numeric_limits<std::uint16_t>::max() ? 0 : 1));
}

void Receiver::count(const Seen& seen) noexcept {
  Tally& t = shared_.state.tally;
  ++t.rx_ok;
  t.rx_broadcast += seen.match == Match::broadcast ? 1U : 0U;
  t.rx_multicast += seen.match == Match::multicast ? 1U : 0U;
  t.rx_unicast += seen.match == Match::station ? 1U : 0U;
}

/// What goes into the head, and which places follow.
void Receiver::lay_out() noexcept {
  const bool strips = shared_.plus_receive() && file_.test<CpCR, CpCR::RxVLAN>();
  const std::uint32_t tag = guess_.tagged && strips ? kVlanTag : 0;
  layout_ = {.head = kHead, .offset = kHead - tag};
  if (shared_.plus_receive() && guess_.segments > 1) {
    layout_.head = guess_.head;
    layout_.offset = guess_.head - tag;
    layout_.segment = guess_.segment;
  }
  const bool cut = layout_.segment != 0;
  (void)find_places(cut ? std::min(guess_.segments, kSegmentsInUnit) : 1);
  for (const Place& place : places_) {
    const std::uint32_t taken = layout_.offset + kFcsBytes;
    const std::uint32_t most = place.room() > taken ? place.room() - taken : 0;
    const std::uint32_t bytes = cut ? layout_.segment : most;
    if (bytes == 0 || bytes > most ||
        !place.pieces().gather(memory_, landing_.buffer(), layout_.offset, bytes, Dma::to_guest)) {
      break;
    }
    layout_.room += bytes;
    ++layout_.used;
  }
}

/// One frame; false when the back end has none.
bool Receiver::receive() noexcept {
  lay_out();
  NetOffload offload;
  const Received got = landing_.receive(backend_, offload, layout_.head);
  const bool any = got.size != 0;
  if (any && (got.truncated || got.size < kEthernetHeader || got.size > nic::Landing::kSpill)) {
    miss();
  } else if (any) {
    accept(static_cast<std::uint32_t>(got.size), offload);
  }
  landing_.buffer().release();
  return any;
}

void Receiver::accept(std::uint32_t size, const NetOffload& offload) noexcept {
  const auto head = landing_.head().first(std::min(size, layout_.head));
  Seen seen;
  seen.match = match(file_, head);
  if (seen.match == Match::none) {
    ++shared_.counters.rx_filtered;
    return;
  }
  guess_.tagged = tagged(head);
  if (offload.gso != Gso::none) {
    accept_segments(size, seen, offload);
  } else {
    guess_.segments /= 2;
    accept_frame(size, seen, offload);
  }
}

/// Takes the tag out of a frame's first bytes, when the guest wants it so; how many bytes went.
std::uint32_t Receiver::strip_tag(std::span<std::byte> head, Seen& seen) noexcept {
  if (!shared_.plus_receive() || !file_.test<CpCR, CpCR::RxVLAN>() || !tagged(head)) {
    return 0;
  }
  seen.tag =
      static_cast<std::uint32_t>(RxOpts2::TAVA::kMask) | tag_in_word(get16(head, kVlanOffset + 2));
  std::memmove(head.data() + kVlanOffset, head.data() + kVlanOffset + kVlanTag,
               head.size() - kVlanOffset - kVlanTag);
  return kVlanTag;
}

void Receiver::note_checksums(std::span<const std::byte> head, bool verified, Seen& seen) noexcept {
  if (shared_.plus_receive() && file_.test<CpCR, CpCR::RxChkSum>()) {
    seen.checksum = checksum_status(head, verified);
  }
}

void Receiver::accept_frame(std::uint32_t size, Seen& seen, const NetOffload& offload) noexcept {
  std::uint32_t in_head = std::min(size, layout_.head);
  bool moved = false;
  if (offload.needs_checksum && !landing_.finish_checksum(size, offload, in_head, moved)) {
    miss();
    return;
  }
  const std::uint32_t behind = size - in_head;
  const std::uint32_t head = in_head - strip_tag(landing_.head().first(in_head), seen);
  const auto bytes = landing_.head().first(head);
  note_checksums(bytes, offload.checksum_valid || offload.needs_checksum, seen);
  if (!places_.empty() && head + behind + kFcsBytes > places_.front().room()) {
    miss();
    return;
  }
  if (!moved && is_in_place(head, behind)) [[likely]] {
    const Place place = places_.front();
    write(place, 0, bytes);
    end_in_place(place, head + behind, seen);
    return;
  }
  ++shared_.counters.rx_moved;
  segments_.take_plain(bytes, behind);
  if (!moved) {
    landing_.linearize(size);
  }
  pending_ = {.at = in_head, .left = behind, .waiting = true};
  pending_seen_ = seen;
}

/// Was the guess right? `head` bytes are to come from us, `behind` are where the back end put them.
bool Receiver::is_in_place(std::uint32_t head, std::uint32_t behind) const noexcept {
  if (places_.empty() || (behind != 0 && (layout_.used == 0 || head != layout_.offset))) {
    return false;
  }
  return behind <= (layout_.segment != 0 ? layout_.segment : layout_.room);
}

void Receiver::write(const Place& place,
                     std::uint32_t at,
                     std::span<const std::byte> bytes) noexcept {
  if (!place.pieces().copy_in(memory_, at, bytes)) {
    ++shared_.counters.master_aborts;
  }
}

/// A frame of `size` bytes lies in the place: its padding, what stands for its FCS, and the report.
void Receiver::end_in_place(const Place& place, std::uint32_t size, const Seen& seen) noexcept {
  static constexpr std::array<std::byte, kShortestFrame + kFcsBytes> kZeros{};
  const std::uint32_t total = std::max(size, kShortestFrame) + kFcsBytes;
  write(place, size, std::span{kZeros}.first(total - size));
  count(seen);
  publish(place, total, seen);
}

/// A long TCP frame: as many as its segments, each with a header of its own.
void Receiver::accept_segments(std::uint32_t size, Seen& seen, const NetOffload& offload) noexcept {
  std::uint32_t in_head = std::min(size, layout_.head);
  const std::uint32_t length =
      nic::SegmentHeader::length_of(landing_.head().first(in_head), offload);
  const bool cut_right = layout_.segment == offload.segment_size && length == layout_.head;
  if (!cut_right) {
    in_head = landing_.lengthen_head(size);
  }
  if (!segments_.take(landing_.head().first(in_head), size, offload)) {
    miss();
    return;
  }
  const std::uint32_t header = segments_.length();
  const std::uint32_t payload = size - header;
  guess_.head = header;
  guess_.segment = offload.segment_size;
  guess_.segments = payload / offload.segment_size + 1;
  if (strip_tag(segments_.original(), seen) != 0) {
    segments_.tag_stripped();
  }
  // Every segment has a checksum when we are done with it.
  const std::uint32_t first = std::min<std::uint32_t>(payload, segments_.segment());
  note_checksums(segments_.header(0, first, 0, payload == first), true, seen);
  if (cut_right && segments_.length() == layout_.offset) {
    cut_in_place(payload, seen);
    return;
  }
  ++shared_.counters.rx_moved;
  if (cut_right) {
    landing_.linearize(size);
  }
  pending_ = {.at = header, .left = payload, .waiting = true};
  pending_seen_ = seen;
}

std::uint64_t Receiver::sum_in(const Place& place,
                               std::uint32_t from,
                               std::uint32_t bytes) noexcept {
  Checksum checksum;
  for (std::uint32_t at = 0; at < bytes;) {
    const auto piece = memory_.piece(Gpa{place.address[0]} + from + at, bytes - at);
    if (piece.empty()) {
      break;
    }
    checksum.add(piece);
    at += static_cast<std::uint32_t>(piece.size());
  }
  return checksum.sum();
}

/// The payload is in the guest's buffers already, a segment in each; only headers are missing. What
/// found no buffer is in the private rest.
void Receiver::cut_in_place(std::uint32_t payload, const Seen& seen) noexcept {
  const std::uint32_t header = segments_.length();
  for (std::size_t done = 0; done < layout_.used && payload != 0; ++done) {
    const std::uint32_t part = std::min<std::uint32_t>(payload, segments_.segment());
    payload -= part;
    const Place place = places_[done];
    const std::uint64_t sum = sum_in(place, header, part);
    write(place, 0, segments_.header(segments_.next, part, sum, payload == 0));
    ++segments_.next;
    end_in_place(place, header + part, seen);
  }
  if (payload != 0) {
    pending_ = {.at = 0, .left = payload, .waiting = true};
    pending_seen_ = seen;
  }
}

/// Copies a frame into the next place; false when there is none. One that is too short for the
/// frame stays, and the frame is lost.
bool Receiver::put(std::span<const std::byte> head,
                   std::span<const std::byte> body,
                   const Seen& seen) noexcept {
  if (find_places(1) == 0) {
    return false;
  }
  const Place place = places_.front();
  const auto size = static_cast<std::uint32_t>(head.size() + body.size());
  if (std::max(size, kShortestFrame) + kFcsBytes > place.room()) {
    places_left_ -= std::min<std::size_t>(places_left_, 1);
    miss();
    return true;
  }
  write(place, 0, head);
  write(place, static_cast<std::uint32_t>(head.size()), body);
  end_in_place(place, size, seen);
  return true;
}

/// What is in the private buffer, as far as the guest's places and the unit go. False when it takes
/// more places to go on.
bool Receiver::deliver_pending() noexcept {
  while (pending_.waiting && places_left_ != 0) {
    const std::uint32_t part = std::min<std::uint32_t>(pending_.left, segments_.segment());
    const auto body = std::span<const std::byte>{landing_.frame()}.subspan(pending_.at, part);
    const bool last = part == pending_.left;
    const std::uint64_t sum = segments_.cuts() ? sum_bytes(body.data(), body.size()) : 0;
    if (!put(segments_.header(segments_.next, part, sum, last), body, pending_seen_)) {
      return false;
    }
    ++segments_.next;
    pending_.at += part;
    pending_.left -= part;
    pending_.waiting = !last;
  }
  return true;
}

}  // namespace dm::rtl8139
