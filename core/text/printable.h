// SPDX-License-Identifier: MIT
#pragma once

#include "core/text/utf8.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dm {

/// What may reach a terminal, decided in this one place. Names of guests and files, values of
/// xenstore, messages of servers and all that a captured device model says are somebody else's: no
/// byte of theirs may move the cursor, give a terminal orders or turn the writing direction.

/// May this character be shown? Not: controls (C0, DEL, C1: an escape sequence can begin with
/// U+009B alone), separators of lines and paragraphs, characters without a shape of their own that
/// change how others look (Unicode 15, general category Cf: bidirectional controls, U+FEFF, tags),
/// and what is no character.
[[nodiscard]] constexpr bool is_printable(std::uint32_t character) noexcept {
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr Range kHidden[] = {
      {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
      {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
      {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x115f, 0x1160},   {0x17b4, 0x17b5},
      {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
      {0x3164, 0x3164},   {0xd800, 0xdfff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
      {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffc},   {0x110bd, 0x110bd},
      {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
      {0xe0000, 0xe0fff},
  };
  for (const Range& range : kHidden) {
    if (character <= range.last) {
      return character < range.first && (character & 0xfffeU) != 0xfffeU;
    }
  }
  return character <= 0x10ffff && (character & 0xfffeU) != 0xfffeU;
}

/// One character of a text, or one byte that is part of none.
struct TextPiece {
  std::size_t bytes;        ///< at least 1
  std::uint32_t character;  ///< U+FFFD for a byte that is part of no character
  bool printable;
};

/// What `text`, which is not empty, begins with.
[[nodiscard]] inline TextPiece first_piece(std::string_view text) noexcept {
  const auto front = static_cast<unsigned char>(text.front());
  if (front < 0x80) {
    return {1, front, front >= 0x20 && front != 0x7f};
  }
  const std::size_t bytes = utf8_character(text);
  if (bytes == 0) {
    return {1, 0xfffd, false};
  }
  std::uint32_t character = front & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    character = character << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  return {bytes, character, is_printable(character)};
}

/// Writes `text` for a terminal into a buffer of fixed size: '?' stands for each character that may
/// not be shown and for each byte that is part of none. Ends before the character that has no room.
/// How many bytes were written. Any thread.
[[nodiscard]] inline std::size_t copy_printable(std::string_view text,
                                                char* to,
                                                std::size_t room) noexcept {
  std::size_t size = 0;
  while (!text.empty()) {
    const TextPiece piece = first_piece(text);
    const std::size_t bytes = piece.printable ? piece.bytes : 1;
    if (bytes > room - size) {
      break;
    }
    for (std::size_t i = 0; i < bytes; ++i) {
      to[size++] = piece.printable ? text[i] : '?';
    }
    text.remove_prefix(piece.bytes);
  }
  return size;
}

/// The same at the end of a string.
inline void append_printable(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.resize(before + text.size());
  out.resize(before + copy_printable(text, out.data() + before, text.size()));
}

[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

/// Of a text of several lines: the line ends stay.
[[nodiscard]] inline std::string printable_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    append_printable(out, text.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    out.push_back('\n');
    text.remove_prefix(end + 1);
  }
  return out;
}

/// Of a text that is printable: how many characters, which is the width of most of them.
[[nodiscard]] inline std::size_t characters_of(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) {
    count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
  }
  return count;
}

/// Appends `json`, a text of JSON, with what may not be shown written as JSON's \uXXXX: the values
/// stay what they are (RFC 8259, 7). Such characters stand in strings alone there. Bytes that are
/// part of no character become \ufffd.
inline void append_printable_json(std::string& out, std::string_view json) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto escape = [&](std::uint32_t unit) {
    out.append("\\u");
    for (unsigned shift = 16; shift != 0; shift -= 4) {
      out.push_back(kDigits[unit >> (shift - 4) & 0xfU]);
    }
  };
  while (!json.empty()) {
    const TextPiece piece = first_piece(json);
    if (piece.printable) {
      out.append(json.substr(0, piece.bytes));
    } else if (piece.character > 0xffff) {
      escape(0xd800 + ((piece.character - 0x10000) >> 10U));
      escape(0xdc00 + (piece.character & 0x3ffU));
    } else {
      escape(piece.character);
    }
    json.remove_prefix(piece.bytes);
  }
}

}  // namespace dm
