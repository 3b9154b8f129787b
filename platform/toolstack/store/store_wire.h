// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

/// Xenstore's messages, as Xen public header io/xs_wire.h has them: a header, then `length` bytes.
/// Numbers are in the machine's byte order.
namespace dm::toolstack::wire {

inline constexpr std::uint32_t kDirectory = 1;
inline constexpr std::uint32_t kRead = 2;
inline constexpr std::uint32_t kGetPerms = 3;
inline constexpr std::uint32_t kWatch = 4;
inline constexpr std::uint32_t kUnwatch = 5;
inline constexpr std::uint32_t kWrite = 11;
inline constexpr std::uint32_t kWatchEvent = 15;
inline constexpr std::uint32_t kError = 16;
inline constexpr std::uint32_t kIsDomainIntroduced = 17;

struct Header {
  std::uint32_t type;
  std::uint32_t request;
  std::uint32_t transaction;
  std::uint32_t length;
};
static_assert(sizeof(Header) == 16);

inline constexpr std::size_t kMaxPayload = 4096;  ///< XENSTORE_PAYLOAD_MAX

}  // namespace dm::toolstack::wire
