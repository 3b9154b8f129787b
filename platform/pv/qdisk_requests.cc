// SPDX-License-Identifier: MIT
// From a request in the ring to its answer.
#include "platform/pv/qdisk.h"
#include "platform/pv/qdisk_slot.h"
#include "platform/pv/shared_page.h"

#include <algorithm>
#include <utility>

namespace dm::pv {

namespace {

BlkStatus blk_status(BlockStatus status) noexcept {
  return status == BlockStatus::ok ? BlkStatus::okay : BlkStatus::error;
}

bool in_range(std::uint64_t sector, std::uint64_t sectors, std::uint64_t size) noexcept {
  const std::uint64_t end = size / kSector;
  return sectors <= end && sector <= end - sectors;
}

}  // namespace

/// One unit of work: what has been answered is shown, one request is taken.
bool Qdisk::serve() noexcept {
  push();
  if (ring_memory_ == nullptr || paused_ || barrier_ != nullptr || free_ == nullptr) {
    return false;  // a completion goes on, or resume()
  }
  const auto request = ring_.take();
  if (request) {
    start(*request);
    return true;
  }
  if (ring_.broken()) {
    if (!std::exchange(told_broken_, true) && on_broken) {
      on_broken();
    }
    return false;
  }
  return ring_.more_or_arm();
}

void Qdisk::start(const BlkRequest& request) noexcept {
  ++counters_.requests;
  Slot& slot = *free_;
  free_ = slot.next_free;
  slot.id = request.id;
  slot.operation = request.inner;
  slot.order = Slot::Order::none;
  slot.block = BlockRequest{};
  slot.block.owner = &slot;
  slot.block.done = &Qdisk::on_done;
  const BlkStatus status = check(request, slot);
  if (status != BlkStatus::okay || (slot.block.op == BlockOp::discard && slot.block.length == 0)) {
    finish(slot, status);
  } else if (slot.order == Slot::Order::none) {
    submit(slot);
  } else {
    barrier_ = &slot;
    submit_barrier();
  }
}

/// Makes a request for the image of what the guest wants, or says why not. Nothing of the request
/// but the private copy is looked at.
BlkStatus Qdisk::check(const BlkRequest& request, Slot& slot) noexcept {
  const auto operation = static_cast<BlkOp>(request.inner);
  const bool indirect = static_cast<BlkOp>(request.operation) == BlkOp::indirect;
  if (indirect && operation != BlkOp::read && operation != BlkOp::write) {
    ++counters_.refused;
    return BlkStatus::error;
  }
  if (image_ == nullptr) {
    return BlkStatus::error;
  }
  switch (operation) {
    case BlkOp::discard:
      return check_discard(request, slot);
    case BlkOp::read:
      return check_transfer(request, slot);
    case BlkOp::write:
    case BlkOp::write_barrier:
    case BlkOp::flush:
      break;
    default:
      ++counters_.refused;
      return BlkStatus::not_supported;
  }
  if (operation != BlkOp::write) {
    // Without data, a flush of what has been answered is enough. With data, or as a barrier, it has
    // its place among the others.
    slot.block.op = BlockOp::flush;
    if (request.segment_count == 0 && operation == BlkOp::flush) {
      return BlkStatus::okay;
    }
    slot.order = Slot::Order::waiting;
    if (request.segment_count == 0) {
      return BlkStatus::okay;
    }
  }
  return check_transfer(request, slot);
}

BlkStatus Qdisk::check_discard(const BlkRequest& request, Slot& slot) noexcept {
  const BlockInfo info = image_->info();
  if (request.secure || !offer_discard_ || !info.can_discard || info.read_only) {
    return BlkStatus::not_supported;
  }
  if (!in_range(request.sector, request.sectors, info.size)) {
    ++counters_.refused;
    return BlkStatus::error;
  }
  slot.block.op = BlockOp::discard;
  slot.block.offset = request.sector * kSector;
  slot.block.length = request.sectors * kSector;
  return BlkStatus::okay;
}

BlkStatus Qdisk::check_transfer(const BlkRequest& request, Slot& slot) noexcept {
  const bool indirect = static_cast<BlkOp>(request.operation) == BlkOp::indirect;
  const bool reads = static_cast<BlkOp>(request.inner) == BlkOp::read;
  const std::size_t count = request.segment_count;
  if (count == 0 || count > (indirect ? kMostSegments : kSegmentsInRing) ||
      (!reads && (config_.read_only || image_->info().read_only))) {
    ++counters_.refused;
    return BlkStatus::error;
  }
  if (!indirect) {
    std::copy_n(request.segments.begin(), count, segments_.begin());
  } else if (!copy_indirect(request)) {
    ++counters_.unmapped;
    return BlkStatus::error;
  }
  std::uint64_t sectors = 0;
  for (const BlkSegment& segment : std::span{segments_}.first(count)) {
    if (segment.first > segment.last || segment.last >= kSectorsInPage) {
      ++counters_.refused;
      return BlkStatus::error;
    }
    sectors += segment.last - segment.first + 1U;
  }
  if (!in_range(request.sector, sectors, image_->info().size)) {
    ++counters_.refused;
    return BlkStatus::error;
  }
  if (!map_data(slot, count, reads)) {
    ++counters_.unmapped;
    return BlkStatus::error;
  }
  const BlockOp operation = reads ? BlockOp::read : BlockOp::write;
  slot.block.offset = request.sector * kSector;
  slot.block.length = sectors * kSector;
  if (slot.order == Slot::Order::none) {
    slot.block.op = operation;
  }
  return BlkStatus::okay;
}

bool Qdisk::copy_indirect(const BlkRequest& request) noexcept {
  static_assert(kMostSegments <= kSegmentsInPage, "one indirect page is enough");
  const std::uint32_t grant = request.indirect_grants[0];
  std::byte* const page = host_.frontend.map_grants({&grant, 1}, false);
  if (page == nullptr) {
    return false;
  }
  copy_segments(page, std::span{segments_}.first(request.segment_count));
  host_.frontend.unmap_grants(page, 1);
  return true;
}

bool Qdisk::map_data(Slot& slot, std::size_t segments, bool into_guest) noexcept {
  for (std::size_t i = 0; i < segments; ++i) {
    grants_[i] = segments_[i].grant;
  }
  slot.pages = host_.frontend.map_grants(std::span{grants_}.first(segments), into_guest);
  if (slot.pages == nullptr) {
    return false;
  }
  slot.page_count = segments;
  std::size_t pieces = 0;
  for (std::size_t i = 0; i < segments; ++i) {
    std::byte* const from = slot.pages + i * FrontendPort::kPage + segments_[i].first * kSector;
    const std::size_t size = (segments_[i].last - segments_[i].first + 1U) * kSector;
    if (pieces != 0 && slot.pieces[pieces - 1].data() + slot.pieces[pieces - 1].size() == from) {
      slot.pieces[pieces - 1] = {slot.pieces[pieces - 1].data(),
                                 slot.pieces[pieces - 1].size() + size};
    } else {
      slot.pieces[pieces++] = {from, size};
    }
  }
  slot.block.data = std::span{slot.pieces}.first(pieces);
  return true;
}

void Qdisk::submit(Slot& slot) noexcept {
  if (std::exchange(away_, false)) {
    static_cast<void>(image_->take_back());  // else the request fails
  }
  ++under_way_;
  image_->submit(slot.block);
}

/// A barrier, or a flush with data: once it is alone, the flush; then the write, durable. What held
/// it back is over: drain(), pause() and close_image() come here again.
void Qdisk::submit_barrier() noexcept {
  Slot& slot = *barrier_;
  if (ring_.open() != 1 || draining_ || paused_) {
    return;
  }
  if (slot.order == Slot::Order::lost) {
    finish(slot, BlkStatus::error);
    return;
  }
  if (slot.order != Slot::Order::waiting) {
    return;
  }
  slot.order = Slot::Order::flushing;
  slot.ordered = {.offset = std::exchange(slot.block.offset, 0),
                  .length = std::exchange(slot.block.length, 0),
                  .data = std::exchange(slot.block.data, {})};
  submit(slot);
}

void Qdisk::on_done(BlockRequest& request, BlockStatus status) noexcept {
  Slot& slot = *static_cast<Slot*>(request.owner);
  Qdisk& disk = *slot.disk;
  --disk.under_way_;
  const bool writes_next = slot.order == Slot::Order::flushing && slot.page_count != 0;
  if (status != BlockStatus::ok || !writes_next) {
    disk.finish(slot, blk_status(status));
    return;
  }
  slot.order = Slot::Order::none;
  slot.block = BlockRequest{.op = BlockOp::write,
                            .offset = slot.ordered.offset,
                            .length = slot.ordered.length,
                            .data = slot.ordered.data,
                            .durable = true,
                            .done = &Qdisk::on_done,
                            .owner = &slot};
  disk.submit(slot);
}

void Qdisk::finish(Slot& slot, BlkStatus status) noexcept {
  if (slot.pages != nullptr) {
    host_.frontend.unmap_grants(std::exchange(slot.pages, nullptr), slot.page_count);
    slot.page_count = 0;
  }
  ring_.answer(slot.id, slot.operation, status);
  slot.next_free = std::exchange(free_, &slot);
  if (barrier_ == &slot) {
    barrier_ = nullptr;
  } else if (barrier_ != nullptr) {
    submit_barrier();
  }
  work_.schedule();
}

void Qdisk::push() noexcept {
  if (ring_memory_ != nullptr && ring_.push()) {
    host_.frontend.notify(port_);
  }
}

}  // namespace dm::pv
