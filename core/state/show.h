// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/inspector.h"
#include "core/state/describe.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace dm::state {

/// A visitor of describe(): tells an Inspector every field by its name. More than four bytes in a
/// row are data, fewer are numbers.
class Shower {
 public:
  explicit Shower(Inspector& to) noexcept : to_{to} {}

  template <class T>
  void field(std::uint16_t /*id*/, std::string_view name, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      to_.flag(name, value);
    } else if constexpr (Scalar<T>) {
      static_assert(std::is_enum_v<T> || std::is_unsigned_v<T>);
      to_.number(name, static_cast<std::uint64_t>(value));
    } else if constexpr (is_scalar_array<T>) {
      list(name, value);
    } else {
      const Inspector::Part part{to_, name};
      describe(*this, const_cast<T&>(value));  // NOLINT(cppcoreguidelines-pro-type-const-cast):
                                               // one describe() serves readers and writers
    }
  }

 private:
  template <class T, std::size_t N>
  void list(std::string_view name, const std::array<T, N>& values) {
    if constexpr (std::is_same_v<T, std::uint8_t> && N > 4) {
      to_.bytes(name, values);
    } else {
      std::array<std::uint64_t, N> numbers{};
      std::ranges::copy(values, numbers.begin());
      to_.numbers(name, numbers);
    }
  }

  Inspector& to_;
};

/// All fields of a state, where `to` is.
template <class State>
void show(const State& state, Inspector& to) {
  Shower shower{to};
  describe(shower, const_cast<State&>(state));  // NOLINT(cppcoreguidelines-pro-type-const-cast):
                                                // see Shower
}

}  // namespace dm::state
