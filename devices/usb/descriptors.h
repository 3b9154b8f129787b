// SPDX-License-Identifier: MIT
#pragma once

#include "devices/usb/state.h"

#include <cstdint>
#include <span>

namespace dm::usb {

/// Packets of endpoint 0, and of endpoint 81h, are this long at most.
inline constexpr std::size_t kMaxPacket = 8;
/// By this request Windows asks for what string EEh promises.
inline constexpr std::uint8_t kMicrosoftRequest = 'Q';
/// Names and descriptors: 0627:0001 as QEMU's devices, since power rules of guests name it.
inline constexpr std::uint16_t kVendor = 0x0627;

using Descriptor = std::span<const std::uint8_t>;

/// A descriptor by its type and index, out of constant tables. Empty: there is none. Source: USB
/// 1.1, 9.5; USB HID 1.11, 7.1; Microsoft OS Descriptors 1.0.
[[nodiscard]] Descriptor device_descriptor(HidKind kind,
                                           std::uint8_t type,
                                           std::uint8_t index) noexcept;
/// Of the interface: the HID descriptor, and what a report looks like.
[[nodiscard]] Descriptor interface_descriptor(HidKind kind, std::uint8_t type) noexcept;
/// The extended properties: Windows may suspend the device.
[[nodiscard]] Descriptor microsoft_properties() noexcept;

}  // namespace dm::usb
