// SPDX-License-Identifier: MIT
// Several frames in one call of the backend.
#include "devices/e1000/regs.h"
#include "devices/e1000/transmitter.h"

namespace dm::e1000 {

namespace {

using regs::TDH;
using regs::TDT;

}  // namespace

Transmitter::Place Transmitter::here() const noexcept {
  return {.head = file_.get<TDH>(),
          .tail = file_.get<TDT>(),
          .reports = reports_.size(),
          .plain = shared_.state.plain_context,
          .segment = shared_.state.segment_context};
}

/// What was taken from there on is forgotten, and is read again.
void Transmitter::go_back(const Place& to) noexcept {
  file_.set<TDH>(to.head);
  file_.set<TDT>(to.tail);
  reports_.resize(to.reports);
  shared_.state.plain_context = to.plain;
  shared_.state.segment_context = to.segment;
  cached_ = 0;
  forget_packet();
}

/// Plain frames for the wire. Large sends and what is looped or dropped take the other way. Each
/// fragment may lie across two windows; header and padding are two pieces more.
bool Transmitter::may_join() const noexcept {
  const std::size_t pieces = packet_.fragments * std::size_t{2} + 2;
  return !packet_.segment && !packet_.discard && packet_.bytes >= kEthernetHeader &&
         !shared_.loopback && shared_.link && pieces_.size() + pieces <= DmaBuffer::kMaxSpans;
}

/// Makes the packet the next frame of the batch; its descriptors are reported when the batch has
/// gone. False: it stays where it is, and goes alone.
bool Transmitter::join(const Place& from) noexcept {
  if (frames_.empty()) {
    pieces_.clear();
  }
  if (!may_join()) {
    return false;
  }
  buffer_.begin_part();
  const std::uint64_t aborts = shared_.counters.master_aborts;
  NetOffload offload;
  std::uint32_t private_bytes = 0;
  if (!prepare_frame(offload, private_bytes)) {
    shared_.counters.master_aborts = aborts;  // counted when it is dropped
    if (frames_.empty()) {
      buffer_.release();
    }
    return false;
  }
  Ready& ready = ready_[frames_.size()];
  ready = {.from = from, .wire = bytes_on_wire(), .cast = cast(private_bytes)};
  const std::size_t first = pieces_.size();
  meter_.sent(add_pieces(private_bytes, offload));
  frames_.push_back({.offload = offload,
                     .pieces = std::span<const std::span<std::byte>>{pieces_}.subspan(first)});
  finish_packet();
  return true;
}

/// One call. What was not tried, or found no room, is read from the ring again.
bool Transmitter::send_batch() noexcept {
  const SentMany result = backend_.send_many(frames_);
  for (std::size_t i = 0; i < result.sent; ++i) {
    count_frame(ready_[i].wire, ready_[i].cast);
  }
  shared_.counters.tx_parts += result.sent;
  std::size_t gone = result.sent;
  if (result.status == SendStatus::failed) {
    ++shared_.counters.tx_dropped;
    ++gone;
  }
  if (gone < frames_.size()) {
    go_back(ready_[gone].from);
  }
  frames_.clear();
  buffer_.release();
  return result.status == SendStatus::full ? wait_for_room() : go_on();
}

}  // namespace dm::e1000
