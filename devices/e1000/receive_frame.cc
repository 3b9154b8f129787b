// SPDX-License-Identifier: MIT
// Frames of the backend: where they are to land, and what is done when they have.
#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "devices/e1000/receiver.h"
#include "devices/e1000/regs.h"
#include "devices/e1000/statistics.h"

#include <algorithm>
#include <cstring>

namespace dm::e1000 {

namespace {

using inet::Checksum;
using inet::get16;
using inet::sum_bytes;
using regs::CTRL;
using regs::RCTL;

// Without FCS, tag included (8254x SDM, 13.4.22, LPE).
constexpr std::uint32_t kLongestPlain = 1518;

}  // namespace

/// The guest's buffers, or rather as much of them as a frame can fill: what RCTL says of their size
/// is a power of two, and drivers that know that no frame is longer than 1522 bytes allocate no
/// more than that (Linux does).
void Receiver::add_buffers(std::size_t most, std::uint32_t longest) noexcept {
  const std::size_t cached = fetch(most);
  const std::uint32_t segment = layout_.segment;
  for (std::size_t i = 0; i < std::min(cached, most); ++i) {
    const std::uint64_t address = buffers_[cache_at_ + i];
    const bool cut = segment != 0 || i == 0;
    const std::uint32_t offset = cut ? layout_.offset : 0;
    const std::uint32_t length = segment != 0 ? segment
                                              : std::min(layout_.buffer_size - offset,
                                                         longest - layout_.head - layout_.room);
    if (address == 0 || length == 0 ||
        !memory_.append(landing_.buffer(), Gpa{address} + offset, length, Dma::to_guest)) {
      break;
    }
    layout_.room += length;
    ++layout_.buffers;
  }
}

/// What goes into the head, and which buffers follow.
void Receiver::lay_out() noexcept {
  const std::uint32_t room = buffer_size();
  const std::uint32_t tag = guess_.tagged && file_.test<CTRL, CTRL::VME>() ? kVlanTag : 0;
  layout_ = {.head = kHead, .offset = kHead - tag, .buffer_size = room};
  const std::uint32_t longest =
      file_.test<RCTL, RCTL::LPE>() ? kLongestFrame - kFcsBytes : kLongestPlain;
  if (guess_.segments > 1 && guess_.head + guess_.segment + kFcsBytes <= room &&
      guess_.head + guess_.segment <= longest) {
    layout_.head = guess_.head;
    layout_.offset = guess_.head - tag;
    layout_.segment = guess_.segment;
    add_buffers(std::min(guess_.segments, kSegmentsInUnit), longest);
  } else {
    add_buffers((longest + kFcsBytes + room - 1) / room, longest);
  }
}

/// One frame; false when the backend has none.
bool Receiver::receive() noexcept {
  lay_out();
  NetOffload offload;
  const Received got = landing_.receive(backend_, offload, layout_.head);
  const bool any = got.size != 0;
  if (any && (got.truncated || got.size < kEthernetHeader || got.size > kSpill)) {
    drop();
  } else if (any) {
    accept(static_cast<std::uint32_t>(got.size), offload);
  }
  landing_.buffer().release();
  return any;
}

void Receiver::accept(std::uint32_t size, const NetOffload& offload) noexcept {
  const auto head = landing_.head().first(std::min(size, layout_.head));
  const Verdict verdict = filter(head);
  if (verdict == Verdict::rejected) {
    ++shared_.counters.rx_filtered;
    return;
  }
  Seen seen;
  seen.cast = cast_of(head.data());
  seen.status = verdict == Verdict::inexact ? RxD::PIF::kMask : 0;
  guess_.tagged = tagged(head);
  if (offload.gso != Gso::none) {
    accept_segments(size, seen, offload);
  } else {
    guess_.segments /= 2;
    accept_frame(size, seen, offload);
  }
}

/// Too long for what the guest allows: counted.
bool Receiver::length_allowed(std::uint32_t size) noexcept {
  const bool allowed =
      size <= kLongestPlain || (size <= kLongestFrame - kFcsBytes &&
                                (file_.test<RCTL, RCTL::LPE>() || file_.test<RCTL, RCTL::SBP>()));
  if (!allowed) {
    count<regs::ROC>(file_);
    drop();
  }
  return allowed;
}

/// Takes the tag out of a frame's first bytes, when the guest wants it so; how many bytes went.
std::uint32_t Receiver::strip_tag(std::span<std::byte> head, Seen& seen) noexcept {
  if (!file_.test<CTRL, CTRL::VME>() || !tagged(head)) {
    return 0;
  }
  seen.status = RxD::SPECIAL::with(seen.status, get16(head, kVlanOffset + 2)) | RxD::VP::kMask;
  std::memmove(head.data() + kVlanOffset, head.data() + kVlanOffset + kVlanTag,
               head.size() - kVlanOffset - kVlanTag);
  seen.tag = kVlanTag;
  return kVlanTag;
}

void Receiver::accept_frame(std::uint32_t size, Seen& seen, const NetOffload& offload) noexcept {
  if (!length_allowed(size)) {
    return;
  }
  std::uint32_t in_head = std::min(size, layout_.head);
  bool moved = false;
  if (offload.needs_checksum && !landing_.finish_checksum(size, offload, in_head, moved)) {
    drop();
    return;
  }
  const std::uint32_t behind = size - in_head;
  std::uint32_t head = in_head - strip_tag(landing_.head().first(in_head), seen);
  seen.status |= checksum_status(landing_.head().first(head),
                                 offload.checksum_valid || offload.needs_checksum);
  const std::uint32_t shortest = seen.shortest();
  if (behind == 0 && head < shortest) {
    std::fill_n(landing_.head().begin() + head, shortest - head, std::byte{0});
    head = shortest;
  }
  if (!moved && is_in_place(head, behind, shortest)) [[likely]] {
    write(buffers_[cache_at_], landing_.head().first(head));
    end_in_place(head + behind, seen);
    return;
  }
  ++shared_.counters.rx_moved;
  segments_.take_plain(landing_.head().first(head), behind);
  if (!moved) {
    landing_.linearize(size);
  }
  pending_ = {.at = in_head, .left = behind, .waiting = true};
  pending_seen_ = seen;
}

/// Was the guess right? `head` bytes are to come from us, `behind` are where the backend put them.
bool Receiver::is_in_place(std::uint32_t head,
                           std::uint32_t behind,
                           std::uint32_t shortest) const noexcept {
  if (behind != 0 && (head != layout_.offset || head + behind < shortest)) {
    return false;
  }
  const std::uint32_t total = head + behind + crc_bytes();
  if (layout_.segment != 0) {
    return layout_.buffers != 0 && behind <= layout_.segment && total <= layout_.buffer_size;
  }
  return behind <= layout_.room &&
         (total + layout_.buffer_size - 1) / layout_.buffer_size <= layout_.buffers;
}

/// A frame of `size` bytes lies in the buffers from RDH on: what stands for its FCS, and the
/// report.
void Receiver::end_in_place(std::uint32_t size, const Seen& seen) noexcept {
  static constexpr std::array<std::byte, kShortestFrame + kFcsBytes> kZeros{};
  const std::uint32_t padded = std::max(size, seen.shortest());
  const std::uint32_t total = padded + crc_bytes();
  for (std::uint32_t at = size; at < total;) {
    const std::uint32_t offset = at % layout_.buffer_size;
    const std::uint32_t run = std::min(total - at, layout_.buffer_size - offset);
    write(buffers_[cache_at_ + at / layout_.buffer_size] + offset, std::span{kZeros}.first(run));
    at += run;
  }
  publish_frame(total, seen);
  count_received(file_, padded + seen.tag, seen.cast);
}

/// A long TCP frame: as many as its segments, each with a header of its own.
void Receiver::accept_segments(std::uint32_t size, Seen& seen, const NetOffload& offload) noexcept {
  std::uint32_t in_head = std::min(size, layout_.head);
  const std::uint32_t length = SegmentHeader::length_of(landing_.head().first(in_head), offload);
  const bool cut_right = layout_.segment == offload.segment_size && length == layout_.head;
  if (!cut_right) {
    in_head = landing_.lengthen_head(size);
  }
  if (!segments_.take(landing_.head().first(in_head), size, offload)) {
    drop();
    return;
  }
  const std::uint32_t header = segments_.length();
  const std::uint32_t payload = size - header;
  if (!length_allowed(header + std::min<std::uint32_t>(payload, segments_.segment()))) {
    return;
  }
  guess_.head = header;
  guess_.segment = offload.segment_size;
  guess_.segments = payload / offload.segment_size + 1;
  Seen stripped = seen;
  if (strip_tag(segments_.original(), stripped) != 0) {
    segments_.tag_stripped();
  }
  // Every segment has a checksum when we are done with it.
  const auto first = segments_.header(0, std::min<std::uint32_t>(payload, segments_.segment()), 0,
                                      payload <= segments_.segment());
  stripped.status |= checksum_status(first, true);
  if (cut_right && segments_.length() == layout_.offset) {
    cut_in_place(payload, stripped);
    return;
  }
  ++shared_.counters.rx_moved;
  if (cut_right) {
    landing_.linearize(size);
  }
  pending_ = {.at = header, .left = payload, .waiting = true};
  pending_seen_ = stripped;
}

/// The payload is in the guest's buffers already, a segment in each; only headers are missing.
void Receiver::cut_in_place(std::uint32_t payload, const Seen& seen) noexcept {
  const std::uint32_t header = segments_.length();
  for (std::size_t done = 0; done < layout_.buffers && payload != 0; ++done) {
    --buffers_left_;  // the layout has no more of them than a unit
    const std::uint32_t part = std::min(payload, segments_.segment());
    payload -= part;
    const std::uint64_t address = buffers_[cache_at_];
    Checksum checksum;
    for (std::uint32_t at = 0; at < part;) {
      const auto piece = memory_.piece(Gpa{address} + header + at, part - at);
      if (piece.empty()) {
        break;
      }
      checksum.add(piece);
      at += static_cast<std::uint32_t>(piece.size());
    }
    write(address, segments_.header(segments_.next, part, checksum.sum(), payload == 0));
    ++segments_.next;
    end_in_place(header + part, seen);
  }
  if (payload != 0) {
    pending_ = {.at = 0, .left = payload, .waiting = true};
    pending_seen_ = seen;
  }
}

/// What is in the private buffer, as far as the guest's buffers and the unit go. False when it
/// takes more buffers to go on.
bool Receiver::deliver_pending() noexcept {
  while (pending_.waiting && buffers_left_ != 0) {
    const std::uint32_t part = std::min(pending_.left, segments_.segment());
    const auto body = std::span<const std::byte>{landing_.frame()}.subspan(pending_.at, part);
    const bool last = part == pending_.left;
    const std::uint64_t sum = segments_.cuts() ? sum_bytes(body.data(), body.size()) : 0;
    const auto header = segments_.header(segments_.next, part, sum, last);
    if (!put(header, body, pending_seen_)) {
      if (const std::uint32_t free = available();
          free == 0 || free + 1 < file_.get<regs::RDLEN>() / kDescriptorSize) {
        return false;
      }
      drop();  // the whole ring is not enough
      pending_.waiting = false;
      break;
    }
    ++segments_.next;
    pending_.at += part;
    pending_.left -= part;
    pending_.waiting = !last;
  }
  return true;
}

}  // namespace dm::e1000
