// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dm::host {

/// What the kernel puts before each frame of a tap with IFF_VNET_HDR and of a packet socket with
/// PACKET_VNET_HDR, in the byte order of the machine (virtio 1.1, 5.1.6, legacy layout). Linux's
/// own header for it is not C++.
struct NetHeader {
  static constexpr std::uint8_t kNeedsChecksum = 1;  ///< flags
  static constexpr std::uint8_t kDataValid = 2;
  static constexpr std::uint8_t kGsoNone = 0;  ///< gso_type
  static constexpr std::uint8_t kGsoTcp4 = 1;
  static constexpr std::uint8_t kGsoTcp6 = 4;
  static constexpr std::uint8_t kGsoEcn = 0x80;  ///< added to the others

  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t hdr_len = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;
};
static_assert(sizeof(NetHeader) == 10);

[[nodiscard]] NetHeader to_header(const NetOffload& offload) noexcept;

/// Reads the header that came with `frame`, which has `size` bytes. Its values are checked against
/// the frame, although the kernel made both (tests/unit/SECURITY.md, E15). `header_length` is
/// computed from the frame, because the kernel gives its own buffer's length. Returns nothing when
/// the header makes no sense; do not deliver the frame then.
[[nodiscard]] std::optional<NetOffload> from_header(const NetHeader& header,
                                                    std::span<const std::span<std::byte>> frame,
                                                    std::size_t size) noexcept;

}  // namespace dm::host
