// SPDX-License-Identifier: MIT
#include "devices/usb/descriptors.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace dm::usb {

namespace {

constexpr std::uint8_t kDevice = 1;
constexpr std::uint8_t kConfiguration = 2;
constexpr std::uint8_t kString = 3;
constexpr std::uint8_t kHid = 0x21;
constexpr std::uint8_t kReport = 0x22;
constexpr std::uint8_t kMicrosoftString = 0xee;

// clang-format off
constexpr std::array<std::uint8_t, 18> kDeviceDescriptor{
    18, kDevice, 0x00, 0x01, 0, 0, 0, kMaxPacket,  // USB 1.0; the interface has the class
    kVendor & 0xffU, kVendor >> 8U, 0x01, 0x00, 0x00, 0x00,
    1, 2, 3, 1};                                   // strings; one configuration

constexpr std::array<std::uint8_t, 74> kTabletReport{
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01,              // Generic Desktop, Mouse: application
    0x09, 0x01, 0xa1, 0x00,                          // Pointer: physical
    0x05, 0x09, 0x19, 0x01, 0x29, 0x03,              // buttons 1 to 3
    0x15, 0x00, 0x25, 0x01, 0x95, 0x03, 0x75, 0x01,  // 0 to 1, three of a bit
    0x81, 0x02, 0x95, 0x01, 0x75, 0x05, 0x81, 0x01,  // absolute; five bits of nothing
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31,              // X, Y
    0x15, 0x00, 0x26, 0xff, 0x7f,                    // 0 to 32767
    0x35, 0x00, 0x46, 0xff, 0x7f,                    // physical, the same
    0x75, 0x10, 0x95, 0x02, 0x81, 0x02,              // two of 16 bits, absolute
    0x05, 0x01, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f,  // Wheel, -127 to 127
    0x35, 0x00, 0x45, 0x00,                          // physical: as logical
    0x75, 0x08, 0x95, 0x01, 0x81, 0x06,              // a byte, relative
    0xc0, 0xc0};
constexpr std::array<std::uint8_t, 52> kMouseReport{
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,
    0x05, 0x09, 0x19, 0x01, 0x29, 0x03,
    0x15, 0x00, 0x25, 0x01, 0x95, 0x03, 0x75, 0x01,
    0x81, 0x02, 0x95, 0x01, 0x75, 0x05, 0x81, 0x01,
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38,  // X, Y, Wheel
    0x15, 0x81, 0x25, 0x7f,
    0x75, 0x08, 0x95, 0x03, 0x81, 0x06,              // three bytes, relative
    0xc0, 0xc0};
// HID 1.11, appendix B.1, with all usages up to FFh.
constexpr std::array<std::uint8_t, 64> kKeyboardReport{
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,
    0x75, 0x01, 0x95, 0x08, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7,
    0x15, 0x00, 0x25, 0x01, 0x81, 0x02,              // modifiers
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01,              // a reserved byte
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05,
    0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01,  // LEDs
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x26, 0xff, 0x00,
    0x05, 0x07, 0x19, 0x00, 0x29, 0xff, 0x81, 0x00,  // six keys
    0xc0};

constexpr std::size_t kHidAt = 18;
constexpr std::size_t kHidSize = 9;
using Configuration = std::array<std::uint8_t, 34>;
/// `boot`: subclass and protocol of the interface.
constexpr Configuration configuration(std::uint8_t boot,
                                      std::uint8_t protocol,
                                      std::size_t report) noexcept {
  return {9, kConfiguration, 34, 0, 1, 1, 0, 0xa0, 50,          // wakes its host; 100 mA
          9, 4, 0, 0, 1, 3, boot, protocol, 0,
          9, kHid, 0x01, 0x00, 0, 1, kReport, static_cast<std::uint8_t>(report), 0,
          7, 5, 0x81, 3, kMaxPacket, 0, 10};                    // interrupt, 10 ms
}
constexpr Configuration kTablet = configuration(0, 0, kTabletReport.size());
constexpr Configuration kMouse = configuration(1, 2, kMouseReport.size());
constexpr Configuration kKeyboard = configuration(1, 1, kKeyboardReport.size());

constexpr std::array<std::uint8_t, 4> kLanguages{4, kString, 0x09, 0x04};
constexpr std::array<std::uint8_t, 18> kMicrosoft{
    18, kString, 'M', 0, 'S', 0, 'F', 0, 'T', 0, '1', 0, '0', 0, '0', 0, kMicrosoftRequest, 0};
// clang-format on

template <std::size_t N>
constexpr std::array<std::uint8_t, 2 * N> string_descriptor(const char (&text)[N]) noexcept {
  std::array<std::uint8_t, 2 * N> bytes{2 * N, kString};
  for (std::size_t i = 0; i + 1 < N; ++i) {
    bytes.at(2 + 2 * i) = static_cast<std::uint8_t>(text[i]);
  }
  return bytes;
}
constexpr auto kMaker = string_descriptor("stubdm");
constexpr auto kTabletName = string_descriptor("USB Tablet");
constexpr auto kMouseName = string_descriptor("USB Mouse");
constexpr auto kKeyboardName = string_descriptor("USB Keyboard");
constexpr auto kSerial = string_descriptor("1");

/// One property, SelectiveSuspendEnabled = 1 (a double word).
constexpr auto kProperties = [] {
  constexpr std::string_view name{"SelectiveSuspendEnabled"};
  constexpr std::size_t name_size = 2 * (name.size() + 1);
  constexpr std::size_t property = 4 + 4 + 2 + name_size + 4 + 4;
  std::array<std::uint8_t, 10 + property> bytes{
      10 + property, 0, 0, 0, 0x00, 0x01, 5, 0, 1, 0, property, 0, 0, 0, 4, 0, 0, 0, name_size, 0};
  for (std::size_t i = 0; i < name.size(); ++i) {
    bytes.at(20 + 2 * i) = static_cast<std::uint8_t>(name[i]);
  }
  bytes.at(20 + name_size) = 4;
  bytes.at(24 + name_size) = 1;
  return bytes;
}();

const Configuration& configuration_of(HidKind kind) noexcept {
  switch (kind) {
    case HidKind::mouse:
      return kMouse;
    case HidKind::keyboard:
      return kKeyboard;
    case HidKind::none:
    case HidKind::tablet:
      break;
  }
  return kTablet;
}

Descriptor product_of(HidKind kind) noexcept {
  switch (kind) {
    case HidKind::mouse:
      return kMouseName;
    case HidKind::keyboard:
      return kKeyboardName;
    case HidKind::none:
    case HidKind::tablet:
      break;
  }
  return kTabletName;
}

Descriptor string_of(HidKind kind, std::uint8_t index) noexcept {
  switch (index) {
    case 0:
      return kLanguages;
    case 1:
      return kMaker;
    case 2:
      return product_of(kind);
    case 3:
      return kSerial;
    case kMicrosoftString:
      return kMicrosoft;
    default:
      return {};
  }
}

}  // namespace

Descriptor device_descriptor(HidKind kind, std::uint8_t type, std::uint8_t index) noexcept {
  switch (type) {
    case kDevice:
      return kDeviceDescriptor;
    case kConfiguration:
      return index == 0 ? Descriptor{configuration_of(kind)} : Descriptor{};
    case kString:
      return string_of(kind, index);
    default:
      return {};
  }
}

Descriptor interface_descriptor(HidKind kind, std::uint8_t type) noexcept {
  if (type == kHid) {
    return Descriptor{configuration_of(kind)}.subspan(kHidAt, kHidSize);
  }
  if (type != kReport) {
    return {};
  }
  switch (kind) {
    case HidKind::mouse:
      return kMouseReport;
    case HidKind::keyboard:
      return kKeyboardReport;
    case HidKind::none:
    case HidKind::tablet:
      break;
  }
  return kTabletReport;
}

Descriptor microsoft_properties() noexcept {
  return kProperties;
}

}  // namespace dm::usb
