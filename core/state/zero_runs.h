// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

/// Arrays of a saved state are mostly zeros: a network card has 24 KiB of registers, and its driver
/// writes a few dozen. So runs of zeros are counted instead of written.
///
/// A packed array is a row of pieces: how many zeros come (two bytes, little endian), how many
/// bytes follow as they are (two bytes), and those bytes. The pieces together are the whole array,
/// no more and no less. There is one way to pack an array, so the same state is always the same
/// bytes.
namespace dm::state {

/// A run of zeros ends a piece when this many come: the head of the next piece has four bytes.
inline constexpr std::size_t kWorthCounting = 8;
inline constexpr std::size_t kMostInPiece = 0xffff;  ///< zeros, and bytes as they are

[[nodiscard]] inline std::vector<std::byte> pack_zeros(std::span<const std::byte> bytes) {
  constexpr auto is_zero = [](std::byte b) { return b == std::byte{0}; };
  const auto zeros_at = [&](std::size_t at) {
    const auto rest = bytes.subspan(at);
    return static_cast<std::size_t>(std::ranges::find_if_not(rest, is_zero) - rest.begin());
  };
  std::vector<std::byte> out;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t zeros = std::min(zeros_at(at), kMostInPiece);
    const std::size_t begin = at + zeros;
    std::size_t end = begin;
    while (zeros < kMostInPiece && end < bytes.size() && end - begin < kMostInPiece) {
      const std::size_t next = zeros_at(end);
      if (next >= kWorthCounting || (next != 0 && end + next == bytes.size())) {
        break;
      }
      end += std::max<std::size_t>(next, 1);
    }
    end = std::min(end, begin + kMostInPiece);
    const std::array<std::uint16_t, 2> head{static_cast<std::uint16_t>(zeros),
                                            static_cast<std::uint16_t>(end - begin)};
    const auto of_head = std::as_bytes(std::span{head});
    out.insert(out.end(), of_head.begin(), of_head.end());
    const auto as_they_are = bytes.subspan(begin, end - begin);
    out.insert(out.end(), as_they_are.begin(), as_they_are.end());
    at = end;
  }
  return out;
}

namespace detail {

/// Takes one piece off the front of hostile bytes. False when the front is no piece.
[[nodiscard]] inline bool next_piece(std::span<const std::byte>& rest,
                                     std::size_t& zeros,
                                     std::span<const std::byte>& as_they_are) noexcept {
  std::array<std::uint16_t, 2> head{};
  if (rest.size() < sizeof head) {
    return false;
  }
  std::memcpy(head.data(), rest.data(), sizeof head);
  rest = rest.subspan(sizeof head);
  if (head[1] > rest.size()) {
    return false;
  }
  zeros = head[0];
  as_they_are = rest.first(head[1]);
  rest = rest.subspan(head[1]);
  return true;
}

}  // namespace detail

/// The length in bytes of what was packed into hostile bytes; more than `most`, or no pieces:
/// nothing was, and the answer is `most` + 1.
[[nodiscard]] inline std::size_t unpacked_size(std::span<const std::byte> packed,
                                               std::size_t most) noexcept {
  std::size_t size = 0;
  while (!packed.empty()) {
    std::size_t zeros = 0;
    std::span<const std::byte> as_they_are;
    if (!detail::next_piece(packed, zeros, as_they_are)) {
      return most + 1;
    }
    size += zeros + as_they_are.size();
    if (size > most) {
      return most + 1;
    }
  }
  return size;
}

/// Fills `to`. False, and nothing is written, when the hostile bytes are not exactly so many.
[[nodiscard]] inline bool unpack_zeros(std::span<const std::byte> packed,
                                       std::span<std::byte> to) noexcept {
  if (unpacked_size(packed, to.size()) != to.size()) {
    return false;
  }
  std::size_t zeros = 0;
  std::span<const std::byte> as_they_are;
  while (!packed.empty() && detail::next_piece(packed, zeros, as_they_are)) {
    std::ranges::fill(to.first(zeros), std::byte{0});
    std::ranges::copy(as_they_are, to.subspan(zeros).begin());
    to = to.subspan(zeros + as_they_are.size());
  }
  return true;
}

}  // namespace dm::state
