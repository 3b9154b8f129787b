// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dm::pv {

/// The layout of the guest's structures: a 32-bit guest aligns 64-bit fields to four bytes.
enum class BlkAbi : std::uint8_t { x86_64, x86_32 };

/// Xen public header io/blkif.h, BLKIF_OP_*.
enum class BlkOp : std::uint8_t {
  read = 0,
  write = 1,
  write_barrier = 2,
  flush = 3,
  discard = 5,
  indirect = 6,
};

/// BLKIF_RSP_*
enum class BlkStatus : std::int16_t { okay = 0, error = -1, not_supported = -2 };

inline constexpr std::size_t kSegmentsInRing = 11;    ///< BLKIF_MAX_SEGMENTS_PER_REQUEST
inline constexpr std::size_t kMostIndirectPages = 8;  ///< BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST
inline constexpr std::size_t kSegmentsInPage = 4096 / 8;
inline constexpr std::uint64_t kSector = 512;
inline constexpr unsigned kSectorsInPage = 8;

/// A part of a page: sectors `first` to `last`, both inclusive.
struct BlkSegment {
  std::uint32_t grant = 0;
  std::uint8_t first = 0;
  std::uint8_t last = 0;
};

/// A private copy of one request, read from the ring once. Only its being whole is checked:
/// `segments` may claim more than there is room for.
struct BlkRequest {
  std::uint8_t operation = 0;  ///< as in the ring
  std::uint8_t inner = 0;      ///< of an indirect request; else the same as `operation`
  std::uint64_t id = 0;        ///< the guest's own, given back
  std::uint64_t sector = 0;
  std::uint64_t sectors = 0;  ///< discard only
  bool secure = false;        ///< discard only
  std::uint16_t segment_count = 0;
  std::array<BlkSegment, kSegmentsInRing> segments{};               ///< of a direct request
  std::array<std::uint32_t, kMostIndirectPages> indirect_grants{};  ///< of an indirect one
};

/// The segments of an indirect page: `count` at most kSegmentsInPage, each read once.
void copy_segments(std::byte* page, std::span<BlkSegment> to) noexcept;

/// Our end of a block ring: one or more pages of the guest, which can write them at any moment.
/// Thread rule: the loop's thread only. Source: Xen public headers io/ring.h, io/blkif.h.
class BlkRing {
 public:
  BlkRing() = default;
  /// `memory` is `pages` pages long. The counters continue where the ring says, as after a
  /// reconnection.
  BlkRing(std::byte* memory, std::size_t pages, BlkAbi abi) noexcept;

  [[nodiscard]] std::uint32_t entries() const noexcept { return entries_; }
  /// The next request, or nothing. If the guest claims to have put in more than there is room for,
  /// the ring is broken, and nothing comes any more.
  [[nodiscard]] std::optional<BlkRequest> take() noexcept;
  /// False when there is nothing to take, even after asking the guest for a notification.
  [[nodiscard]] bool more_or_arm() noexcept;
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// Puts an answer in. There is always room: one place for each request taken.
  void answer(std::uint64_t id, std::uint8_t operation, BlkStatus status) noexcept;
  /// Shows the answers to the guest. True when it wants to be notified.
  [[nodiscard]] bool push() noexcept;
  /// Requests taken and not answered.
  [[nodiscard]] std::uint32_t open() const noexcept { return taken_ - answered_; }

 private:
  [[nodiscard]] std::byte* entry(std::uint32_t index) const noexcept;

  std::byte* memory_ = nullptr;
  BlkAbi abi_ = BlkAbi::x86_64;
  std::uint32_t entries_ = 0;
  std::uint32_t taken_ = 0;     ///< req_cons
  std::uint32_t answered_ = 0;  ///< rsp_prod_pvt
  std::uint32_t pushed_ = 0;    ///< rsp_prod as the guest sees it
  bool broken_ = false;
};

}  // namespace dm::pv
