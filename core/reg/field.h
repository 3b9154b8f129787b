// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>

namespace dm::reg {

/// What a guest's write does to a field. A read is the same for all.
enum class Access : std::uint8_t {
  rw,   ///< takes the written bits
  ro,   ///< keeps its value
  w1c,  ///< a written one clears the bit
};

/// Bits hi..lo of a register, both inclusive and high first, as the datasheets print them.
template <unsigned Hi, unsigned Lo, Access A = Access::rw>
requires(Hi >= Lo && Hi < 64) struct Field {
  static constexpr unsigned kHi = Hi;
  static constexpr unsigned kLo = Lo;
  static constexpr Access kAccess = A;
  static constexpr std::uint64_t kMax =
      Hi - Lo == 63 ? ~std::uint64_t{0} : (std::uint64_t{1} << (Hi - Lo + 1)) - 1;
  static constexpr std::uint64_t kMask = kMax << Lo;

  template <std::unsigned_integral T>
  [[nodiscard]] static constexpr T get(T word) noexcept {
    return static_cast<T>((word & kMask) >> Lo);
  }
  /// `word` with this field replaced; bits of `value` that do not fit are dropped.
  template <std::unsigned_integral T>
  [[nodiscard]] static constexpr T with(T word, std::uint64_t value) noexcept {
    return static_cast<T>((word & ~kMask) | ((value << Lo) & kMask));
  }
  template <std::unsigned_integral T>
  [[nodiscard]] static constexpr bool test(T word) noexcept {
    return (word & kMask) != 0;
  }
};

template <unsigned Bit, Access A = Access::rw>
using Flag = Field<Bit, Bit, A>;

/// The fields of one register. Overlapping fields do not compile. Bits that no field names keep
/// their reset value and ignore writes.
template <class... Fields>
struct Layout {
  static constexpr std::uint64_t kNamed = (std::uint64_t{0} | ... | Fields::kMask);
  static constexpr std::uint64_t kWritable =
      (std::uint64_t{0} | ... | (Fields::kAccess == Access::rw ? Fields::kMask : 0));
  static constexpr std::uint64_t kClearable =
      (std::uint64_t{0} | ... | (Fields::kAccess == Access::w1c ? Fields::kMask : 0));

 private:
  template <class F>
  static constexpr unsigned kWidth = F::kHi - F::kLo + 1;
  static constexpr unsigned popcount(std::uint64_t v) noexcept {
    unsigned n = 0;
    for (; v != 0; v &= v - 1) {
      ++n;
    }
    return n;
  }
  static_assert(popcount(kNamed) == (0U + ... + kWidth<Fields>), "fields of a register overlap");
};

/// A register that is plain storage.
using Storage = Layout<Field<63, 0>>;
/// A register that never changes.
using Constant = Layout<>;

}  // namespace dm::reg
