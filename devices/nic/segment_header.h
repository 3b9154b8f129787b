// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/net/segment.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::nic {

/// The headers of a long TCP frame, from which the headers of its segments are made. What the host
/// says of the frame is checked against the headers themselves.
class SegmentHeader {
 public:
  static constexpr std::uint32_t kRoom = 192;  ///< Ethernet, tag, IPv6 with options, TCP

  /// Takes the headers of a frame of `size` bytes, of which `head` has the first. False when they
  /// are not those of a TCP frame, or not all there.
  [[nodiscard]] bool take(std::span<const std::byte> head,
                          std::uint32_t size,
                          const NetOffload& offload) noexcept;
  /// The length of the headers of such a frame, in bytes; 0 when `head` does not tell.
  [[nodiscard]] static std::uint32_t length_of(std::span<const std::byte> head,
                                               const NetOffload& offload) noexcept;
  /// The VLAN tag was taken out of original().
  void tag_stripped() noexcept;
  /// Takes a single frame, of which `head` has the first bytes: header(0) is `head`.
  void take_plain(std::span<const std::byte> head, std::uint32_t payload) noexcept;

  /// The header of segment `index`, which has `payload` bytes whose sum is `sum`.
  [[nodiscard]] std::span<std::byte> header(std::uint32_t index,
                                            std::uint32_t payload,
                                            std::uint64_t sum,
                                            bool last) noexcept;

  [[nodiscard]] std::span<std::byte> original() noexcept {
    return std::span{template_}.first(places_.end);
  }
  [[nodiscard]] std::uint32_t length() const noexcept { return places_.end; }
  [[nodiscard]] std::uint32_t segment() const noexcept { return segment_; }
  [[nodiscard]] bool cuts() const noexcept { return cuts_; }
  std::uint32_t next = 0;  ///< the segment that comes next

 private:
  std::array<std::byte, kRoom> template_{};
  std::array<std::byte, kRoom> header_{};
  inet::HeaderPlaces places_;
  std::uint32_t segment_ = 0;
  std::uint32_t l4_length_ = 0;  ///< of the whole frame, as its pseudo-header's sum has it
  bool cuts_ = false;
};

}  // namespace dm::nic
