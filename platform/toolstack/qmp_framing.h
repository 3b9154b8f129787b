// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dm::toolstack {

/// Finds where a JSON object ends in a stream of bytes, by counting brackets: libxenstat ends its
/// commands with nothing, libxl with \r\n, and both cut them into pieces as they like. Says at once
/// when no object can come of it, so that a broken client is not waited for. Allocates nothing.
class ObjectScanner {
 public:
  /// Brackets inside brackets. libxl's commands have two.
  static constexpr unsigned kMaxDepth = 32;

  enum class Step : std::uint8_t {
    between,   ///< white space before an object
    inside,    ///< this byte belongs to an object that goes on
    complete,  ///< this byte ends an object
    broken,    ///< not JSON, or not an object, or too deep
  };

  [[nodiscard]] Step step(char c) noexcept;
  [[nodiscard]] bool between_objects() const noexcept { return depth_ == 0; }

 private:
  [[nodiscard]] Step open(bool is_array) noexcept;
  [[nodiscard]] Step close(bool is_array) noexcept;

  unsigned depth_ = 0;
  std::uint32_t arrays_ = 0;  ///< bit n: the bracket at depth n+1 is '['
  bool in_string_ = false;
  bool escaped_ = false;  ///< the byte before was a backslash inside a string
};

static_assert(ObjectScanner::kMaxDepth <= 32, "one bit of arrays_ for each level");

}  // namespace dm::toolstack
