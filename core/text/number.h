// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace dm {

/// Decimal digits and nothing else, from min to max; what is not that is nothing. Any thread.
template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text,
                                            T min = std::numeric_limits<T>::min(),
                                            T max = std::numeric_limits<T>::max()) noexcept {
  T value{};
  const char* const end = text.data() + text.size();
  if (text.empty() || text.front() < '0' || text.front() > '9') {
    return std::nullopt;  // from_chars would take a minus sign
  }
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value < min || value > max) {
    return std::nullopt;
  }
  return value;
}

}  // namespace dm
