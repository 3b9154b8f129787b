// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/mem/guest_memory.h"
#include "devices/nic/segment_header.h"

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dm::nic {

/// Where one received frame lands: a small private head, which the card filters and changes; the
/// guest's buffers; and a private rest for what they do not take. If the card has guessed well, the
/// payload is in its place at once, and only the head is copied. If not, the pieces are made one
/// run in private memory. Thread rule: the loop's thread only. No allocation after construction.
class Landing {
 public:
  static constexpr std::uint32_t kHeadRoom = SegmentHeader::kRoom;
  static constexpr std::size_t kSpill = 66 * 1024;  ///< the longest frame of any host, and slack

  Landing();

  /// The guest's buffers, to be filled before receive() and released after the frame was looked at.
  [[nodiscard]] DmaBuffer& buffer() noexcept { return buffer_; }
  /// Asks for one frame: `head` bytes go into the head, the next into buffer(), what is left into
  /// the private rest.
  [[nodiscard]] Received receive(NetBackend& backend,
                                 NetOffload& offload,
                                 std::uint32_t head) noexcept;
  /// The head as it is; a frame may have fewer bytes.
  [[nodiscard]] std::span<std::byte, kHeadRoom> head() noexcept { return head_; }
  /// After linearize(): the frame. What the card has cut off from its front is in head() instead.
  [[nodiscard]] std::span<std::byte> frame() noexcept { return spill_; }

  /// Puts in the checksum that the host has left out of a frame of `size` bytes. False when its
  /// place makes no sense. If its place is not in the head, the frame is made one run (`moved`),
  /// and more of it is in the head: `in_head` bytes.
  [[nodiscard]] bool finish_checksum(std::uint32_t size,
                                     const NetOffload& offload,
                                     std::uint32_t& in_head,
                                     bool& moved) noexcept;
  /// Makes one run of a frame of `size` bytes, in frame(). The head's bytes keep their place there.
  void linearize(std::uint32_t size) noexcept;
  /// The head does not reach far enough: linearize(), and more of the frame into the head. How many
  /// bytes are there now.
  [[nodiscard]] std::uint32_t lengthen_head(std::uint32_t size) noexcept;

 private:
  /// The sum of a frame's bytes that are behind the head, where the back end has put them.
  [[nodiscard]] std::uint64_t sum_behind_head(std::uint32_t size) const noexcept;

  std::uint32_t in_head_ = 0;  ///< as receive() was told
  std::array<std::byte, kHeadRoom> head_{};
  DmaBuffer buffer_;
  boost::container::static_vector<std::span<std::byte>, NetBackend::kMostPieces> pieces_;
  std::unique_ptr<std::byte[]> spill_memory_;  ///< pages that nobody has touched cost nothing
  std::span<std::byte> spill_;
};

}  // namespace dm::nic
