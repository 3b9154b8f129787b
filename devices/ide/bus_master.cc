// SPDX-License-Identifier: MIT
#include "devices/ide/bus_master.h"

#include "core/addr.h"
#include "core/ports/memory_mapper.h"
#include "devices/ata/geometry.h"
#include "devices/ata/state.h"
#include "devices/ide/regs.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace dm::ide {

namespace {

using regs::BMICX;
using regs::BMIDTPX;
using regs::BMISX;

constexpr std::uint64_t kAddressSpace = std::uint64_t{1} << 32;
constexpr std::uint32_t kRegionLimit = 65536;
constexpr std::size_t kDescriptorSize = 8;
constexpr std::size_t kTableLimit = BusMaster::kMaxDescriptors * kDescriptorSize;

// A physical region descriptor, Bus Master IDE 1.0, 1.2: base 31:1, byte count 15:1 (0 means 64
// KiB), EOT in bit 31.
constexpr std::uint64_t kEndOfTable = std::uint64_t{1} << 63;
constexpr std::uint32_t region_base(std::uint64_t prd) noexcept {
  return static_cast<std::uint32_t>(prd) & ~1U;
}
constexpr std::uint32_t region_bytes(std::uint64_t prd) noexcept {
  const auto count = static_cast<std::uint32_t>(prd >> 32) & 0xfffeU;
  return count == 0 ? kRegionLimit : count;
}

/// How many spans (and holds) GuestMemory needs at most for a region: its windows end every 2 MiB.
constexpr std::size_t spans_for(std::uint64_t at, std::uint64_t bytes) noexcept {
  return at >> kWindowShift == (at + bytes - 1) >> kWindowShift ? 1 : 2;
}

/// Two windows of guest memory, the first that are asked for.
class WindowPair {
 public:
  [[nodiscard]] bool has_room_for(std::uint64_t at, std::uint64_t bytes) noexcept {
    return take(at >> kWindowShift) && take((at + bytes - 1) >> kWindowShift);
  }

 private:
  [[nodiscard]] bool take(std::uint64_t window) noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      if (windows_[i] == window) {
        return true;
      }
    }
    if (count_ == windows_.size()) {
      return false;
    }
    windows_[count_++] = window;
    return true;
  }

  std::array<std::uint64_t, 2> windows_{};
  std::size_t count_ = 0;
};

}  // namespace

std::uint8_t BusMaster::read(std::uint8_t offset) const noexcept {
  if (offset == BMICX::kOffset) {
    return state_.command;
  }
  if (offset == BMISX::kOffset) {
    return state_.status;
  }
  if (offset >= BMIDTPX::kOffset && offset < regs::kBusMasterSize) {
    return static_cast<std::uint8_t>(state_.table >> (8U * (offset - BMIDTPX::kOffset)));
  }
  return 0xff;
}

void BusMaster::write(std::uint8_t offset, std::uint8_t value) noexcept {
  if (offset == BMISX::kOffset) {
    constexpr std::uint8_t kSoftware = regs::kMask<BMISX::DMA0CAP> | regs::kMask<BMISX::DMA1CAP>;
    constexpr std::uint8_t kClearable = regs::kMask<BMISX::IDEINTS> | regs::kMask<BMISX::ERROR>;
    const std::uint8_t old = state_.status;
    state_.status = static_cast<std::uint8_t>(
        (value & kSoftware) | (old & regs::kMask<BMISX::BMIDEA>) | (old & ~value & kClearable));
  } else if (offset >= BMIDTPX::kOffset && offset < regs::kBusMasterSize) {
    const unsigned shift = 8U * (offset - BMIDTPX::kOffset);
    state_.table =
        ((state_.table & ~(0xffU << shift)) | std::uint32_t{value} << shift) & BMIDTPX::kWritable;
  }
}

bool BusMaster::write_command(std::uint8_t value) noexcept {
  const bool was = started();
  state_.command = static_cast<std::uint8_t>(value & BMICX::Layout::kWritable);
  const bool now = started();
  if (was == now) {
    return false;
  }
  // "All state information is lost when this bit is cleared": nothing resumes (290562, 5.2.1).
  state_.armed = now;
  state_.running = false;
  state_.moved = 0;
  state_.latched = state_.table;
  state_.status = BMISX::BMIDEA::with(state_.status, now ? 1 : 0);
  return now;
}

bool BusMaster::started() const noexcept {
  return BMICX::SSBM::test(state_.command);
}

void BusMaster::latch_interrupt() noexcept {
  state_.status = BMISX::IDEINTS::with(state_.status, 1);
}

/// False when the table cannot hold more.
bool BusMaster::add(std::uint64_t descriptor) noexcept {
  regions_[count_] = {.base = region_base(descriptor), .bytes = region_bytes(descriptor)};
  total_ += regions_[count_].bytes;
  ++count_;
  ended_ = (descriptor & kEndOfTable) != 0;
  return !ended_ && count_ < kMaxDescriptors;
}

