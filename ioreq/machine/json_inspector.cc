// SPDX-License-Identifier: MIT
#include "ioreq/machine/json_inspector.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace dm {

namespace json = boost::json;

void JsonInspector::flag(std::string_view name, bool value) {
  (*inside_.back())[name] = value;
}

void JsonInspector::number(std::string_view name, std::uint64_t value) {
  (*inside_.back())[name] = value;
}

void JsonInspector::hex(std::string_view name, std::uint64_t value) {
  (*inside_.back())[name] = hex(value);
}

void JsonInspector::text(std::string_view name, std::string_view value) {
  (*inside_.back())[name] = json::string{value};
}

void JsonInspector::numbers(std::string_view name, std::span<const std::uint64_t> values) {
  (*inside_.back())[name] = json::array(values.begin(), values.end());
}

void JsonInspector::bytes(std::string_view name, std::span<const std::uint8_t> values) {
  (*inside_.back())[name] = hex(values, max_bytes_);
}

void JsonInspector::open(std::string_view name) {
  json::value& value = (*inside_.back())[name];
  inside_.push_back(&value.emplace_object());
}

void JsonInspector::open_row(std::string_view list) {
  json::value& value = (*inside_.back())[list];
  json::array& rows = value.is_array() ? value.get_array() : value.emplace_array();
  inside_.push_back(&rows.emplace_back(json::object{}).get_object());
}

void JsonInspector::close() noexcept {
  inside_.pop_back();
}

std::string JsonInspector::hex(std::uint64_t value) {
  std::array<char, 18> digits{'0', 'x'};
  const auto end = std::to_chars(digits.data() + 2, digits.data() + digits.size(), value, 16).ptr;
  return {digits.data(), end};
}

std::string JsonInspector::hex(std::span<const std::uint8_t> bytes, std::size_t max_bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes.first(std::min(bytes.size(), max_bytes))) {
    text.push_back(kDigits[byte >> 4U]);
    text.push_back(kDigits[byte & 15U]);
  }
  return bytes.size() > max_bytes ? text + "..." : text;
}

}  // namespace dm
