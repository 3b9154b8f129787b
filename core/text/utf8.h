// SPDX-License-Identifier: MIT
#pragma once

#include <boost/nowide/utf/utf.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace dm {

/// Bytes of the character that `text` begins with, 1 to 4; 0: it begins with none. Source: RFC
/// 3629, 4 (so no surrogates, no longer form than needed, nothing beyond U+10FFFF).
[[nodiscard]] inline std::size_t utf8_character(std::string_view text) noexcept {
  namespace utf = boost::nowide::utf;
  const char* end = text.data();
  const auto character = utf::utf_traits<char>::decode(end, text.data() + text.size());
  const bool is_one = character != utf::illegal && character != utf::incomplete;
  return is_one ? static_cast<std::size_t>(end - text.data()) : 0;
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
