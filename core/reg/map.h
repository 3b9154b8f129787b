// SPDX-License-Identifier: MIT
#pragma once

#include "core/range.h"
#include "core/reg/field.h"

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace dm::reg {

template <std::size_t N>
struct Name {
  char text[N]{};
  constexpr Name(
      const char (&from)[N]) noexcept {  // NOLINT(google-explicit-constructor): a literal is a name
    std::copy_n(static_cast<const char*>(from), N, static_cast<char*>(text));
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept {
    return {static_cast<const char*>(text), N - 1};
  }
};

/// One register as the datasheet lists it: name, offset in bytes, width (as its C type) and value
/// after reset. A chip derives from it and, where the guest may write, says which fields there are:
///
///     struct PMBASE : reg::Reg<"PMBASE", 0x40, std::uint32_t, 0x00000001> {   // PIIX4 7.1.14
///       using BASE = reg::Field<15, 6>;
///       using Layout = reg::Layout<BASE>;
///     };
template <Name N, std::size_t Offset, std::unsigned_integral T, T Reset = 0>
struct Reg {
  using Value = T;
  using Layout = Constant;
  static constexpr std::string_view kName = N.view();
  static constexpr std::size_t kOffset = Offset;
  static constexpr std::size_t kSize = sizeof(T);
  static constexpr T kReset = Reset;
};

/// What a map knows of one register, for decoding, dumps and traces.
struct Entry {
  std::string_view name;
  std::uint32_t offset;
  std::uint8_t size;
};

/// A chip's register list: ascending, not overlapping, inside `Size` bytes; anything else does not
/// compile. The reset image and the write masks come from the list. Bytes that no register names
/// read 0 and ignore writes.
template <std::size_t Size, class... Regs>
struct Map {
  static constexpr std::size_t kSize = Size;
  static constexpr std::size_t kCount = sizeof...(Regs);
  using Bytes = std::array<std::uint8_t, Size>;

  static constexpr std::array<Entry, kCount> kEntries{
      Entry{Regs::kName, static_cast<std::uint32_t>(Regs::kOffset),
            static_cast<std::uint8_t>(Regs::kSize)}...};

 private:
  static constexpr bool ascending() noexcept {
    std::size_t end = 0;
    for (const Entry& e : kEntries) {
      if (e.offset < end || !within(0, Size, e.offset, e.size)) {
        return false;
      }
      end = e.offset + e.size;
    }
    return true;
  }
  static_assert(ascending(), "registers must be listed by ascending offset and must not overlap");

  static constexpr void put(Bytes& bytes,
                            std::size_t at,
                            std::size_t size,
                            std::uint64_t value) noexcept {
    for (std::size_t i = 0; i < size; ++i) {
      bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  }
  template <class F>
  static constexpr Bytes image(F value_of) noexcept {
    Bytes bytes{};
    (put(bytes, Regs::kOffset, Regs::kSize, value_of.template operator()<Regs>()), ...);
    return bytes;
  }

 public:
  static constexpr Bytes kReset = image([]<class R>() { return std::uint64_t{R::kReset}; });
  static constexpr Bytes kWritable = image([]<class R>() { return R::Layout::kWritable; });
  static constexpr Bytes kClearable = image([]<class R>() { return R::Layout::kClearable; });

  /// The register that holds byte `offset`, or null.
  [[nodiscard]] static constexpr const Entry* find(std::size_t offset) noexcept {
    for (const Entry& e : kEntries) {
      if (within(e.offset, e.size, offset, 1)) {
        return &e;
      }
    }
    return nullptr;
  }
};

/// Little-endian storage for a register list. It is byte-addressable, because guests write any
/// width at any offset. The masks are data and not a type, so the PCI functions of all chips share
/// one class. Bytes out of range read 0 and ignore writes.
template <std::size_t Size>
class Bank {
 public:
  using Bytes = std::array<std::uint8_t, Size>;

  template <class... Regs>
  explicit constexpr Bank(Map<Size, Regs...> /*list*/) noexcept
      : value_{Map<Size, Regs...>::kReset},
        reset_{Map<Size, Regs...>::kReset},
        writable_{Map<Size, Regs...>::kWritable},
        clearable_{Map<Size, Regs...>::kClearable} {}

  [[nodiscard]] std::uint64_t read(std::size_t offset, std::uint8_t size) const noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size && offset + i < Size; ++i) {
      value |= std::uint64_t{value_[offset + i]} << (8 * i);
    }
    return value;
  }
  /// A guest's write: masks decide which bits take it.
  void write(std::size_t offset, std::uint8_t size, std::uint64_t value) noexcept {
    for (std::size_t i = 0; i < size && offset + i < Size; ++i) {
      const auto byte = static_cast<std::uint8_t>(value >> (8 * i));
      std::uint8_t& old = value_[offset + i];
      const std::uint8_t mask = writable_[offset + i];
      const auto cleared = static_cast<std::uint8_t>(byte & clearable_[offset + i]);
      old = static_cast<std::uint8_t>(((old & ~mask) | (byte & mask)) & ~cleared);
    }
  }

  /// The chip's own view of one register, without masks.
  template <class R>
  [[nodiscard]] typename R::Value get() const noexcept {
    return static_cast<typename R::Value>(read(R::kOffset, R::kSize));
  }
  template <class R>
  void set(typename R::Value value) noexcept {
    for (std::size_t i = 0; i < R::kSize; ++i) {
      value_[R::kOffset + i] = static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i));
    }
  }
  /// Makes more bits writable, which the list alone does not know of (the size bits of a BAR).
  void allow(std::size_t offset, std::uint8_t size, std::uint64_t mask) noexcept {
    for (std::size_t i = 0; i < size && offset + i < Size; ++i) {
      writable_[offset + i] |= static_cast<std::uint8_t>(mask >> (8 * i));
    }
  }
  /// Sets a value that a reset brings back.
  void preset(std::size_t offset, std::uint8_t size, std::uint64_t value) noexcept {
    for (std::size_t i = 0; i < size && offset + i < Size; ++i) {
      value_[offset + i] = reset_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  }
  void reset() noexcept { value_ = reset_; }

  [[nodiscard]] Bytes& bytes() noexcept { return value_; }
  [[nodiscard]] const Bytes& bytes() const noexcept { return value_; }
  /// After a load: read-only bits come from the list again, whatever the saved bytes said.
  void sanitize() noexcept {
    for (std::size_t i = 0; i < Size; ++i) {
      const auto changeable = static_cast<std::uint8_t>(writable_[i] | clearable_[i]);
      value_[i] = static_cast<std::uint8_t>((value_[i] & changeable) | (reset_[i] & ~changeable));
    }
  }

 private:
  Bytes value_;
  Bytes reset_;
  Bytes writable_;
  Bytes clearable_;
};

}  // namespace dm::reg
