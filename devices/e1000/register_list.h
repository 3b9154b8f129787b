// SPDX-License-Identifier: MIT
#pragma once

#include "core/reg/field.h"
#include "core/reg/handlers.h"
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
  act,      ///< and all above: the handler of number `does - act` (core/reg/handlers.h)
};
[[nodiscard]] constexpr bool acts(Does does) noexcept {
  return does >= Does::act;
}
[[nodiscard]] constexpr std::size_t handler_of(Does does) noexcept {
  return static_cast<std::size_t>(does) - static_cast<std::size_t>(Does::act);
}
[[nodiscard]] constexpr Does act_by(std::size_t handler) noexcept {
  return static_cast<Does>(static_cast<std::size_t>(Does::act) + handler);
}

struct Decoded {
  std::uint16_t word = 0;  ///< canonical number
  Does read = Does::nothing;
  Does write = Does::nothing;
  std::uint32_t writable = 0;

  /// Some register is here: all of them can be read.
  [[nodiscard]] constexpr bool known() const noexcept { return read != Does::nothing; }
};
static_assert(sizeof(Decoded) == 8);
inline constexpr std::size_t kMostHandlers = 0xff - static_cast<std::size_t>(Does::act);

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

/// How far the numbers of handlers are: the registers that act have them in the list's order.
struct Acting {
  std::size_t reading = 0;
  std::size_t writing = 0;
};
/// The bits that software may write.
template <class R>
inline constexpr auto kWritable = static_cast<std::uint32_t>(R::Layout::kWritable);

/// What every word of R takes, but for its place.
template <class R>
constexpr Decoded decode_of(const Acting& next) {
  if (next.reading > kMostHandlers || next.writing > kMostHandlers) {
    throw "more handlers than a byte can number";
  }
  return {.word = 0,
          .read = reg::ReadActs<R> ? act_by(next.reading) : Does::plain,
          .write = reg::WriteActs<R> ? act_by(next.writing)
                                     : (kWritable<R> != 0 ? Does::plain : Does::nothing),
          .writable = kWritable<R>};
}
constexpr void put_word(DecodeTable& table, std::size_t offset, std::size_t canonical, Decoded d) {
  Decoded& to = table.at(offset / 4);
  if (to.known() || offset % 4 != 0) {
    throw "two registers at one offset, or an odd offset";
  }
  d.word = static_cast<std::uint16_t>(canonical / 4);
  to = d;
}
/// All of R, an array or one register, as seen at `offset`.
template <class R>
constexpr void put_at(DecodeTable& table, std::size_t offset, const Decoded& d) {
  if constexpr (IsArray<R>) {
    for (std::size_t i = 0; i < R::kCount; ++i) {
      put_word(table, offset + i * R::kStride, R::kOffset + i * R::kStride, d);
    }
  } else {
    put_word(table, offset, R::kOffset, d);
  }
}
template <class R>
constexpr void put(DecodeTable& table, RegisterImage& reset, Acting& next) {
  if constexpr (IsAlias<R>) {
    const Decoded of = table.at(R::Of::kOffset / 4);
    if (!of.known()) {
      throw "an alias of what is not listed before it";
    }
    put_at<typename R::Of>(table, R::kOffset, of);
  } else {
    put_at<R>(table, R::kOffset, decode_of<R>(next));
    next.reading += reg::ReadActs<R> ? 1U : 0U;
    next.writing += reg::WriteActs<R> ? 1U : 0U;
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
  Acting next;
  (put<Regs>(tables.decode, tables.reset, next), ...);
  return tables;
}

/// The chip's registers. Decoding, masks and reset values are made from this list. Two registers at
/// one place do not compile.
template <class... Regs>
struct RegisterList {
  static constexpr RegisterTables kTables = make_tables<Regs...>();
  static constexpr const DecodeTable& kDecode = kTables.decode;
  static constexpr const RegisterImage& kReset = kTables.reset;

  /// Calls visit(name, number of its first word, how many, words from one to the next) for each
  /// register and array. Not for aliases.
  template <class Visit>
  static void for_each(const Visit& visit) {
    (visit_one<Regs>(visit), ...);
  }

 private:
  template <class R, class Visit>
  static void visit_one(const Visit& visit) {
    if constexpr (IsArray<R>) {
      visit(R::kName, R::kWord, R::kCount, R::kStride / 4);
    } else if constexpr (!IsAlias<R>) {
      visit(R::kName, R::kWord, std::size_t{1}, std::size_t{1});
    }
  }
};

}  // namespace dm::e1000
