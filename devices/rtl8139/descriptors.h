// SPDX-License-Identifier: MIT
// Descriptors of C+ mode as they lie in the guest's memory, 16 bytes each: two little-endian words
// of options, then the buffer's address. Source: Realtek's RTL8169 manual, which has the same
// engine; Linux, drivers/net/ethernet/realtek/8139cp.c.
#pragma once

#include "core/net/big_endian.h"
#include "core/reg/field.h"

#include <cstdint>

namespace dm::rtl8139 {

inline constexpr std::uint32_t kDescriptorSize = 16;
inline constexpr std::uint32_t kAddressOffset = 8;

// clang-format off

/// The first word, both directions.
struct Opts1 {
  using OWN    = reg::Flag<31>;                  // the card's
  using EOR    = reg::Flag<30>;                  // the ring ends here
  using FS     = reg::Flag<29>;                  // first of a packet
  using LS     = reg::Flag<28>;                  // last
};
struct TxOpts1 : Opts1 {
  using LGSEN  = reg::Flag<27>;                  // cut into segments of MSS bytes
  using MSS    = reg::Field<26, 16>;
  using IPCS   = reg::Flag<18>;                  // without LGSEN: checksums to be put in
  using UDPCS  = reg::Flag<17>;
  using TCPCS  = reg::Flag<16>;
  using LENGTH = reg::Field<15, 0>;
};
struct RxOpts1 : Opts1 {
  using MAR    = reg::Flag<26>;                  // multicast
  using PAM    = reg::Flag<25>;                  // the station address
  using BAR    = reg::Flag<24>;                  // broadcast
  using PID    = reg::Field<17, 16>;
  static constexpr std::uint64_t kTcp = 1, kUdp = 2, kIp = 3;
  using IPF    = reg::Flag<15>;
  using LENGTH = reg::Field<12, 0>;              // with FCS
  using SIZE   = reg::Field<12, 0>;              // as the driver gives it
};
struct TxOpts2 {
  using TAGC   = reg::Flag<17>;
  using TAG    = reg::Field<15, 0>;
};
struct RxOpts2 {
  using TAVA   = reg::Flag<16>;
  using TAG    = reg::Field<15, 0>;
};

/// The status in front of a frame in the ring of C mode.
struct RxHeader {
  using ROK    = reg::Flag<0>;
  using BAR    = reg::Flag<13>;
  using PAM    = reg::Flag<14>;
  using MAR    = reg::Flag<15>;
  using LENGTH = reg::Field<31, 16>;             // with FCS
};

// clang-format on

/// The tag is in network order within a little-endian word.
[[nodiscard]] constexpr std::uint16_t tag_in_word(std::uint16_t tag) noexcept {
  return static_cast<std::uint16_t>(tag << 8U | tag >> 8U);
}

}  // namespace dm::rtl8139
