// SPDX-License-Identifier: MIT
#pragma once

#include "devices/usb/descriptors.h"
#include "devices/usb/hid_input.h"
#include "devices/usb/state.h"

#include <array>
#include <cstdint>

namespace dm::usb {

/// A SETUP packet, USB 1.1, 9.3.
struct Request {
  std::uint8_t type;  ///< bmRequestType
  std::uint8_t request;
  std::uint16_t value;
  std::uint16_t index;
  std::uint16_t length;

  [[nodiscard]] bool to_host() const noexcept { return (type & 0x80U) != 0; }
};
[[nodiscard]] Request request_of(const std::array<std::uint8_t, 8>& setup) noexcept;

/// Is this a request with which the device, as it is, can do something? All others are answered by
/// STALL.
[[nodiscard]] bool acceptable(const Request& r, const HidState& state) noexcept;
/// A request to the host that is not for a descriptor: puts the answer into `state.data`, and says
/// how long it is. `report`: what GET_REPORT gives.
std::uint8_t prepare(const Request& r, HidState& state, const HidReport& report) noexcept;
/// The answer to an acceptable request to the host, not cut to the request's length.
[[nodiscard]] Descriptor answer(const Request& r, const HidState& state) noexcept;
/// An acceptable request from the host takes effect: its status stage has ended. True when the
/// device is configured anew, or not any more.
[[nodiscard]] bool perform(const Request& r, HidState& state) noexcept;

}  // namespace dm::usb
