// SPDX-License-Identifier: MIT
#include "devices/chipset/dma_controller.h"

#include "core/reg/field.h"

#include <utility>

namespace dm::chipset {

namespace {

// 8237A, "Software Command Codes and Register Codes". 0-7 are address and count of channels 0-3.
constexpr std::uint8_t kPastChannels = 8;
enum Register : std::uint8_t {
  kCommand = 0x08,
  kRequest = 0x09,
  kSingleMask = 0x0a,
  kMode = 0x0b,
  kClearFlipFlop = 0x0c,
  kMasterClear = 0x0d,
  kClearMask = 0x0e,
  kAllMasks = 0x0f,  ///< the PIIX3 lets it be read (RWAMB); the bare chip does not
};

constexpr std::uint8_t kAllMasked = 0x0f;

struct SingleMask {
  using SET = reg::Flag<2>;
  using CHANNEL = reg::Field<1, 0>;
};

}  // namespace

bool validate(const DmaControllerState& s) noexcept {
  return s.mask <= kAllMasked;
}

std::uint16_t& DmaController::channel_word(std::uint8_t number) noexcept {
  auto& words = (number & 1U) == 0 ? state_.address : state_.count;
  return words[number >> 1U & 3U];
}

std::uint8_t DmaController::read(std::uint8_t number) noexcept {
  if (number < kPastChannels) {
    const bool high = std::exchange(state_.high_byte_next, !state_.high_byte_next);
    return static_cast<std::uint8_t>(channel_word(number) >> (high ? 8U : 0U));
  }
  return number == kAllMasks ? state_.mask : std::uint8_t{0};
}

void DmaController::write(std::uint8_t number, std::uint8_t value) noexcept {
  if (number < kPastChannels) {
    std::uint16_t& word = channel_word(number);
    const bool high = std::exchange(state_.high_byte_next, !state_.high_byte_next);
    word = static_cast<std::uint16_t>(high ? (word & 0x00ffU) | unsigned{value} << 8U
                                           : (word & 0xff00U) | value);
    return;
  }
  switch (static_cast<Register>(number)) {
    case kSingleMask: {
      const auto bit = static_cast<std::uint8_t>(1U << SingleMask::CHANNEL::get(value));
      state_.mask = static_cast<std::uint8_t>(SingleMask::SET::test(value) ? state_.mask | bit
                                                                           : state_.mask & ~bit);
      break;
    }
    case kClearFlipFlop:
      state_.high_byte_next = false;
      break;
    case kMasterClear:
      state_.high_byte_next = false;
      state_.mask = kAllMasked;
      break;
    case kClearMask:
      state_.mask = 0;
      break;
    case kAllMasks:
      state_.mask = value & kAllMasked;
      break;
    case kCommand:
    case kRequest:
    case kMode:
      break;  // nothing comes of them
  }
}

}  // namespace dm::chipset
