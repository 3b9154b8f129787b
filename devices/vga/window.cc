// SPDX-License-Identifier: MIT
// The window at A0000h: how an access of the processor becomes one of video memory. Every dword of
// video memory has a byte of each of the four planes, plane 0 lowest, so what one mode has written
// another one shows as on a real card. Source: IBM's manual, "Graphics Controller".
#include "devices/vga/chip.h"

#include <array>
#include <cstring>

namespace dm::vga {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): this file is about nothing else

constexpr std::uint8_t kNobody = 0xff;

/// The same byte in each plane.
[[nodiscard]] constexpr std::uint32_t repeat(std::uint32_t byte) noexcept {
  return (byte & 0xffU) * 0x01010101U;
}

[[nodiscard]] constexpr std::uint8_t rotate(std::uint8_t value, unsigned right) noexcept {
  return static_cast<std::uint8_t>(value >> right | value << (8 - right));
}

}  // namespace

/// A VBE mode of 8 and more bits is a row of bytes, whatever the sequencer says.
std::uint32_t Chip::map_mask() const noexcept {
  const bool linear = state_.dispi.enabled() && state_.dispi.reg[dispi::kBpp] != 4;
  return linear ? 0xfU : state_.sr<SR2>();
}

bool Chip::chain4() const noexcept {
  if (state_.dispi.enabled()) {
    return state_.dispi.reg[dispi::kBpp] != 4;
  }
  return SR4::CH4::test(state_.sr<SR4>());
}

/// From an offset in the window to one in a plane, or in all of video memory. False outside of the
/// part that the memory map selects.
bool Chip::window_offset(std::uint64_t& at) const noexcept {
  constexpr std::uint64_t kMono = 0x10000;    // B0000h
  constexpr std::uint64_t kColour = 0x18000;  // B8000h
  constexpr std::uint64_t kText = 0x8000;
  switch (GR6::MM::get(state_.gr<GR6>())) {
    case 0:
      return true;
    case 1:
      if (at >= kBankSize) {
        return false;
      }
      at += state_.dispi.bank_offset;
      return true;
    case 2:
      at -= kMono;  // wraps below: larger than any window
      return at < kText;
    default:
      at -= kColour;
      return at < kText;
  }
}

std::uint8_t Chip::peek(std::uint64_t at) const noexcept {
  return at < video_.size() ? std::to_integer<std::uint8_t>(video_[at]) : kNobody;
}

void Chip::poke(std::uint64_t at, std::uint8_t value) noexcept {
  if (at < video_.size()) {
    video_[at] = std::byte{value};
    wrote(at, 1);
  }
}

/// A migration has to hear of it: it cannot see writes through our mapping.
void Chip::wrote(std::uint64_t at, std::uint64_t length) noexcept {
  written_ = true;
  ports_.memory.mark_dirty(ports_.video.at() + at, length);
}

std::uint8_t Chip::read_byte(std::uint64_t at) noexcept {
  if (!window_offset(at)) {
    return kNobody;
  }
  if (chain4()) {
    return peek(at);
  }
  if (GR5::OE::test(state_.gr<GR5>())) {
    const std::uint64_t plane = (state_.gr<GR4>() & 2U) | (at & 1U);
    return peek(((at & ~std::uint64_t{1}) << 1U) | plane);
  }
  if (at * 4 + 4 > video_.size()) {
    return kNobody;
  }
  std::memcpy(&state_.latch, video_.data() + at * 4, sizeof state_.latch);
  if (!GR5::RM::test(state_.gr<GR5>())) {
    return static_cast<std::uint8_t>(state_.latch >> (8U * state_.gr<GR4>()));
  }
  // A bit for each pixel whose colour is the one compared with, in the planes that matter.
  std::uint32_t differs =
      (state_.latch ^ spread_planes(state_.gr<GR2>())) & spread_planes(state_.gr<GR7>());
  differs |= differs >> 16U;
  differs |= differs >> 8U;
  return static_cast<std::uint8_t>(~differs);
}

void Chip::write_byte(std::uint64_t at, std::uint8_t value) noexcept {
  if (!window_offset(at)) {
    return;
  }
  if (chain4()) {
    if ((map_mask() >> (at & 3U) & 1U) != 0) {
      poke(at, value);
    }
  } else if (GR5::OE::test(state_.gr<GR5>())) {
    const std::uint64_t plane = (state_.gr<GR4>() & 2U) | (at & 1U);
    if ((map_mask() >> plane & 1U) != 0) {
      poke(((at & ~std::uint64_t{1}) << 1U) | plane, value);
    }
  } else if (at * 4 + 4 <= video_.size()) {
    write_planes(at * 4, value);
  }
}

/// The four write modes.
void Chip::write_planes(std::uint64_t at, std::uint8_t value) noexcept {
  constexpr unsigned kLatches = 1;
  const State& s = state_;
  const unsigned right = GR3::ROTC::get(s.gr<GR3>());
  const unsigned mode = GR5::WM::get(s.gr<GR5>());
  std::uint32_t bits = s.gr<GR8>();
  std::uint32_t out = 0;
  switch (mode) {
    case 0: {
      const std::uint32_t fixed = spread_planes(s.gr<GR1>());
      out = (repeat(rotate(value, right)) & ~fixed) | (spread_planes(s.gr<GR0>()) & fixed);
      break;
    }
    case kLatches:
      out = s.latch;
      break;
    case 2:
      out = spread_planes(value);
      break;
    default:
      bits &= rotate(value, right);
      out = spread_planes(s.gr<GR0>());
      break;
  }
  if (mode != kLatches) {
    switch (GR3::FS::get(s.gr<GR3>())) {
      case 1:
        out &= s.latch;
        break;
      case 2:
        out |= s.latch;
        break;
      case 3:
        out ^= s.latch;
        break;
      default:
        break;
    }
    out = (out & repeat(bits)) | (s.latch & ~repeat(bits));
  }
  std::uint32_t there = 0;
  std::memcpy(&there, video_.data() + at, sizeof there);
  const std::uint32_t planes = spread_planes(map_mask());
  there = (there & ~planes) | (out & planes);
  std::memcpy(video_.data() + at, &there, sizeof there);
  wrote(at, sizeof there);
}

// Wider than a byte: one after the other, low first.
std::uint64_t Chip::read_window(IoAccess a) noexcept {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < a.size; ++i) {
    value |= std::uint64_t{read_byte(a.offset + i)} << (8 * i);
  }
  return value;
}

void Chip::write_window(IoAccess a, std::uint64_t value) noexcept {
  for (unsigned i = 0; i < a.size; ++i) {
    write_byte(a.offset + i, static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

std::uint64_t Chip::read_memory(IoAccess a) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, video_.data() + a.offset, a.size);
  return value;
}

void Chip::write_memory(IoAccess a, std::uint64_t value) noexcept {
  std::memcpy(video_.data() + a.offset, &value, a.size);
  wrote(a.offset, a.size);
}

}  // namespace dm::vga
