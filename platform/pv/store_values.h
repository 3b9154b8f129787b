// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace dm::pv {

/// A decimal number and nothing else; absent, malformed and too large are the same.
template <std::unsigned_integral T>
[[nodiscard]] std::optional<T> number(const std::optional<std::string>& text,
                                      T most = std::numeric_limits<T>::max()) noexcept {
  if (!text || text->empty()) {
    return std::nullopt;
  }
  T value = 0;
  const char* const end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc{} || at != end || value > most) {
    return std::nullopt;
  }
  return value;
}

[[nodiscard]] inline std::string_view text(const std::optional<std::string>& value) noexcept {
  return value ? std::string_view{*value} : std::string_view{};
}

}  // namespace dm::pv