/// Copies the table in, page by page, until its end mark, until it covers `wanted` bytes, or until
/// 512 entries.
bool BusMaster::read_table(std::uint64_t wanted) noexcept {
  std::array<std::byte, kTableLimit> copy;
  std::size_t have = 0;
  while (true) {
    const std::uint64_t at = std::uint64_t{state_.latched} + have;
    const std::size_t step = std::min<std::size_t>(kTableLimit - have, kPageSize - at % kPageSize);
    // Linear, never wrapping: a table that reaches the end of the address space ends there with a
    // bus error.
    if (at >= kAddressSpace || !memory_.read_bytes(Gpa{at}, std::span{copy}.subspan(have, step))) {
      return false;
    }
    have += step;
    for (; (count_ + 1) * kDescriptorSize <= have;) {
      std::uint64_t descriptor = 0;
      std::memcpy(&descriptor, copy.data() + count_ * kDescriptorSize, kDescriptorSize);
      if (!add(descriptor) || total_ >= wanted) {
        return true;
      }
    }
  }
}

void BusMaster::forget_table() noexcept {
  count_ = index_ = offset_ = 0;
  total_ = 0;
  ended_ = false;
  loaded_ = false;
}

ata::TransferPort::Fit BusMaster::begin(std::uint64_t bytes, Dma direction) noexcept {
  forget_table();
  state_.armed = false;
  state_.moved = 0;
  state_.unfetched = !enabled_;
  direction_ = direction;
  Fit fit = Fit::fault;
  if (state_.unfetched) {
    // 512 entries of zeros: 32 MiB at address 0, without an end.
    if (direction == Dma::to_guest) {
      fit = bytes <= ata::kMaxDmaBytes ? Fit::longer : Fit::shorter;
    }
  } else if (!read_table(bytes)) {
    fit = Fit::fault;
  } else if (total_ < bytes) {
    fit = Fit::shorter;
  } else {
    fit = total_ == bytes && ended_ ? Fit::equal : Fit::longer;
  }
  state_.longer = fit == Fit::longer;
  loaded_ = state_.running = fit == Fit::longer || fit == Fit::equal;
  return fit;
}

bool BusMaster::go_on(std::uint64_t left, Dma direction) noexcept {
  forget_table();
  direction_ = direction;
  state_.unfetched = state_.unfetched || !enabled_;
  if (!state_.unfetched) {
    if (!read_table(state_.moved + left) || total_ < state_.moved + left) {
      return false;
    }
    skip(state_.moved);
  }
  loaded_ = true;
  return true;
}

/// Within the region that gather() takes next.
void BusMaster::advance(std::uint32_t bytes) noexcept {
  offset_ += bytes;
  if (offset_ == regions_[index_].bytes) {
    ++index_;
    offset_ = 0;
  }
}

void BusMaster::skip(std::uint64_t bytes) noexcept {
  while (bytes != 0 && index_ < count_) {
    const auto part = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(bytes, regions_[index_].bytes - offset_));
    advance(part);
    bytes -= part;
  }
}

/// How many bytes, in whole sectors, the next regions give within one DmaBuffer. At least one
/// sector, but when stopping: 256 spans of at least two bytes each.
std::uint64_t BusMaster::plan(std::uint64_t limit) const noexcept {
  std::uint64_t bytes = 0;
  std::size_t spans = 0;
  std::uint32_t offset = offset_;
  WindowPair windows;
  for (std::size_t i = index_; i < count_ && bytes < limit; ++i, offset = 0) {
    const Region& region = regions_[i];
    const std::uint64_t at = std::uint64_t{region.base} + offset;
    const std::uint64_t part = std::min<std::uint64_t>(region.bytes - offset, limit - bytes);
    spans += spans_for(at, part);
    if (spans > DmaBuffer::kMaxSpans || (stopping_ && !windows.has_room_for(at, part))) {
      break;
    }
    bytes += part;
  }
  return bytes == limit ? bytes : bytes - bytes % ata::kSectorSize;
}

ata::TransferPort::Gathered BusMaster::gather(DmaBuffer& buffer, std::uint64_t limit) noexcept {
  if (state_.unfetched || !enabled_) {
    // Looked at for every part: the guest may take bus mastering away in the middle.
    if (direction_ != Dma::to_guest) {
      return {.piece = Piece::fault};
    }
    skip(limit);
    state_.moved += limit;
    return {.piece = Piece::dropped, .bytes = limit};
  }
  const std::uint64_t bytes = plan(limit);
  std::uint64_t left = bytes;
  while (left != 0) {
    const Region& region = regions_[index_];
    const std::uint64_t at = std::uint64_t{region.base} + offset_;
    const auto part =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(region.bytes - offset_, left));
    if (at + part > kAddressSpace || !memory_.append(buffer, Gpa{at}, part, direction_)) {
      break;
    }
    left -= part;
    advance(part);
  }
  if (bytes == 0 || left != 0) {
    buffer.release();
    return {};
  }
  state_.moved += bytes;
  return {.piece = Piece::memory, .bytes = bytes};
}

void BusMaster::finish(End end) noexcept {
  // Table 15 of 290562: a longer table leaves the bus master active until software stops it.
  const bool stays = end == End::complete && state_.longer && started();
  state_.running = state_.longer = state_.unfetched = loaded_ = false;
  state_.moved = 0;
  state_.status = BMISX::BMIDEA::with(state_.status, stays ? 1 : 0);
  if (end == End::fault) {
    state_.status = BMISX::ERROR::with(state_.status, 1);
  }
}

void BusMaster::restore(const BusMasterState& state) noexcept {
  state_ = state;
  forget_table();
}

}  // namespace dm::ide
