// SPDX-License-Identifier: MIT
#include "devices/vga/edid.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace dm::vga {

namespace {

/// Three letters of five bits each (EDID 3.4.1). No such vendor is registered.
constexpr std::uint16_t vendor(std::string_view letters) noexcept {
  std::uint16_t id = 0;
  for (const char c : letters) {
    id = static_cast<std::uint16_t>(id << 5U | (c - 'A' + 1));
  }
  return id;
}

/// Low byte first.
void put16(Edid& edid, std::size_t at, std::uint32_t value) noexcept {
  edid[at] = static_cast<std::uint8_t>(value);
  edid[at + 1] = static_cast<std::uint8_t>(value >> 8U);
}

/// A number of twelve bits: its low byte, and its upper four bits for a byte of two such.
constexpr std::uint8_t low(std::uint32_t value) noexcept {
  return static_cast<std::uint8_t>(value);
}
constexpr std::uint8_t uppers(std::uint32_t high, std::uint32_t low) noexcept {
  return static_cast<std::uint8_t>((high >> 8U << 4U) | (low >> 8U));
}

/// 96 dots to an inch.
constexpr std::uint32_t millimetres(std::uint32_t pixels) noexcept {
  return pixels * 254 / 960;
}

/// A detailed timing (EDID 3.10.2) with reduced blanking: VESA CVT 1.2, 5.3.
void put_timing(Edid& edid, std::size_t at, const Monitor& monitor) noexcept {
  constexpr std::uint32_t kHorizontalBlank = 160;
  constexpr std::uint32_t kHorizontalFront = 48;
  constexpr std::uint32_t kHorizontalSync = 32;
  constexpr std::uint32_t kVerticalFront = 3;
  constexpr std::uint32_t kVerticalSync = 6;
  constexpr std::uint32_t kRefresh = 60;  // Hz
  constexpr std::uint32_t kClockUnit = 10'000;
  constexpr std::uint8_t kDigitalSeparateSync = 0x1a;  // horizontal positive
  const std::uint32_t width = monitor.width;
  const std::uint32_t height = monitor.height;
  const std::uint32_t vertical_blank =
      std::max(kVerticalFront + kVerticalSync + 6, height * 3 / 100);
  const std::uint64_t clock =
      std::uint64_t{width + kHorizontalBlank} * (height + vertical_blank) * kRefresh / kClockUnit;
  put16(edid, at, static_cast<std::uint32_t>(std::min<std::uint64_t>(clock, 0xffff)));
  edid[at + 2] = low(width);
  edid[at + 3] = low(kHorizontalBlank);
  edid[at + 4] = uppers(width, kHorizontalBlank);
  edid[at + 5] = low(height);
  edid[at + 6] = low(vertical_blank);
  edid[at + 7] = uppers(height, vertical_blank);
  edid[at + 8] = low(kHorizontalFront);
  edid[at + 9] = low(kHorizontalSync);
  edid[at + 10] = kVerticalFront << 4U | kVerticalSync;
  edid[at + 12] = low(millimetres(width));
  edid[at + 13] = low(millimetres(height));
  edid[at + 14] = uppers(millimetres(width), millimetres(height));
  edid[at + 17] = kDigitalSeparateSync;
}

/// A descriptor of another kind (EDID 3.10.3): `text` ends with a line feed and then spaces.
void put_text(Edid& edid, std::size_t at, std::uint8_t tag, std::string_view text) noexcept {
  constexpr std::size_t kLongest = 13;
  edid[at + 3] = tag;
  for (std::size_t i = 0; i < kLongest; ++i) {
    const char c = i < text.size() ? text[i] : i == text.size() ? '\n' : ' ';
    edid[at + 5 + i] = static_cast<std::uint8_t>(c);
  }
}

/// Width in units of 8 from 248, and aspect ratio, at 60 Hz (EDID 3.9).
void put_standard(Edid& edid, std::size_t at, std::uint32_t width, std::uint8_t aspect) noexcept {
  edid[at] = static_cast<std::uint8_t>(width / 8 - 31);
  edid[at + 1] = static_cast<std::uint8_t>(aspect << 6U);
}

}  // namespace

Edid make_edid(const Monitor& monitor) noexcept {
  constexpr std::uint8_t kWide = 0;  // 16:10
  constexpr std::uint8_t kFourToThree = 1;
  constexpr std::uint8_t kHd = 3;  // 16:9
  constexpr std::uint8_t kName = 0xfc;
  constexpr std::uint8_t kUnused = 0x10;
  Edid edid{0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
  constexpr std::uint16_t kVendor = vendor("SDM");
  edid[8] = kVendor >> 8U;  // the only number here with its high byte first
  edid[9] = kVendor & 0xffU;
  put16(edid, 10, 1);  // product
  edid[16] = 1;        // week and year of the model
  edid[17] = 2026 - 1990;
  edid[18] = 1;  // version 1.4
  edid[19] = 4;
  edid[20] = 0xa5;  // digital, 8 bits a colour, DisplayPort
  edid[21] = static_cast<std::uint8_t>(std::min(millimetres(monitor.width) / 10, 0xffU));
  edid[22] = static_cast<std::uint8_t>(std::min(millimetres(monitor.height) / 10, 0xffU));
  edid[23] = 120;   // gamma 2.2
  edid[24] = 0x06;  // sRGB; the first timing is the monitor's own
  constexpr std::array<std::uint8_t, 10> kSrgb{0xee, 0x91, 0xa3, 0x54, 0x4c,
                                               0x99, 0x26, 0x0f, 0x50, 0x54};
  std::ranges::copy(kSrgb, edid.begin() + 25);
  edid[35] = 0x21;  // 640x480, 800x600
  edid[36] = 0x08;  // 1024x768, all at 60 Hz
  put_standard(edid, 38, 1920, kHd);
  put_standard(edid, 40, 1680, kWide);
  put_standard(edid, 42, 1600, kFourToThree);
  put_standard(edid, 44, 1440, kWide);
  put_standard(edid, 46, 1280, kHd);
  put_standard(edid, 48, 1280, kWide);
  std::fill(edid.begin() + 50, edid.begin() + 54, std::uint8_t{1});  // unused
  put_timing(edid, 54, monitor);
  put_text(edid, 72, kName, "stubdm");
  edid[93] = kUnused;
  edid[111] = kUnused;
  edid.back() = static_cast<std::uint8_t>(0 - std::accumulate(edid.begin(), edid.end() - 1, 0U));
  return edid;
}

}  // namespace dm::vga
