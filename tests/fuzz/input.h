// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace dm::fuzz {

/// An input, taken from its front; what is not there reads zero. So every input is a program, and
/// each of its prefixes is one.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept : rest_{data, size} {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return rest_.size(); }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T take() noexcept {
    T value{};
    const std::size_t n = std::min(sizeof value, rest_.size());
    std::memcpy(&value, rest_.data(), n);
    rest_ = rest_.subspan(n);
    return value;
  }
  [[nodiscard]] std::uint8_t byte() noexcept { return take<std::uint8_t>(); }
  [[nodiscard]] bool flag() noexcept { return (byte() & 1U) != 0; }
  [[nodiscard]] std::size_t below(std::size_t end) noexcept { return byte() % end; }
  /// At most `most` bytes.
  [[nodiscard]] std::span<const std::uint8_t> bytes(std::size_t most) noexcept {
    const auto front = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(front.size());
    return front;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

/// What must hold whatever the input is. Fuzzers report an abort with the input that led to it.
inline void require(bool holds, std::string_view what) noexcept {
  if (!holds) [[unlikely]] {
    std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
  }
}

/// As ==, which compares one byte after the other.
[[nodiscard]] inline bool same_bytes(std::span<const std::byte> a,
                                     std::span<const std::byte> b) noexcept {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace dm::fuzz
