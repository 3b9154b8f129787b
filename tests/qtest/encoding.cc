// SPDX-License-Identifier: MIT
#include "tests/qtest/encoding.h"

#include <algorithm>
#include <charconv>

namespace dm::qtest {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::optional<unsigned> hex_digit(char c) noexcept {
  const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto at = kHexDigits.find(lower);
  return at == std::string_view::npos ? std::nullopt : std::optional{static_cast<unsigned>(at)};
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
  }
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, base);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
    return std::nullopt;
  }
  return value;
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const std::byte b : bytes) {
    out += kHexDigits[std::to_integer<std::size_t>(b >> 4U)];
    out += kHexDigits[std::to_integer<std::size_t>(b & std::byte{15})];
  }
  return out;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text, std::size_t size) {
  if (!text.starts_with("0x") || text.size() < 3) {
    return std::nullopt;
  }
  text.remove_prefix(2);
  std::vector<std::byte> out(size);
  for (std::size_t i = 0; i < size && 2 * i + 1 < text.size(); ++i) {
    const auto high = hex_digit(text[2 * i]);
    const auto low = hex_digit(text[2 * i + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    out[i] = static_cast<std::byte>(*high << 4U | *low);
  }
  return out;
}

std::string to_base64(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto group = bytes.subspan(at, std::min<std::size_t>(3, bytes.size() - at));
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8U | (i < group.size() ? std::to_integer<unsigned>(group[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= group.size() ? kBase64[bits >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return out;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  std::vector<std::byte> out;
  out.reserve(text.size() / 4 * 3 + 2);
  unsigned bits = 0;
  unsigned have = 0;
  for (const char c : text) {
    const auto value = kBase64.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = bits << 6U | static_cast<unsigned>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out.push_back(static_cast<std::byte>(bits >> have & 0xffU));
    }
    bits &= (1U << have) - 1;
  }
  return out;
}

}  // namespace dm::qtest
