// SPDX-License-Identifier: MIT
#pragma once

#include "core/text/number.h"

#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace dm::pv {

/// Parses a decimal number. Absent, malformed and too large all give nothing.
template <std::unsigned_integral T>
[[nodiscard]] std::optional<T> number(const std::optional<std::string>& text,
                                      T most = std::numeric_limits<T>::max()) noexcept {
  return text ? parse_number<T>(*text, 0, most) : std::nullopt;
}

[[nodiscard]] inline std::string_view text(const std::optional<std::string>& value) noexcept {
  return value ? std::string_view{*value} : std::string_view{};
}

}  // namespace dm::pv
