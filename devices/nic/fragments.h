// SPDX-License-Identifier: MIT
#pragma once

#include "core/mem/guest_memory.h"
#include "core/net/checksum.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::nic {

/// A packet that lies in several pieces of the guest's memory, as descriptors name them. Addresses
/// and lengths are the guest's: nothing of them has been checked. Thread rule: the loop's thread
/// only.
struct Fragments {
  /// Two arrays of `count`. No spans: each frame that leaves passes here, and the library's checks
  /// of each index cost it 40 instructions.
  const std::uint64_t* address;
  const std::uint32_t* length;  ///< bytes; any may be 0
  std::size_t count;

  /// Copies the first bytes of the packet. False when a piece is not RAM, or the packet is shorter.
  [[nodiscard]] bool copy_front(GuestMemory& memory, std::span<std::byte> to) const noexcept;
  /// Adds bytes [from, from+length) of the packet to `buffer`, as spans of the guest's pages. False
  /// when a piece is not RAM, the buffer is full, or the packet is shorter.
  [[nodiscard]] bool gather(GuestMemory& memory,
                            DmaBuffer& buffer,
                            std::uint32_t from,
                            std::uint32_t bytes,
                            Dma direction) const noexcept;
  /// Copies `bytes` in, from byte `at` of the packet on. False when a piece is not RAM (what lies
  /// before it is written), or the packet is shorter.
  [[nodiscard]] bool copy_in(GuestMemory& memory,
                             std::uint32_t at,
                             std::span<const std::byte> bytes) const noexcept;

  [[nodiscard]] Gpa address_of(std::size_t i) const noexcept { return Gpa{*(address + i)}; }
  [[nodiscard]] std::uint32_t length_of(std::size_t i) const noexcept { return *(length + i); }
};

inline bool Fragments::copy_front(GuestMemory& memory, std::span<std::byte> to) const noexcept {
  for (std::size_t i = 0; i < count && !to.empty(); ++i) {
    const std::size_t part = std::min<std::size_t>(to.size(), length_of(i));
    if (!memory.read_bytes(address_of(i), to.first(part))) {
      return false;
    }
    to = to.subspan(part);
  }
  return to.empty();
}

inline bool Fragments::gather(GuestMemory& memory,
                              DmaBuffer& buffer,
                              std::uint32_t from,
                              std::uint32_t bytes,
                              Dma direction) const noexcept {
  for (std::size_t i = 0; i < count && bytes != 0; ++i) {
    const std::uint32_t have = length_of(i);
    if (from >= have) {
      from -= have;
      continue;
    }
    const std::uint32_t part = std::min(bytes, have - from);
    if (!memory.append(buffer, address_of(i) + from, part, direction)) {
      return false;
    }
    from = 0;
    bytes -= part;
  }
  return bytes == 0;
}

/// The Internet checksum over bytes [start, end) of a frame: `header`, and then `rest`.
[[nodiscard]] inet::Checksum sum_of_range(std::span<const std::byte> header,
                                          std::span<const std::span<std::byte>> rest,
                                          std::uint32_t start,
                                          std::uint32_t end) noexcept;

/// Payload bytes that one hand-over of a long TCP packet takes along, all that is left or a
/// multiple of the MSS: as many segments as the host is to cut in one go, and no more than a
/// datagram's length field can say. `mss` is not 0; `headers` are the bytes from the IP header to
/// the payload.
[[nodiscard]] constexpr std::uint32_t bytes_at_once(std::uint32_t left,
                                                    std::uint32_t mss,
                                                    std::uint32_t headers,
                                                    std::size_t segments) noexcept {
  constexpr std::uint32_t kLongestDatagram = 65535;
  const auto in_send = static_cast<std::uint32_t>(segments) * mss;
  const std::uint32_t in_datagram = kLongestDatagram - headers;
  if (left <= in_send && left <= in_datagram) [[likely]] {
    return left;
  }
  const std::uint32_t whole = in_datagram / mss * mss;
  return left < in_send ? (left < whole ? left : whole) : (in_send < whole ? in_send : whole);
}

}  // namespace dm::nic
