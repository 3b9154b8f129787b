// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dm::pv {

/// Access to memory that the guest can write at any moment. Indices are loaded and stored whole. A
/// structure is copied word by word, and each word is read once, so what was checked is what is
/// used (XSA-155). Thread rule: any thread.

[[nodiscard]] inline std::atomic_ref<std::uint32_t> shared_word(std::byte* page,
                                                                std::size_t offset) noexcept {
  return std::atomic_ref<std::uint32_t>{
      *static_cast<std::uint32_t*>(static_cast<void*>(page + offset))};
}

/// `size` and both addresses are multiples of 4.
inline void copy_once(std::byte* from, std::byte* to, std::size_t size) noexcept {
  for (std::size_t at = 0; at < size; at += 4) {
    const std::uint32_t word = shared_word(from, at).load(std::memory_order_relaxed);
    std::memcpy(to + at, &word, sizeof word);
  }
}

}  // namespace dm::pv
