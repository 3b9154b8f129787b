// SPDX-License-Identifier: MIT
#include "devices/vga/state.h"

#include "core/addr.h"

#include <algorithm>
#include <bit>

namespace dm::vga {

namespace {

using namespace regs::dispi;  // NOLINT(google-build-using-namespace): this file is about them

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kFramesBelow4GiB = (std::uint64_t{1} << 32) / kPageSize;

/// Bytes between two lines.
[[nodiscard]] std::uint64_t line_of(const DispiState& s) noexcept {
  return std::uint64_t{s.reg[kVirtWidth]} * bits_of_pixel(s.reg[kBpp]) / 8;
}

[[nodiscard]] std::uint64_t offset_of(const DispiState& s, std::uint64_t line) noexcept {
  return std::uint64_t{s.reg[kXOffset]} * bits_of_pixel(s.reg[kBpp]) / 8 + s.reg[kYOffset] * line;
}

/// 4 bits a pixel, by planes, are laid out like 8: a byte of memory for two pixels.
[[nodiscard]] constexpr bool known_depth(std::uint16_t bpp) noexcept {
  return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

template <class Map>
[[nodiscard]] bool only_writable(const std::array<std::uint8_t, Map::kSize>& values) noexcept {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((values[i] & ~Map::kWritable[i]) != 0) {
      return false;
    }
  }
  return true;
}

[[nodiscard]] bool valid(const DacState& s) noexcept {
  return s.component < s.cache.size();
}

[[nodiscard]] bool valid(const DispiState& s, std::uint64_t memory_size) noexcept {
  const std::uint64_t bank = std::uint64_t{s.reg[kBank]} * kBankSize;
  if (s.reg[kId] < kOldestId || s.reg[kId] > kNewestId || bank >= memory_size ||
      (s.bank_offset != 0 && s.bank_offset != bank)) {
    return false;
  }
  DispiState fixed = s;
  fix_up(fixed, memory_size);
  return fixed.reg == s.reg;
}

}  // namespace

DispiGeometry geometry(const DispiState& s) noexcept {
  const std::uint64_t line = line_of(s);
  // The CRT controller counts in words of four bytes.
  return {.line = line, .start = offset_of(s, line) & ~std::uint64_t{3}};
}

// In 64 bits, and after every write: CVE-2014-3615, CVE-2016-3710.
void fix_up(DispiState& s, std::uint64_t memory_size) noexcept {
  if (!s.enabled()) {
    return;
  }
  auto& r = s.reg;
  r[kBpp] = known_depth(r[kBpp]) ? r[kBpp] : std::uint16_t{8};
  const auto in_eights = [](std::uint16_t value, std::uint16_t least) {
    return std::clamp(static_cast<std::uint16_t>(value & ~7U), least, kMaxXres);
  };
  r[kXres] = in_eights(r[kXres], 8);
  r[kVirtWidth] = in_eights(r[kVirtWidth], r[kXres]);
  const std::uint64_t line = line_of(s);
  const std::uint64_t lines = memory_size / line;
  if (lines == 0) {
    r[kEnable] = static_cast<std::uint16_t>(r[kEnable] & ~ENABLE::ENABLED::kMask);
    return;
  }
  const auto most = static_cast<std::uint16_t>(std::min<std::uint64_t>(lines, kMaxYres));
  r[kYres] = std::clamp(r[kYres], std::uint16_t{1}, most);
  r[kVirtHeight] = static_cast<std::uint16_t>(std::min<std::uint64_t>(lines, 0xffff));
  r[kXOffset] = std::min(r[kXOffset], kMaxXres);
  r[kYOffset] = std::min(r[kYOffset], kMaxYres);
  const std::uint64_t height = r[kYres] * line;
  if (offset_of(s, line) + height > memory_size) {
    r[kYOffset] = 0;
  }
  if (offset_of(s, line) + height > memory_size) {
    r[kXOffset] = 0;
  }
}

bool validate(const State& s) noexcept {
  const bool known_size = std::has_single_bit(s.memory_mib) && s.memory_mib >= kLeastMemory &&
                          s.memory_mib <= kMostMemory;
  if (!known_size || s.memory_frame == 0 ||
      s.memory_frame > kFramesBelow4GiB * 1024 - s.memory_mib * kMiB / kPageSize) {
    return false;
  }
  const std::uint64_t memory_size = s.memory_mib * kMiB;
  return (s.misc & ~regs::MISC::Kept::kWritable) == 0 &&
         (s.feature & ~regs::FCR::Kept::kWritable) == 0 &&
         s.sequencer_index < regs::Sequencer::kSize && s.graphics_index < regs::Graphics::kSize &&
         (s.attribute_index & ~regs::AttributeIndex::Kept::kWritable) == 0 &&
         only_writable<regs::Sequencer>(s.sequencer) && only_writable<regs::Graphics>(s.graphics) &&
         only_writable<regs::Attribute>(s.attribute) && valid(s.dac) && valid(s.dispi, memory_size);
}

}  // namespace dm::vga
