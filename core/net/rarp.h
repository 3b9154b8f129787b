// SPDX-License-Identifier: MIT
#pragma once

#include "core/net/big_endian.h"
#include "core/net/headers.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace dm::inet {

/// The shortest frame, without FCS: a request that nobody need answer, sent to all, by which
/// bridges and switches learn where `station` is. `station` has the address's first byte lowest, as
/// receive address registers have it. Source: RFC 903; RFC 826 for the packet's form.
[[nodiscard]] inline std::array<std::byte, 60> rarp_broadcast(std::uint64_t station) noexcept {
  constexpr std::size_t kAddress = 6;
  constexpr std::uint16_t kTypeRarp = 0x8035;
  constexpr std::uint16_t kEthernet = 1;
  constexpr std::uint16_t kRequestReverse = 3;
  std::array<std::byte, 60> frame{};
  for (std::size_t i = 0; i < kAddress; ++i) {
    const auto byte = static_cast<std::byte>(station >> (8 * i) & 0xffU);
    frame[i] = std::byte{0xff};
    frame[kAddress + i] = byte;
    frame[kEthernetHeader + 8 + i] = byte;   // sender
    frame[kEthernetHeader + 18 + i] = byte;  // whose protocol address is asked for
  }
  put16(frame, kEtherType, kTypeRarp);
  put16(frame, kEthernetHeader, kEthernet);
  put16(frame, kEthernetHeader + 2, kTypeIpv4);
  frame[kEthernetHeader + 4] = std::byte{kAddress};
  frame[kEthernetHeader + 5] = std::byte{4};
  put16(frame, kEthernetHeader + 6, kRequestReverse);
  return frame;
}

}  // namespace dm::inet
