// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace dm::toolstack {

/// Finds the JSON objects in a stream of bytes (RFC 8259). libxenstat ends its commands with
/// nothing, libxl with \r\n, and both cut them into pieces at any place. An error is reported at
/// the first byte after which the text cannot become an object any more, so a broken client is told
/// at once. Allocates nothing. Thread rule: one thread.
///
/// After an error the scanner recovers by itself and reports nothing more about that text. It
/// recovers at the end of the line; at any other control character; at FEh or FFh, which clients
/// send for this purpose (QEMU docs/interop/qmp-spec.txt, 2.6); or where the open brackets are
/// closed. An object inside a broken one is not taken for an object of its own.
class ObjectScanner {
 public:
  /// Most levels of brackets. libxl's commands have two.
  static constexpr unsigned kMaxDepth = 32;

  enum class Step : std::uint8_t {
    between,     ///< white space before an object, or what is skipped after an error
    inside,      ///< this byte belongs to an object that goes on
    complete,    ///< this byte ends an object
    broken,      ///< not JSON
    not_object,  ///< perhaps JSON, but no object
    too_deep,    ///< more than kMaxDepth
  };

  [[nodiscard]] Step step(char c) noexcept;
  /// Number of members in the object that has just been completed, at all depths. A parser that
  /// keeps only one of two members with the same name counts fewer.
  [[nodiscard]] std::size_t members() const noexcept { return members_; }

 private:
  /// What may come next.
  enum class State : std::uint8_t {
    start,          ///< {
    first_name,     ///< a member's name, or }
    name,           ///< a member's name
    colon,          ///< :
    value,          ///< a value
    first_element,  ///< a value, or ]
    separator,      ///< a comma, or the bracket that closes
    string,
    escape,          ///< what follows a backslash
    hex,             ///< digits of \uXXXX
    pair_backslash,  ///< \ of the second half of a surrogate pair
    pair_u,          ///< and its u
    utf8,            ///< bytes that continue a character
    minus,
    zero,
    digits,
    point,
    fraction,
    exponent,
    exponent_sign,
    exponent_digits,
    word,  ///< of true, false, null
  };

  [[nodiscard]] Step fail(Step how, unsigned char code) noexcept;
  [[nodiscard]] bool skip(unsigned char code) noexcept;
  [[nodiscard]] Step structure(unsigned char code) noexcept;
  [[nodiscard]] Step begin_value(unsigned char code) noexcept;
  [[nodiscard]] Step begin_string(bool is_name) noexcept;
  [[nodiscard]] Step in_string(unsigned char code) noexcept;
  [[nodiscard]] Step begin_character(unsigned char code) noexcept;
  [[nodiscard]] Step in_hex(unsigned char code) noexcept;
  [[nodiscard]] Step in_word(unsigned char code) noexcept;
  [[nodiscard]] bool in_number(unsigned char code) noexcept;
  [[nodiscard]] Step open(bool is_array) noexcept;
  [[nodiscard]] Step close(bool is_array) noexcept;
  [[nodiscard]] Step go(State next) noexcept;

  std::size_t members_ = 0;
  const char* word_ = nullptr;  ///< what is left of it
  std::uint32_t arrays_ = 0;    ///< bit n: the bracket at depth n+1 is '['
  std::uint32_t skip_depth_ = 0;
  std::uint32_t hex_ = 0;
  unsigned depth_ = 0;
  std::uint8_t left_ = 0;  ///< bytes of a character, or digits, to come
  std::uint8_t low_ = 0;   ///< bounds of the next of these bytes
  std::uint8_t high_ = 0;
  State state_ = State::start;
  bool is_name_ = false;    ///< the string is a member's name
  bool is_second_ = false;  ///< \uXXXX is the second half of a pair
  bool skipping_ = false;
  bool skip_string_ = false;
  bool skip_escape_ = false;
};

static_assert(ObjectScanner::kMaxDepth <= 32, "one bit of arrays_ for each level");

}  // namespace dm::toolstack
