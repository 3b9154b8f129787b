// SPDX-License-Identifier: MIT
#include "devices/nic/fragments.h"

#include <algorithm>

namespace dm::nic {

bool Fragments::copy_in(GuestMemory& memory,
                        std::uint32_t at,
                        std::span<const std::byte> bytes) const noexcept {
  for (std::size_t i = 0; i < count && !bytes.empty(); ++i) {
    const std::uint32_t have = length_of(i);
    if (at >= have) {
      at -= have;
      continue;
    }
    const std::size_t part = std::min<std::size_t>(bytes.size(), have - at);
    if (!memory.write_bytes(address_of(i) + at, bytes.first(part))) {
      return false;
    }
    at = 0;
    bytes = bytes.subspan(part);
  }
  return bytes.empty();
}

inet::Checksum sum_of_range(std::span<const std::byte> header,
                            std::span<const std::span<std::byte>> rest,
                            std::uint32_t start,
                            std::uint32_t end) noexcept {
  inet::Checksum checksum;
  std::uint32_t left = end - start;
  const auto add = [&](std::span<const std::byte> run) {
    if (start >= run.size()) {
      start -= static_cast<std::uint32_t>(run.size());
      return;
    }
    const std::size_t part = std::min<std::size_t>(left, run.size() - start);
    checksum.add(run.subspan(start, part));
    start = 0;
    left -= static_cast<std::uint32_t>(part);
  };
  add(header);
  for (const auto span : rest) {
    if (left == 0) {
      break;
    }
    add(span);
  }
  return checksum;
}

}  // namespace dm::nic
