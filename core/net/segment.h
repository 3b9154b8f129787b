// SPDX-License-Identifier: MIT
#pragma once

#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "core/net/headers.h"

#include <cstddef>
#include <cstdint>
#include <span>

/// Cutting a long TCP segment (or UDP payload) into frames: what becomes of its headers. The same
/// for every card that is asked to do it, every backend that a card may ask, and every frame of a
/// host that a card must cut for its guest.
///
/// Headers are worked on in a private copy, payload is not looked at. Where headers are is what a
/// guest or a host says: ask fits() once before anything else here.
namespace dm::inet {

/// Where the headers lie, counted from the frame's first byte.
struct HeaderPlaces {
  std::uint32_t ip = 0;
  std::uint32_t ip_checksum = 0;  ///< the field; IPv4 only
  std::uint32_t l4 = 0;           ///< TCP or UDP
  std::uint32_t l4_checksum = 0;  ///< the field
  std::uint32_t end = 0;          ///< where the payload begins
  bool ipv4 = true;               ///< else IPv6
  bool tcp = true;                ///< else UDP

  [[nodiscard]] constexpr std::uint32_t shortest_ip() const noexcept {
    return ipv4 ? kIpv4Header : kIpv6Header;
  }
  [[nodiscard]] constexpr std::uint32_t shortest_l4() const noexcept {
    return tcp ? kTcpHeader : kUdpHeader;
  }
};

/// TCP, with its checksums where the protocols have them.
[[nodiscard]] constexpr HeaderPlaces tcp_places(bool ipv4,
                                                std::uint32_t ip,
                                                std::uint32_t tcp,
                                                std::uint32_t end) noexcept {
  return {.ip = ip,
          .ip_checksum = ip + kIpv4Checksum,
          .l4 = tcp,
          .l4_checksum = tcp + kTcpChecksum,
          .end = end,
          .ipv4 = ipv4,
          .tcp = true};
}

/// True when everything that is read and written below lies before `end`, whatever the numbers.
[[nodiscard]] constexpr bool fits(const HeaderPlaces& p) noexcept {
  const auto inside = [&p](std::uint64_t at, std::uint64_t bytes) { return at + bytes <= p.end; };
  return inside(p.ip, p.shortest_ip()) && inside(p.l4, p.shortest_l4()) &&
         inside(p.l4_checksum, 2) && (!p.ipv4 || inside(p.ip_checksum, 2));
}

/// True when the two headers do not overlap either. Of places that fit.
[[nodiscard]] constexpr bool are_apart(const HeaderPlaces& p) noexcept {
  return p.l4 >= p.ip && p.l4 - p.ip >= p.shortest_ip();
}

/// A part of the payload: one segment, or a run of them that somebody cuts later.
struct Segment {
  std::uint32_t from = 0;    ///< bytes of payload before it
  std::uint32_t bytes = 0;   ///< its own
  std::uint32_t number = 0;  ///< segments before it
  bool first = false;        ///< CWR stays: it is said once
  bool last = false;         ///< FIN and PSH stay
};

/// How long the segment is from its TCP or UDP header on: the length in its pseudo-header.
[[nodiscard]] constexpr std::uint32_t l4_length(const HeaderPlaces& p,
                                                std::uint32_t bytes) noexcept {
  return p.end - p.l4 + bytes;
}

/// IPv4's length, identification and checksum. That is over as many bytes as the header says that
/// it has, since a receiver goes by them, unless it says nonsense.
inline void make_ipv4(std::span<std::byte> h, const HeaderPlaces& p, const Segment& s) noexcept {
  put16(h, p.ip + kIpv4Length, p.end - p.ip + s.bytes);
  put16(h, p.ip + kIpv4Id, get16(h, p.ip + kIpv4Id) + s.number);
  const std::uint32_t stated = ipv4_length(h[p.ip]);
  const std::uint32_t length =
      stated >= kIpv4Header && stated <= p.end - p.ip ? stated : kIpv4Header;
  put_sum(h, p.ip_checksum, 0);
  Checksum sum;
  sum.add(h.subspan(p.ip, length));
  put_sum(h, p.ip_checksum, sum.complement());
}

/// TCP's sequence number and flags.
inline void make_tcp(std::span<std::byte> h, const HeaderPlaces& p, const Segment& s) noexcept {
  put32(h, p.l4 + kTcpSequence, get32(h, p.l4 + kTcpSequence) + s.from);
  std::byte& flags = h[p.l4 + kTcpFlagsByte];
  if (!s.last) {
    flags &= ~std::byte{kTcpFinPsh};
  }
  if (!s.first) {
    flags &= ~std::byte{kTcpCwr};
  }
}

/// Makes the segment's headers of those of the whole: all but the checksum of TCP or UDP.
inline void make_headers(std::span<std::byte> h, const HeaderPlaces& p, const Segment& s) noexcept {
  if (p.ipv4) {
    make_ipv4(h, p, s);
  } else {
    put16(h, p.ip + kIpv6Length, p.end - p.ip - kIpv6Header + s.bytes);
  }
  if (p.tcp) {
    make_tcp(h, p, s);
  } else {
    put16(h, p.l4 + kUdpLength, l4_length(p, s.bytes));
  }
}

/// The sum of a pseudo-header (RFC 9293 3.1, RFC 8200 8.1), by the addresses in the headers.
[[nodiscard]] inline std::uint64_t pseudo_sum(std::span<const std::byte> h,
                                              const HeaderPlaces& p,
                                              std::uint32_t l4_length) noexcept {
  const std::byte* const at = h.data() + p.ip + (p.ipv4 ? kIpv4Addresses : kIpv6Addresses);
  const std::uint64_t addresses = sum_bytes(at, p.ipv4 ? kIpv4AddressBytes : kIpv6AddressBytes);
  return addresses + sum_of_field(p.tcp ? kProtocolTcp : kProtocolUdp) + sum_of_field(l4_length) +
         sum_of_field(l4_length >> 16U);
}

/// In a checksum field that holds the sum of a pseudo-header: the length in it was `from`, and is
/// `to`. 0 is a pseudo-header without one.
inline void change_length(std::span<std::byte> h,
                          const HeaderPlaces& p,
                          std::uint32_t from,
                          std::uint32_t to) noexcept {
  const auto gone = static_cast<std::uint16_t>(~sum_of_field(from));
  const std::uint64_t sum =
      std::uint64_t{get_sum(h, p.l4_checksum)} + (from != 0 ? gone : 0U) + sum_of_field(to);
  put_sum(h, p.l4_checksum, fold(sum));
}

/// Completes the segment's checksum, whose field holds the sum of its pseudo-header. `payload` is
/// the sum of its payload (sum_bytes()).
inline void complete_checksum(std::span<std::byte> h,
                              const HeaderPlaces& p,
                              std::uint64_t payload) noexcept {
  Checksum sum;
  sum.add(h.subspan(p.l4, p.end - p.l4));
  sum.add_last(payload);
  put_sum(h, p.l4_checksum, p.tcp ? sum.complement() : sum.complement_not_0());
}

}  // namespace dm::inet
