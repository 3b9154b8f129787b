// SPDX-License-Identifier: MIT
// Checks of JSON that a client has written, for what Boost.JSON accepts silently. Thread rule: any
// thread.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace dm::toolstack {

/// True if all numbers are finite. Boost.JSON reads a number like 1e999 as infinity, which JSON
/// cannot express, so an answer with such an id would not be JSON. `value` is at most
/// ObjectScanner::kMaxDepth deep.
[[nodiscard]] inline bool is_finite(const boost::json::value& value) {
  if (const double* const number = value.if_double()) {
    return std::isfinite(*number);
  }
  if (const boost::json::array* const array = value.if_array()) {
    return std::ranges::all_of(*array, is_finite);
  }
  if (const boost::json::object* const object = value.if_object()) {
    return std::ranges::all_of(*object,
                               [](const auto& member) { return is_finite(member.value()); });
  }
  return true;
}

/// Counts the members of objects at all depths, as ObjectScanner does. Boost.JSON keeps only the
/// last of two members with the same name, so its count is then lower. `value` is at most
/// ObjectScanner::kMaxDepth deep.
[[nodiscard]] inline std::size_t members_of(const boost::json::value& value) {
  std::size_t count = 0;
  if (const boost::json::array* const array = value.if_array()) {
    for (const boost::json::value& element : *array) {
      count += members_of(element);
    }
  } else if (const boost::json::object* const object = value.if_object()) {
    count = object->size();
    for (const auto& member : *object) {
      count += members_of(member.value());
    }
  }
  return count;
}

}  // namespace dm::toolstack
