// SPDX-License-Identifier: MIT
#include "platform/toolstack/command_line/key_values.h"

#include <algorithm>
#include <charconv>

namespace dm::toolstack {

namespace {

/// What an error message quotes of a key.
constexpr std::size_t kMaxQuotedKey = 40;
/// Bounds the search for duplicates, which is quadratic, where every key is kept.
constexpr std::size_t kMaxPairs = 32;

}  // namespace

std::optional<std::string_view> KeyValues::find(std::string_view key) const noexcept {
  const auto found =
      std::find_if(pairs_.begin(), pairs_.end(), [key](const Pair& p) { return p.key == key; });
  return found == pairs_.end() ? std::nullopt : std::optional{found->value};
}

Result<KeyValues> KeyValues::split(std::string_view text, const KeyRules& rules) {
  KeyValues result;
  auto& pairs = result.pairs_;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view piece = text.substr(at, end - at);
    const std::size_t equals = piece.find('=');
    const bool has_value = equals != std::string_view::npos;
    Pair pair{piece.substr(0, equals), has_value ? piece.substr(equals + 1) : "on"};
    if (at == 0 && !has_value && !rules.positional.empty()) {
      pair = {rules.positional, piece};
    }
    const bool known = !pair.key.empty() && (pair.key == rules.positional ||
                                             std::find(rules.known.begin(), rules.known.end(),
                                                       pair.key) != rules.known.end());
    if (!known && !pairs.empty() && !rules.open_ended.empty() &&
        pairs.back().key == rules.open_ended) {
      std::string_view& value = pairs.back().value;
      const auto start = static_cast<std::size_t>(value.data() - text.data());
      value = text.substr(start, end - start);
    } else if (known && !has_value && pair.key == rules.open_ended) {
      return fail("'", pair.key, "' has no value");
    } else if ((!known && !rules.any_key) || pair.key.empty()) {
      return fail("'", pair.key.substr(0, kMaxQuotedKey), "' is not understood");
    } else if (result.find(pair.key)) {
      return fail("'", pair.key.substr(0, kMaxQuotedKey), "' appears twice");
    } else if (pairs.size() == kMaxPairs) {
      return fail("has more than 32 parts");
    } else {
      pairs.push_back(pair);
    }
    at = end + 1;
  }
  return result;
}

std::optional<std::array<std::uint8_t, 6>> parse_mac(std::string_view text) noexcept {
  std::array<std::uint8_t, 6> mac{};
  if (text.size() != mac.size() * 3 - 1) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* const digits = text.data() + i * 3;
    const auto parsed = std::from_chars(digits, digits + 2, mac[i], 16);
    if (parsed.ec != std::errc{} || parsed.ptr != digits + 2 ||
        (i + 1 < mac.size() && digits[2] != ':')) {
      return std::nullopt;
    }
  }
  return mac;
}

}  // namespace dm::toolstack
