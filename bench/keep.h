// SPDX-License-Identifier: MIT
#pragma once

namespace dm::bench {

/// The compiler may not leave out what computes this value.
template <class T>
inline void keep(const T& value) noexcept {
  asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace dm::bench
