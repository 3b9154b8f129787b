// SPDX-License-Identifier: MIT
#pragma once

#include "devices/rtl8139/state.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::rtl8139 {

/// By which rule a frame is for this guest. `any`: only because RCR.AAP lets everything in.
enum class Match : std::uint8_t { none, any, station, multicast, broadcast };

/// `head` has at least the destination address.
[[nodiscard]] Match match(const RegisterFile& file, std::span<const std::byte> head) noexcept;

/// The bit of MAR that stands for a multicast address: the upper six bits of its CRC-32.
[[nodiscard]] std::uint32_t multicast_bit(std::span<const std::byte, 6> address) noexcept;

/// What the card says of a received frame's checksums: RxOpts1::PID and IPF. `head` are the frame's
/// first bytes; `verified`: the host has checked TCP's or UDP's, or it was put in here. Nothing is
/// claimed that nobody has checked: then the guest's stack looks itself.
[[nodiscard]] std::uint32_t checksum_status(std::span<const std::byte> head,
                                            bool verified) noexcept;

}  // namespace dm::rtl8139
