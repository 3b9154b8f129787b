// SPDX-License-Identifier: MIT
// Ports 3B0h to 3DFh. Source: IBM's manual; where it leaves a choice, what guests know from QEMU
// 7.2, hw/display/vga.c.
#include "devices/vga/chip.h"

#include <chrono>

namespace dm::vga {

namespace {

using namespace regs;  // NOLINT(google-build-using-namespace): this file is about nothing else

constexpr std::uint8_t kNobody = 0xff;

template <class Map>
[[nodiscard]] constexpr std::uint8_t kept(std::size_t index, std::uint8_t value) noexcept {
  return static_cast<std::uint8_t>(value & Map::kWritable[index]);
}

template <class Layout>
[[nodiscard]] constexpr std::uint8_t kept(std::uint8_t value) noexcept {
  return static_cast<std::uint8_t>(value & Layout::kWritable);
}

/// The colour in the DAC's cache or table begins here.
[[nodiscard]] constexpr std::size_t entry(std::uint8_t index) noexcept {
  return std::size_t{index} * 3;
}

}  // namespace

bool Chip::answers(std::uint16_t port) const noexcept {
  const bool colour = MISC::IOS::test(state_.misc);
  if (port <= port::kLastMono) {
    return !colour;
  }
  return port < port::kFirstColour || colour;
}

std::uint8_t Chip::read_port(std::uint16_t port) noexcept {
  if (!answers(port)) {
    return kNobody;
  }
  State& s = state_;
  switch (port) {
    case port::kAttribute:
      return s.attribute_data ? 0 : s.attribute_index;
    case port::kAttributeRead:
      return read_attribute();
    case port::kSequencerIndex:
      return s.sequencer_index;
    case port::kSequencerData:
      return s.sequencer[s.sequencer_index];
    case port::kPelReadIndex:
      return s.dac.reading ? 3 : 0;
    case port::kPelWriteIndex:
      return s.dac.write_index;
    case port::kPelData:
      return read_pel();
    case port::kFeatureRead:
      return s.feature;
    case port::kMiscRead:
      return s.misc;
    case port::kGraphicsIndex:
      return s.graphics_index;
    case port::kGraphicsData:
      return s.graphics[s.graphics_index];
    case port::kCrtIndexMono:
    case port::kCrtIndex:
      return s.crt_index;
    case port::kCrtDataMono:
    case port::kCrtData:
      return s.crt[s.crt_index];
    case port::kStatus1Mono:
    case port::kStatus1:
      return read_status1();
    default:
      return port < port::kAttribute || port >= port::kFirstColour ? kNobody : 0;
  }
}

void Chip::write_port(std::uint16_t port, std::uint8_t value) noexcept {
  if (!answers(port)) {
    return;
  }
  State& s = state_;
  switch (port) {
    case port::kAttribute:
      write_attribute(value);
      return;
    case port::kStatus0:
      s.misc = kept<MISC::Kept>(value);
      return;
    case port::kSequencerIndex:
      s.sequencer_index = value % Sequencer::kSize;
      return;
    case port::kSequencerData:
      s.sequencer[s.sequencer_index] = kept<Sequencer>(s.sequencer_index, value);
      return;
    case port::kPelReadIndex:
      s.dac.read_index = value;
      s.dac.component = 0;
      s.dac.reading = true;
      return;
    case port::kPelWriteIndex:
      s.dac.write_index = value;
      s.dac.component = 0;
      s.dac.reading = false;
      return;
    case port::kPelData:
      write_pel(value);
      return;
    case port::kGraphicsIndex:
      s.graphics_index = value % Graphics::kSize;
      return;
    case port::kGraphicsData:
      s.graphics[s.graphics_index] = kept<Graphics>(s.graphics_index, value);
      follow_dispi();
      return;
    case port::kCrtIndexMono:
    case port::kCrtIndex:
      s.crt_index = value;
      return;
    case port::kCrtDataMono:
    case port::kCrtData:
      write_crt(value);
      return;
    case port::kStatus1Mono:
    case port::kStatus1:
      s.feature = kept<FCR::Kept>(value);
      return;
    default:
      return;
  }
}

/// A picture of 525 lines at 60 Hz, of which 45 are blank. Guests wait for a retrace by polling, so
/// all of the blank lines are one, where a real one is two lines: 1.4 ms instead of 64 us, which a
/// vCPU that lost its processor would miss.
std::uint8_t Chip::read_status1() noexcept {
  using std::chrono::nanoseconds;
  constexpr nanoseconds kFrame{16'666'667};
  constexpr nanoseconds kLine = kFrame / 525;
  constexpr nanoseconds kVisible = kLine * 480;
  constexpr nanoseconds kVisibleOfLine = kLine * 4 / 5;
  state_.attribute_data = false;
  const nanoseconds now = ports_.timers.now().time_since_epoch() % kFrame;
  if (now >= kVisible) {
    return ST1::DE::kMask | ST1::VR::kMask;
  }
  return now % kLine >= kVisibleOfLine ? ST1::DE::kMask : 0;
}

std::uint8_t Chip::read_attribute() const noexcept {
  const std::size_t index = AttributeIndex::INDEX::get(state_.attribute_index);
  return index < Attribute::kSize ? state_.attribute[index] : 0;
}

void Chip::write_attribute(std::uint8_t value) noexcept {
  State& s = state_;
  if (!s.attribute_data) {
    s.attribute_index = kept<AttributeIndex::Kept>(value);
  } else if (const std::size_t index = AttributeIndex::INDEX::get(s.attribute_index);
             index < Attribute::kSize) {
    s.attribute[index] = kept<Attribute>(index, value);
  }
  s.attribute_data = !s.attribute_data;
}

void Chip::write_crt(std::uint8_t value) noexcept {
  State& s = state_;
  std::uint8_t& reg = s.crt[s.crt_index];
  if (!CR11::PR::test(s.cr<CR11>()) || s.crt_index > kLastProtected) {
    reg = value;
  } else if (s.crt_index == CR07::kOffset) {
    reg = CR07::LC8::with(reg, CR07::LC8::get(value));
  }
  follow_dispi();
}

std::uint8_t Chip::read_pel() noexcept {
  DacState& dac = state_.dac;
  const std::uint8_t value = dac.palette[entry(dac.read_index) + dac.component];
  if (++dac.component == dac.cache.size()) {
    dac.component = 0;
    ++dac.read_index;
  }
  return value;
}

/// A colour is stored when its third byte comes.
void Chip::write_pel(std::uint8_t value) noexcept {
  DacState& dac = state_.dac;
  dac.cache[dac.component] = value;
  if (++dac.component == dac.cache.size()) {
    for (std::size_t i = 0; i < dac.cache.size(); ++i) {
      dac.palette[entry(dac.write_index) + i] = dac.cache[i];
    }
    dac.component = 0;
    ++dac.write_index;
  }
}

/// Two bytes in the order of a 16-bit cycle on an ISA bus. Wider ones no VGA card ever saw.
std::uint64_t Chip::read_ports(std::uint16_t first, IoAccess a) noexcept {
  const auto port = static_cast<std::uint16_t>(first + a.offset);
  if (a.size > 2) {
    return all_ones(a.size);
  }
  std::uint64_t value = read_port(port);
  if (a.size == 2) {
    value |= std::uint64_t{read_port(static_cast<std::uint16_t>(port + 1))} << 8U;
  }
  return value;
}

void Chip::write_ports(std::uint16_t first, IoAccess a, std::uint64_t value) noexcept {
  const auto port = static_cast<std::uint16_t>(first + a.offset);
  if (a.size > 2) {
    return;
  }
  write_port(port, static_cast<std::uint8_t>(value));
  if (a.size == 2) {
    write_port(static_cast<std::uint16_t>(port + 1), static_cast<std::uint8_t>(value >> 8U));
  }
}

std::uint64_t Chip::read_mono(IoAccess a) noexcept {
  return read_ports(port::kFirst, a);
}
void Chip::write_mono(IoAccess a, std::uint64_t value) noexcept {
  write_ports(port::kFirst, a, value);
}
std::uint64_t Chip::read_colour(IoAccess a) noexcept {
  return read_ports(port::kAttribute, a);
}
void Chip::write_colour(IoAccess a, std::uint64_t value) noexcept {
  write_ports(port::kAttribute, a, value);
}

}  // namespace dm::vga
