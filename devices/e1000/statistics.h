// SPDX-License-Identifier: MIT
#pragma once

#include "devices/e1000/shared.h"

#include <cstddef>
#include <cstdint>
#include <limits>

/// The statistics registers, 8254x SDM 13.7: they stick at all ones. Octets and sizes count the
/// four bytes of FCS.
namespace dm::e1000 {

template <class R>
void count(RegisterFile& file, std::uint32_t by = 1) noexcept {
  const std::uint32_t old = file.get<R>();
  const std::uint32_t sum = old + by;
  file.set<R>(sum < old ? std::numeric_limits<std::uint32_t>::max() : sum);
}

/// A pair of registers.
template <class Low, class High>
void count64(RegisterFile& file, std::uint64_t by) noexcept {
  const std::uint64_t old = std::uint64_t{file.get<High>()} << 32U | file.get<Low>();
  const std::uint64_t sum = old + by < old ? std::numeric_limits<std::uint64_t>::max() : old + by;
  file.set<Low>(static_cast<std::uint32_t>(sum));
  file.set<High>(static_cast<std::uint32_t>(sum >> 32U));
}

/// The bin of a size, FCS included: 64, 65-127, 128-255, 256-511, 512-1023, 1024 and more.
[[nodiscard]] constexpr std::size_t size_bin(std::uint32_t size) noexcept {
  std::size_t bin = 0;
  for (std::uint32_t limit = 64; bin < 5 && size > limit; limit = (limit + 1) * 2 - 1) {
    ++bin;
    if (limit == 64) {
      limit = 63;
    }
  }
  return bin;
}
static_assert(size_bin(64) == 0 && size_bin(65) == 1 && size_bin(127) == 1 && size_bin(128) == 2 &&
              size_bin(255) == 2 && size_bin(256) == 3 && size_bin(1023) == 4 &&
              size_bin(1024) == 5 && size_bin(16384) == 5);

/// `frames` frames of `size` bytes each, without FCS.
inline void count_transmitted(RegisterFile& file,
                              std::uint32_t size,
                              std::uint32_t frames,
                              Cast cast) noexcept {
  if (frames == 0) {
    return;
  }
  const std::uint32_t wire = size + kFcsBytes;
  const std::uint64_t octets = std::uint64_t{wire} * frames;
  count<regs::GPTC>(file, frames);
  count<regs::TPT>(file, frames);
  count64<regs::GOTCL, regs::GOTCH>(file, octets);
  count64<regs::TOTL, regs::TOTH>(file, octets);
  std::uint32_t& bin = file.word[regs::PTC64::kWord + size_bin(wire)];
  bin = bin + frames < bin ? std::numeric_limits<std::uint32_t>::max() : bin + frames;
  if (cast == Cast::multicast) {
    count<regs::MPTC>(file, frames);
  } else if (cast == Cast::broadcast) {
    count<regs::BPTC>(file, frames);
  }
}

/// A frame that got through the filters.
inline void count_received(RegisterFile& file, std::uint32_t size, Cast cast) noexcept {
  const std::uint32_t wire = size + kFcsBytes;
  count<regs::GPRC>(file);
  count<regs::TPR>(file);
  count64<regs::GORCL, regs::GORCH>(file, wire);
  count64<regs::TORL, regs::TORH>(file, wire);
  std::uint32_t& bin = file.word[regs::PRC64::kWord + size_bin(wire)];
  bin += bin == std::numeric_limits<std::uint32_t>::max() ? 0U : 1U;
  if (cast == Cast::multicast) {
    count<regs::MPRC>(file);
  } else if (cast == Cast::broadcast) {
    count<regs::BPRC>(file);
  }
}

}  // namespace dm::e1000
