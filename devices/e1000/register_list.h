// SPDX-License-Identifier: MIT
#pragma once

#include "core/reg/field.h"
#include "core/reg/map.h"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dm::e1000 {

/// The part of BAR 0 that has registers; what lies above is diagnostic memory and holes.
inline constexpr std::size_t kRegisterBytes = 0x6000;
inline constexpr std::size_t kRegisterWords = kRegisterBytes / 4;

/// One 32-bit register of the 8254x manual: name, offset, value after reset.
template <reg::Name N, std::size_t Offset, std::uint32_t Reset = 0>
struct Reg : reg::Reg<N, Offset, std::uint32_t, Reset> {
  static constexpr std::size_t kWord = Offset / 4;
};
/// `Count` registers, each `Stride` bytes after the one before.
template <reg::Name N, std::size_t Offset, std::size_t Count, std::size_t Stride = 4>
struct RegArray : Reg<N, Offset> {
  static constexpr std::size_t kCount = Count;
  static constexpr std::size_t kStride = Stride;
};
/// The place where the 82542 had a register (8254x SDM, chapter 13).
template <class Target, std::size_t Offset>
struct Alias {
  using Of = Target;
  static constexpr std::size_t kOffset = Offset;
};

/// What the access of a word takes.
enum class Does : std::uint8_t {
  nothing,  ///< reads 0; ignores writes
  plain,    ///< storage, written through a mask
  act,      ///< the chip has code for it
};

struct Decoded {
  std::uint16_t word = 0;  ///< canonical number
  Does read = Does::nothing;
  Does write = Does::nothing;
  std::uint32_t writable = 0;

  /// Some register is here: all of them can be read.
  [[nodiscard]] constexpr bool known() const noexcept { return read != Does::nothing; }
};
static_assert(sizeof(Decoded) == 8);

/// A register that does something when written says `kWriteActs`, when read `kReadActs`.
template <class R>
concept WriteActs = requires {
  R::kWriteActs;
};
template <class R>
concept ReadActs = requires {
  R::kReadActs;
};
template <class R>
concept IsAlias = requires {
  typename R::Of;
};
template <class R>
concept IsArray = requires {
  R::kCount;
};

using DecodeTable = std::array<Decoded, kRegisterWords>;
using RegisterImage = std::array<std::uint32_t, kRegisterWords>;

template <class R>
constexpr void put_register(DecodeTable& table, std::size_t offset, std::size_t canonical) {
  Decoded& d = table.at(offset / 4);
  if (d.known() || offset % 4 != 0) {
    throw "two registers at one offset, or an odd offset";
  }
  const auto writable = static_cast<std::uint32_t>(R::Layout::kWritable);
  d = {.word = static_cast<std::uint16_t>(canonical / 4),
       .read = ReadActs<R> ? Does::act : Does::plain,
       .write = WriteActs<R> ? Does::act : (writable != 0 ? Does::plain : Does::nothing),
       .writable = writable};
}
/// All of R, an array or one register, as seen at `offset`.
template <class R>
constexpr void put_at(DecodeTable& table, std::size_t offset) {
  if constexpr (IsArray<R>) {
    for (std::size_t i = 0; i < R::kCount; ++i) {
      put_register<R>(table, offset + i * R::kStride, R::kOffset + i * R::kStride);
    }
  } else {
    put_register<R>(table, offset, R::kOffset);
  }
}
template <class R>
constexpr void put(DecodeTable& table, RegisterImage& reset) {
  if constexpr (IsAlias<R>) {
    put_at<typename R::Of>(table, R::kOffset);
  } else {
    put_at<R>(table, R::kOffset);
    reset.at(R::kOffset / 4) = R::kReset;
  }
}

struct RegisterTables {
  DecodeTable decode{};
  RegisterImage reset{};
};
template <class... Regs>
constexpr RegisterTables make_tables() {
  RegisterTables tables;
  (put<Regs>(tables.decode, tables.reset), ...);
  return tables;
}

/// The chip's registers, from which decode, masks and reset values come. Two at one place do not
/// compile.
template <class... Regs>
struct RegisterList {
  static constexpr RegisterTables kTables = make_tables<Regs...>();
  static constexpr const DecodeTable& kDecode = kTables.decode;
  static constexpr const RegisterImage& kReset = kTables.reset;
};

}  // namespace dm::e1000
