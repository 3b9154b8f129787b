// SPDX-License-Identifier: MIT
#include "platform/pv/blk_ring.h"

#include "platform/pv/shared_page.h"

#include <bit>
#include <cstring>

namespace dm::pv {

namespace {

// struct blkif_sring (io/ring.h, DEFINE_RING_TYPES).
constexpr std::size_t kReqProd = 0;
constexpr std::size_t kReqEvent = 4;
constexpr std::size_t kRspProd = 8;
constexpr std::size_t kRspEvent = 12;
constexpr std::size_t kEntries = 64;
constexpr std::size_t kPage = 4096;

/// Offsets in an entry: struct blkif_request, _indirect and _discard, struct blkif_response.
struct Layout {
  std::size_t size;
  std::size_t id;
  std::size_t sector;
  std::size_t segments;  ///< of a direct request
  std::size_t discard_sectors;
  std::size_t indirect_grants;
};
constexpr Layout kLayout64{112, 8, 16, 24, 24, 28};
constexpr Layout kLayout32{108, 4, 12, 20, 20, 24};
constexpr std::size_t kOperation = 0;
constexpr std::size_t kSegmentCount =
    1;  ///< also discard's flag, and an indirect request's operation
constexpr std::size_t kIndirectCount = 2;
constexpr std::uint8_t kDiscardSecure = 1;
constexpr std::size_t kResponseId = 0;
constexpr std::size_t kResponseOperation = 8;
constexpr std::size_t kResponseStatus = 10;
constexpr std::size_t kSegmentSize = 8;

constexpr const Layout& layout(BlkAbi abi) noexcept {
  return abi == BlkAbi::x86_64 ? kLayout64 : kLayout32;
}

template <class T>
T field(const std::byte* from, std::size_t offset) noexcept {
  T value;
  std::memcpy(&value, from + offset, sizeof value);
  return value;
}

BlkSegment segment(const std::byte* from) noexcept {
  return {.grant = field<std::uint32_t>(from, 0),
          .first = field<std::uint8_t>(from, 4),
          .last = field<std::uint8_t>(from, 5)};
}

}  // namespace

void copy_segments(std::byte* page, std::span<BlkSegment> to) noexcept {
  std::size_t at = 0;
  for (BlkSegment& one : to) {
    std::array<std::byte, kSegmentSize> copy;
    copy_once(page + at, copy.data(), copy.size());
    one = segment(copy.data());
    at += kSegmentSize;
  }
}

BlkRing::BlkRing(std::byte* memory, std::size_t pages, BlkAbi abi) noexcept
    : memory_{memory},
      abi_{abi},
      entries_{static_cast<std::uint32_t>(
          std::bit_floor((pages * kPage - kEntries) / layout(abi).size))} {
  taken_ = answered_ = pushed_ = shared_word(memory_, kRspProd).load(std::memory_order_relaxed);
}

std::byte* BlkRing::entry(std::uint32_t index) const noexcept {
  return memory_ + kEntries + std::size_t{index & (entries_ - 1)} * layout(abi_).size;
}

std::optional<BlkRequest> BlkRing::take() noexcept {
  const std::uint32_t produced = shared_word(memory_, kReqProd).load(std::memory_order_acquire);
  if (broken_ || produced - answered_ > entries_) {
    broken_ = true;
    return std::nullopt;
  }
  if (produced == taken_ || open() == entries_) {
    return std::nullopt;
  }
  alignas(8) std::array<std::byte, kLayout64.size> copy;
  const Layout& at = layout(abi_);
  copy_once(entry(taken_++), copy.data(), at.size);

  BlkRequest request;
  request.operation = request.inner = field<std::uint8_t>(copy.data(), kOperation);
  request.id = field<std::uint64_t>(copy.data(), at.id);
  request.sector = field<std::uint64_t>(copy.data(), at.sector);
  switch (static_cast<BlkOp>(request.operation)) {
    case BlkOp::indirect:
      request.inner = field<std::uint8_t>(copy.data(), kSegmentCount);
      request.segment_count = field<std::uint16_t>(copy.data(), kIndirectCount);
      std::memcpy(request.indirect_grants.data(), copy.data() + at.indirect_grants,
                  sizeof request.indirect_grants);
      break;
    case BlkOp::discard:
      request.secure = (field<std::uint8_t>(copy.data(), kSegmentCount) & kDiscardSecure) != 0;
      request.sectors = field<std::uint64_t>(copy.data(), at.discard_sectors);
      break;
    default:
      request.segment_count = field<std::uint8_t>(copy.data(), kSegmentCount);
      for (std::size_t i = 0; i < request.segments.size(); ++i) {
        request.segments[i] = segment(copy.data() + at.segments + i * kSegmentSize);
      }
      break;
  }
  return request;
}

bool BlkRing::more_or_arm() noexcept {
  const auto produced = shared_word(memory_, kReqProd);
  if (broken_ || produced.load(std::memory_order_acquire) != taken_) {
    return !broken_;
  }
  shared_word(memory_, kReqEvent).store(taken_ + 1, std::memory_order_relaxed);
  // The guest puts a request in and then looks at req_event; we the other way round.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return produced.load(std::memory_order_acquire) != taken_;
}

void BlkRing::answer(std::uint64_t id, std::uint8_t operation, BlkStatus status) noexcept {
  std::byte* const to = entry(answered_++);
  std::memcpy(to + kResponseId, &id, sizeof id);
  std::memcpy(to + kResponseOperation, &operation, sizeof operation);
  std::memcpy(to + kResponseStatus, &status, sizeof status);
}

bool BlkRing::push() noexcept {
  if (pushed_ == answered_) {
    return false;
  }
  const std::uint32_t before = pushed_;
  pushed_ = answered_;
  shared_word(memory_, kRspProd).store(pushed_, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint32_t wanted = shared_word(memory_, kRspEvent).load(std::memory_order_relaxed);
  return pushed_ - wanted < pushed_ - before;
}

}  // namespace dm::pv
