// SPDX-License-Identifier: MIT
#pragma once

#include "core/net/big_endian.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

/// The Internet checksum, RFC 1071, over bytes in network order. Sums are kept unfolded and in the
/// byte order of the machine, which gives the same result (RFC 1071, 2 (B)).
namespace dm::inet {

[[nodiscard]] constexpr std::uint16_t fold(std::uint64_t sum) noexcept {
  sum = (sum >> 32U) + (sum & 0xffffffffU);
  sum = (sum >> 32U) + (sum & 0xffffffffU);
  sum = (sum >> 16U) + (sum & 0xffffU);
  sum = (sum >> 16U) + (sum & 0xffffU);
  sum = (sum >> 16U) + (sum & 0xffffU);
  return static_cast<std::uint16_t>(sum);
}

/// The sum of a run of bytes that starts at an even place of what is summed.
[[nodiscard]] inline std::uint64_t sum_bytes(const std::byte* at, std::size_t size) noexcept {
  // Carries of 64-bit sums are counted beside them: worth one each, as anywhere in this arithmetic.
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t carries_a = 0;
  std::uint64_t carries_b = 0;
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  for (; size >= 4 * kWord; at += 4 * kWord, size -= 4 * kWord) {
    std::uint64_t w0 = 0;
    std::uint64_t w1 = 0;
    std::uint64_t w2 = 0;
    std::uint64_t w3 = 0;
    std::memcpy(&w0, at, kWord);
    std::memcpy(&w1, at + kWord, kWord);
    std::memcpy(&w2, at + 2 * kWord, kWord);
    std::memcpy(&w3, at + 3 * kWord, kWord);
    a += w0;
    carries_a += a < w0 ? 1U : 0U;
    b += w1;
    carries_b += b < w1 ? 1U : 0U;
    a += w2;
    carries_a += a < w2 ? 1U : 0U;
    b += w3;
    carries_b += b < w3 ? 1U : 0U;
  }
  constexpr std::uint64_t kLow = 0xffffffffU;
  std::uint64_t sum = (a & kLow) + (a >> 32U) + (b & kLow) + (b >> 32U) + carries_a + carries_b;
  for (; size >= 4; at += 4, size -= 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, 4);
    sum += word;
  }
  if (size != 0) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, size);
    sum += word;
  }
  return sum;
}

/// Adds runs that follow each other, at even and odd places. Sums stay unfolded where they can: one
/// run's is far below 2^40, so that it takes millions of runs to wrap.
class Checksum {
 public:
  explicit Checksum(std::uint64_t start = 0) noexcept : sum_{start} {}
  void add(std::span<const std::byte> bytes) noexcept {
    add_last(sum_bytes(bytes.data(), bytes.size()));
    odd_ = odd_ != ((bytes.size() & 1U) != 0);
  }
  /// Adds a run whose sum is known, as the last one.
  void add_last(std::uint64_t sum) noexcept { sum_ += odd_ ? swapped(fold(sum)) : sum; }
  /// To be stored with a plain copy of its two bytes.
  [[nodiscard]] std::uint16_t complement() const noexcept {
    return static_cast<std::uint16_t>(~fold(sum_));
  }
  /// The same for UDP, where 0 would mean that there is none (RFC 768). TCP does not mind.
  [[nodiscard]] std::uint16_t complement_not_0() const noexcept {
    const std::uint16_t result = complement();
    return result != 0 ? result : std::uint16_t{0xffff};
  }
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

 private:
  std::uint64_t sum_;
  bool odd_ = false;
};

/// What a 16-bit field with the low bits of `value` adds to a sum.
[[nodiscard]] constexpr std::uint16_t sum_of_field(std::uint32_t value) noexcept {
  return swapped(static_cast<std::uint16_t>(value & 0xffffU));
}

/// A sum in the machine's order.
inline void put_sum(std::span<std::byte> to, std::size_t at, std::uint16_t sum) noexcept {
  std::memcpy(to.data() + at, &sum, sizeof sum);
}
[[nodiscard]] inline std::uint16_t get_sum(std::span<const std::byte> from,
                                           std::size_t at) noexcept {
  std::uint16_t sum = 0;
  std::memcpy(&sum, from.data() + at, sizeof sum);
  return sum;
}

}  // namespace dm::inet
