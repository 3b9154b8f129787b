// SPDX-License-Identifier: MIT
// Descriptors as they lie in the guest's memory, 16 bytes each (8254x SDM, 3.2.3 and 3.3). Two
// little-endian quadwords; fields are counted within the second.
#pragma once

#include "core/reg/field.h"

#include <cstdint>

namespace dm::e1000 {

inline constexpr std::uint32_t kDescriptorSize = 16;
/// The shortest ring that the manual knows (13.4.27, 13.4.38). The manual promises nothing about
/// shorter rings, but some drivers try them. They have as many descriptors as their length says,
/// and any tail outside of them means all of them, once.
inline constexpr std::uint32_t kShortestRing = 8;

/// Does a tail mean all descriptors up to the end of a ring of `size`, once? OS/2 writes the ring's
/// size, and a ring of one descriptor has no other way to say so.
[[nodiscard]] constexpr bool means_all(std::uint32_t tail, std::uint32_t size) noexcept {
  return tail == size || (tail > size && size < kShortestRing);
}

struct Descriptor {
  std::uint64_t address;
  std::uint64_t rest;
};
static_assert(sizeof(Descriptor) == kDescriptorSize);

// clang-format off

/// Transmit, all kinds (3.3.3, 3.3.6, 3.3.7).
struct TxD {
  using CMD   = reg::Field<31, 24>;
  using EOP   = reg::Flag<24>;                   // end of packet
  using IC    = reg::Flag<26>;                   // legacy: insert checksum
  using TSE   = reg::Flag<26>;                   // extended: segment
  using RS    = reg::Flag<27>;                   // report status
  using DEXT  = reg::Flag<29>;                   // extended
  using VLE   = reg::Flag<30>;                   // insert VLAN tag
  using IDE   = reg::Flag<31>;                   // delay the interrupt
  using DTYP  = reg::Field<23, 20>;
  static constexpr std::uint64_t kContext = 0;
  static constexpr std::uint64_t kData    = 1;
  static constexpr std::uint64_t kStatusByte = 12;  // of the descriptor: where DD is written
  static constexpr std::uint8_t  kDone       = 1;
  using SPECIAL = reg::Field<63, 48>;            // VLAN tag
};
struct LegacyTxD : TxD {
  using LENGTH = reg::Field<15, 0>;
  using CSO    = reg::Field<23, 16>;
  using CSS    = reg::Field<47, 40>;
};
struct DataTxD : TxD {
  using DTALEN = reg::Field<19, 0>;
  using IXSM   = reg::Flag<40>;                  // POPTS: insert IP checksum
  using TXSM   = reg::Flag<41>;                  // POPTS: insert TCP/UDP checksum
};
struct ContextTxD : TxD {
  // first quadword
  using IPCSS  = reg::Field<7, 0>;
  using IPCSO  = reg::Field<15, 8>;
  using IPCSE  = reg::Field<31, 16>;
  using TUCSS  = reg::Field<39, 32>;
  using TUCSO  = reg::Field<47, 40>;
  using TUCSE  = reg::Field<63, 48>;
  // second
  using PAYLEN = reg::Field<19, 0>;
  using TCP    = reg::Flag<24>;
  using IP     = reg::Flag<25>;                  // IPv4
  using HDRLEN = reg::Field<47, 40>;
  using MSS    = reg::Field<63, 48>;
};

/// Receive (3.2.3): the second quadword is written once, when all else is in memory.
struct RxD {
  using LENGTH  = reg::Field<15, 0>;
  using CSUM    = reg::Field<31, 16>;            // packet checksum
  using DD      = reg::Flag<32>;
  using EOP     = reg::Flag<33>;
  using IXSM    = reg::Flag<34>;                 // ignore checksum indications
  using VP      = reg::Flag<35>;                 // the tag was stripped
  using TCPCS   = reg::Flag<37>;
  using IPCS    = reg::Flag<38>;
  using PIF     = reg::Flag<39>;                 // passed an inexact filter
  using TCPE    = reg::Flag<45>;
  using IPE     = reg::Flag<46>;
  using SPECIAL = reg::Field<63, 48>;
};

// clang-format on

}  // namespace dm::e1000
