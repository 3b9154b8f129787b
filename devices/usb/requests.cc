// SPDX-License-Identifier: MIT
#include "devices/usb/requests.h"

#include <algorithm>
#include <cstddef>

namespace dm::usb {

namespace {

/// bmRequestType and bRequest as one number.
constexpr std::uint16_t code_of(const Request& r) noexcept {
  return static_cast<std::uint16_t>(r.type << 8U | r.request);
}

// USB 1.1, 9.4.
constexpr std::uint16_t kClearDeviceFeature = 0x0001;
constexpr std::uint16_t kSetDeviceFeature = 0x0003;
constexpr std::uint16_t kSetAddress = 0x0005;
constexpr std::uint16_t kSetConfiguration = 0x0009;
constexpr std::uint16_t kSetInterface = 0x010b;
constexpr std::uint16_t kClearEndpointFeature = 0x0201;
constexpr std::uint16_t kSetEndpointFeature = 0x0203;
constexpr std::uint16_t kGetDeviceStatus = 0x8000;
constexpr std::uint16_t kGetInterfaceStatus = 0x8100;
constexpr std::uint16_t kGetEndpointStatus = 0x8200;
constexpr std::uint16_t kGetDescriptor = 0x8006;
constexpr std::uint16_t kGetInterfaceDescriptor = 0x8106;
constexpr std::uint16_t kGetConfiguration = 0x8008;
constexpr std::uint16_t kGetInterface = 0x810a;
// USB HID 1.11, 7.2.
constexpr std::uint16_t kGetReport = 0xa101;
constexpr std::uint16_t kGetIdle = 0xa102;
constexpr std::uint16_t kGetProtocol = 0xa103;
constexpr std::uint16_t kSetReport = 0x2109;
constexpr std::uint16_t kSetIdle = 0x210a;
constexpr std::uint16_t kSetProtocol = 0x210b;
// Microsoft OS Descriptors 1.0: to the device or to the interface.
constexpr std::uint16_t kGetOfDevice = 0xc000 | kMicrosoftRequest;
constexpr std::uint16_t kGetOfInterface = 0xc100 | kMicrosoftRequest;
constexpr std::uint16_t kExtendedProperties = 5;

constexpr std::uint16_t kRemoteWakeup = 1;
constexpr std::uint16_t kEndpointHalt = 0;
constexpr std::uint16_t kReportEndpoint = 0x81;
constexpr std::uint16_t kInput = 1;  // types of reports
constexpr std::uint16_t kOutput = 2;

constexpr std::uint8_t high(std::uint16_t value) noexcept {
  return static_cast<std::uint8_t>(value >> 8U);
}
constexpr std::uint8_t low(std::uint16_t value) noexcept {
  return static_cast<std::uint8_t>(value);
}

/// Endpoint 0 has no halt that would last (9.4.5).
bool is_endpoint(std::uint16_t index) noexcept {
  return index == kReportEndpoint || (index & 0x7fU) == 0;
}

Descriptor descriptor_of(const Request& r, HidKind kind) noexcept {
  switch (code_of(r)) {
    case kGetDescriptor:
      return device_descriptor(kind, high(r.value), low(r.value));
    case kGetInterfaceDescriptor:
      return r.index == 0 ? interface_descriptor(kind, high(r.value)) : Descriptor{};
    case kGetOfDevice:
    case kGetOfInterface:
      return r.index == kExtendedProperties ? microsoft_properties() : Descriptor{};
    default:
      return {};
  }
}

bool has_boot_protocol(HidKind kind) noexcept {
  return kind == HidKind::mouse || kind == HidKind::keyboard;
}

/// How many bytes of `data` answer a request to the host that is not for a descriptor. 0: nothing
/// does.
std::uint8_t short_answer(const Request& r, const HidState& state) noexcept {
  switch (code_of(r)) {
    case kGetDeviceStatus:
    case kGetInterfaceStatus:
      return 2;
    case kGetEndpointStatus:
      return is_endpoint(r.index) ? 2 : 0;
    case kGetConfiguration:
    case kGetInterface:
    case kGetIdle:
      return 1;
    case kGetProtocol:
      return has_boot_protocol(state.kind) ? 1 : 0;
    case kGetReport:
      switch (state.kind) {
        case HidKind::keyboard:
          return high(r.value) == kInput ? 8 : 0;
        case HidKind::mouse:
          return high(r.value) == kInput ? 4 : 0;
        case HidKind::none:
        case HidKind::tablet:
          break;
      }
      return high(r.value) == kInput ? 6 : 0;
    default:
      return 0;
  }
}

}  // namespace

Request request_of(const std::array<std::uint8_t, 8>& setup) noexcept {
  const auto word = [&setup](std::size_t at) {
    return static_cast<std::uint16_t>(setup.at(at) | setup.at(at + 1) << 8U);
  };
  return {
      .type = setup[0], .request = setup[1], .value = word(2), .index = word(4), .length = word(6)};
}

bool acceptable(const Request& r, const HidState& state) noexcept {
  if (r.to_host()) {
    return !descriptor_of(r, state.kind).empty() || short_answer(r, state) != 0;
  }
  switch (code_of(r)) {
    case kClearDeviceFeature:
    case kSetDeviceFeature:
      return r.value == kRemoteWakeup && r.length == 0;
    case kSetAddress:
      return r.value < 128 && r.length == 0;
    case kSetConfiguration:
      return r.value < 2 && r.length == 0;
    case kSetInterface:
      return r.value == 0 && r.index == 0 && r.length == 0;
    case kClearEndpointFeature:
    case kSetEndpointFeature:
      return r.value == kEndpointHalt && is_endpoint(r.index) && r.length == 0;
    case kSetReport:
      return state.kind == HidKind::keyboard && high(r.value) == kOutput && r.length >= 1 &&
             r.length <= kMaxPacket;
    case kSetIdle:
      return r.length == 0;
    case kSetProtocol:
      return has_boot_protocol(state.kind) && r.value < 2 && r.length == 0;
    default:
      return false;
  }
}

std::uint8_t prepare(const Request& r, HidState& state, const HidReport& report) noexcept {
  state.data = {};
  switch (code_of(r)) {
    case kGetDeviceStatus:
      state.data[0] = state.remote_wakeup ? 2 : 0;
      break;
    case kGetEndpointStatus:
      state.data[0] = r.index == kReportEndpoint && state.halted ? 1 : 0;
      break;
    case kGetConfiguration:
      state.data[0] = state.configured ? 1 : 0;
      break;
    case kGetIdle:
      state.data[0] = state.idle;
      break;
    case kGetProtocol:
      state.data[0] = state.report_protocol ? 1 : 0;
      break;
    case kGetReport:
      state.data = report.bytes;
      break;
    default:
      break;
  }
  return short_answer(r, state);
}

Descriptor answer(const Request& r, const HidState& state) noexcept {
  const Descriptor descriptor = descriptor_of(r, state.kind);
  return descriptor.empty() ? Descriptor{state.data}.first(short_answer(r, state)) : descriptor;
}

bool perform(const Request& r, HidState& state) noexcept {
  switch (code_of(r)) {
    case kClearDeviceFeature:
    case kSetDeviceFeature:
      state.remote_wakeup = code_of(r) == kSetDeviceFeature;
      return false;
    case kSetAddress:
      state.address = low(r.value);
      return false;
    case kSetConfiguration:
      state.configured = r.value == 1;
      state.halted = state.toggle = false;
      return true;
    case kSetInterface:
      state.halted = state.toggle = false;
      return false;
    case kClearEndpointFeature:
    case kSetEndpointFeature:
      if (r.index == kReportEndpoint) {
        state.halted = code_of(r) == kSetEndpointFeature;
        state.toggle = state.toggle && state.halted;
      }
      return false;
    case kSetReport:
      state.leds = state.data[0] & 0x1fU;
      return false;
    case kSetIdle:
      state.idle = high(r.value);
      return false;
    case kSetProtocol:
      state.report_protocol = r.value == 1;
      return false;
    default:
      return false;
  }
}

}  // namespace dm::usb
