// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

/// What headers of the Internet's protocols look like; bytes.
namespace dm::inet {

// Ethernet, IEEE 802.3: two addresses, the type. With a tag (802.1Q), that stands in the type's
// place and the type behind it.
inline constexpr std::uint32_t kEthernetHeader = 14;
inline constexpr std::uint32_t kEtherType = 12;
inline constexpr std::uint32_t kVlanTag = 4;

// EtherTypes (IEEE 802 numbers).
inline constexpr std::uint16_t kTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kTypeVlan = 0x8100;
inline constexpr std::uint16_t kTypeIpv6 = 0x86dd;

// Protocol numbers (IANA).
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;

// Without options or extensions: RFC 791 3.1, RFC 8200 3, RFC 9293 3.1, RFC 768.
inline constexpr std::uint32_t kIpv4Header = 20;
inline constexpr std::uint32_t kIpv6Header = 40;
inline constexpr std::uint32_t kTcpHeader = 20;
inline constexpr std::uint32_t kUdpHeader = 8;

// Places in an IPv4 header. The length is that of header and payload; there are two addresses.
inline constexpr std::uint32_t kIpv4Length = 2;
inline constexpr std::uint32_t kIpv4Id = 4;
inline constexpr std::uint32_t kIpv4Checksum = 10;
inline constexpr std::uint32_t kIpv4Addresses = 12;
inline constexpr std::uint32_t kIpv4AddressBytes = 8;

// Places in an IPv6 header. The length is that of the payload alone.
inline constexpr std::uint32_t kIpv6Length = 4;
inline constexpr std::uint32_t kIpv6Addresses = 8;
inline constexpr std::uint32_t kIpv6AddressBytes = 32;

// Places in a TCP header, and bits of its flags (CWR: RFC 3168 6.1).
inline constexpr std::uint32_t kTcpSequence = 4;
inline constexpr std::uint32_t kTcpOffsetByte = 12;
inline constexpr std::uint32_t kTcpFlagsByte = 13;
inline constexpr std::uint32_t kTcpChecksum = 16;
inline constexpr unsigned kTcpFinPsh = 0x09;
inline constexpr unsigned kTcpCwr = 0x80;

// The place of the length in a UDP header: that of header and payload.
inline constexpr std::uint32_t kUdpLength = 4;

/// How long an IPv4 header says that it is, by its first byte: up to 60, and hostile ones less than
/// kIpv4Header.
[[nodiscard]] constexpr std::uint32_t ipv4_length(std::byte first) noexcept {
  return (std::to_integer<std::uint32_t>(first) & 15U) * 4;
}
/// The same of a TCP header, by its byte kTcpOffsetByte.
[[nodiscard]] constexpr std::uint32_t tcp_length(std::byte offset) noexcept {
  return (std::to_integer<std::uint32_t>(offset) >> 4U) * 4;
}

}  // namespace dm::inet
