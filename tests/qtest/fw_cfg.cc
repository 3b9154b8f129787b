// SPDX-License-Identifier: MIT
#include "tests/qtest/fw_cfg.h"

#include <algorithm>

namespace dm::qtest {

namespace {

constexpr std::uint16_t kSignature = 0x00;
constexpr std::uint16_t kId = 0x01;
constexpr std::uint16_t kRamSize = 0x03;
constexpr std::uint16_t kCpus = 0x05;
constexpr std::uint16_t kMaxCpus = 0x0f;

constexpr std::uint64_t kTraditionalInterface = 1;  // of the ID: no DMA

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xffU);
  }
  return out;
}

}  // namespace

FwCfg::FwCfg(std::uint64_t ram_bytes, unsigned cpus)
    : items_{{kSignature, "QEMU"},
             {kId, little_endian(kTraditionalInterface, 4)},
             {kRamSize, little_endian(ram_bytes, 8)},
             {kCpus, little_endian(cpus, 2)},
             {kMaxCpus, little_endian(cpus, 2)}},
      selected_{items_.data()} {}

void FwCfg::select(std::uint16_t key) noexcept {
  const auto found =
      std::ranges::find_if(items_, [key](const Item& item) { return item.key == key; });
  selected_ = found == items_.end() ? nullptr : &*found;
  at_ = 0;
}

std::uint8_t FwCfg::read() noexcept {
  if (selected_ == nullptr || at_ >= selected_->bytes.size()) {
    return 0;
  }
  return static_cast<std::uint8_t>(selected_->bytes[at_++]);
}

}  // namespace dm::qtest
