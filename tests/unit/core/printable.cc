// SPDX-License-Identifier: MIT
// What may reach a terminal.
#include "core/text/printable.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <utility>

using namespace dm;

namespace {

BOOST_AUTO_TEST_SUITE(printable_text)

BOOST_AUTO_TEST_CASE(letters_of_all_languages_and_signs_are_shown) {
  for (const std::string text :
       {"abc ~!", "Grün", "Привет", "日本語", "עברית", "العربية", "€ ☃ 🖥"}) {
    BOOST_TEST(printable(text) == text);
  }
}

// ECMA-48: a control can be a single byte, ESC and a byte, or one character of U+0080 to U+009F.
BOOST_AUTO_TEST_CASE(no_control_is_shown) {
  for (unsigned code = 0; code < 0x20; ++code) {
    BOOST_TEST(printable(std::string(1, static_cast<char>(code))) == "?", code);
  }
  BOOST_TEST(printable("\x7f") == "?");
  for (unsigned code = 0x80; code < 0xa0; ++code) {
    const std::string text{'\xc2', static_cast<char>(code)};
    BOOST_TEST(printable("a" + text + "b") == "a?b", code);
  }
  BOOST_TEST(printable("\x1b]0;owned\x07\u009b31mred") == "?]0;owned??31mred");
}

BOOST_AUTO_TEST_CASE(nothing_turns_the_writing_direction_or_hides) {
  for (const char* const text :
       {"\u061c", "\u200e", "\u200f",     "\u202a",    "\u202b", "\u202c", "\u202d",
        "\u202e", "\u2066", "\u2067",     "\u2068",    "\u2069", "\u2028", "\u2029",
        "\ufeff", "\u200b", "\u200d",     "\u2060",    "\u00ad", "\ufff9", "\U000e0041",
        "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"}) {
    BOOST_TEST(printable(text) == "?");
  }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_characters_are_not_shown) {
  const std::array<std::pair<const char*, const char*>, 8> cases{{
      {"\x9b", "?"},                 // C1 as ISO 8859 has it
      {"\xc0\x9b", "??"},            // longer than needed
      {"\xe0\x80\x9b", "???"},       // the same
      {"\xed\xa0\x80", "???"},       // half a surrogate pair
      {"\xf4\x90\x80\x80", "????"},  // beyond U+10FFFF
      {"\xc3", "?"},                 // the beginning of one
      {"\xc3(", "?("},               // and something else after it
      {"a\xff\xfe z", "a?? z"},
  }};
  for (const auto& [bytes, text] : cases) {
    BOOST_TEST(printable(bytes) == text);
  }
}

BOOST_AUTO_TEST_CASE(a_character_without_room_is_left_out_whole) {
  std::array<char, 4> buffer{'#', '#', '#', '#'};
  BOOST_TEST(copy_printable("aä€", buffer.data(), 4) == 3U);
  BOOST_TEST(std::string(buffer.data(), 4) == "aä#");
  BOOST_TEST(copy_printable("a\x1b€", buffer.data(), 2) == 2U);
  BOOST_TEST(copy_printable("", buffer.data(), 0) == 0U);
}

BOOST_AUTO_TEST_CASE(a_text_of_lines_keeps_its_line_ends) {
  BOOST_TEST(printable_lines("a\x1b\n\n\rb") == "a?\n\n?b");
  BOOST_TEST(printable_lines("a\n") == "a\n");
}

BOOST_AUTO_TEST_CASE(width_is_counted_in_characters) {
  BOOST_TEST(characters_of("Grün €") == 6U);
  BOOST_TEST(characters_of("") == 0U);
}

BOOST_AUTO_TEST_CASE(in_json_the_same_characters_are_escaped_and_keep_their_value) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    append_printable_json(out, text);
    return out;
  };
  BOOST_TEST(escaped("{\"a\u009b\":\"\u202e\u007f ü\"}") == R"({"a\u009b":"\u202e\u007f ü"})");
  BOOST_TEST(escaped("\"\U000e0041\"") == R"("\udb40\udc41")");
  BOOST_TEST(escaped("\"\xff\"") == R"("\ufffd")");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
