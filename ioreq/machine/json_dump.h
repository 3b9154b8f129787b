// SPDX-License-Identifier: MIT
#pragma once

#include "core/state/describe.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace dm {

/// A visitor of describe(): a state as JSON, by the names of its fields. Bytes become one string of
/// hexadecimal digits, cut when there are too many to read. Allocates; for the management side.
class JsonDump {
 public:
  static constexpr std::size_t kMaxBytes = 256;

  template <class T>
  void field(std::uint16_t /*id*/, std::string_view name, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      object_[name] = value;
    } else if constexpr (std::is_enum_v<T>) {
      object_[name] = static_cast<std::uint64_t>(value);
    } else if constexpr (state::Scalar<T>) {
      object_[name] = value;
    } else if constexpr (state::is_scalar_array<T>) {
      object_[name] = list(value);
    } else {
      JsonDump nested;
      describe(nested, const_cast<T&>(value));  // NOLINT(cppcoreguidelines-pro-type-const-cast):
                                                // one describe() serves readers and writers
      object_[name] = std::move(nested.object_);
    }
  }

  template <class State>
  [[nodiscard]] static boost::json::object of(State state) {
    JsonDump dump;
    describe(dump, state);
    return std::move(dump.object_);
  }
  [[nodiscard]] static std::string hex(const std::uint8_t* bytes, std::size_t size) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < std::min(size, kMaxBytes); ++i) {
      text.push_back(kDigits[bytes[i] >> 4U]);
      text.push_back(kDigits[bytes[i] & 15U]);
    }
    return size > kMaxBytes ? text + "..." : text;
  }

 private:
  template <class T, std::size_t N>
  [[nodiscard]] static boost::json::value list(const std::array<T, N>& values) {
    if constexpr (std::is_same_v<T, std::uint8_t> && N > 4) {
      return boost::json::string{hex(values.data(), N)};
    } else {
      boost::json::array all;
      for (const T& value : values) {
        all.emplace_back(value);
      }
      return all;
    }
  }

  boost::json::object object_;
};

}  // namespace dm
