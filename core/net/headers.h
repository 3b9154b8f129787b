// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

/// What headers of the Internet's protocols look like; bytes.
namespace dm::inet {

// EtherTypes (IEEE 802 numbers).
inline constexpr std::uint16_t kTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kTypeIpv6 = 0x86dd;

// Without options or extensions: RFC 791 3.1, RFC 8200 3, RFC 9293 3.1, RFC 768.
inline constexpr std::uint32_t kIpv4Header = 20;
inline constexpr std::uint32_t kIpv6Header = 40;
inline constexpr std::uint32_t kTcpHeader = 20;
inline constexpr std::uint32_t kUdpHeader = 8;

// Places in a TCP header (RFC 9293 3.1), and bits of its flags (CWR: RFC 3168 6.1).
inline constexpr std::uint32_t kTcpOffsetByte = 12;
inline constexpr std::uint32_t kTcpFlagsByte = 13;
inline constexpr std::uint32_t kTcpChecksum = 16;
inline constexpr unsigned kTcpFinPsh = 0x09;
inline constexpr unsigned kTcpCwr = 0x80;

}  // namespace dm::inet
