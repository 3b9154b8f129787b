// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dm {

/// Bytes of the character that `text` begins with, 1 to 4; 0: it begins with none. Source: RFC
/// 3629, 4 (so no surrogates, no longer form than needed, nothing beyond U+10FFFF).
[[nodiscard]] inline std::size_t utf8_character(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) noexcept {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [at](std::size_t i) noexcept { return at(i) >= 0x80 && at(i) <= 0xbf; };
  const unsigned lead = at(0);
  if (text.empty() || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4) {
    return 0;
  }
  if (lead < 0x80) {
    return 1;
  }
  if (lead < 0xe0) {
    return tail(1) ? 2 : 0;
  }
  if (lead < 0xf0) {
    const bool second =
        at(1) >= (lead == 0xe0 ? 0xa0U : 0x80U) && at(1) <= (lead == 0xed ? 0x9fU : 0xbfU);
    return second && tail(2) ? 3 : 0;
  }
  const bool second =
      at(1) >= (lead == 0xf0 ? 0x90U : 0x80U) && at(1) <= (lead == 0xf4 ? 0x8fU : 0xbfU);
  return second && tail(2) && tail(3) ? 4 : 0;
}

/// Appends `text` with U+FFFD in the place of each byte that is part of no character.
inline void append_utf8(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = utf8_character(text);
    if (bytes == 0) {
      out.append("\xef\xbf\xbd");
    } else {
      out.append(text.substr(0, bytes));
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
}

}  // namespace dm
