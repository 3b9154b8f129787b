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

namespace dm::rtl8139 {

/// All registers, in bytes. Registers are 1, 2 or 4 bytes wide, and accesses of any width reach
/// them.
inline constexpr std::size_t kRegisterBytes = 256;
using RegisterBytes = std::array<std::uint8_t, kRegisterBytes>;

/// `Count` registers of one kind, one behind the other.
template <reg::Name N, std::size_t Offset, std::unsigned_integral T, std::size_t Count, T Reset = 0>
struct RegArray : reg::Reg<N, Offset, T, Reset> {
  static constexpr std::size_t kCount = Count;
};

/// What the access of a register takes.
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

/// What lies at a byte.
struct Decoded {
  std::uint8_t first = 0;  ///< of the register
  std::uint8_t size = 1;   ///< bytes
  Does read = Does::nothing;
  Does write = Does::nothing;

  [[nodiscard]] constexpr bool known() const noexcept { return read != Does::nothing; }
};

struct RegisterTables {
  std::array<Decoded, kRegisterBytes> decode{};
  RegisterBytes reset{};
  RegisterBytes writable{};
  RegisterBytes clearable{};
  RegisterBytes live{};  ///< bits that the chip changes by itself
  RegisterBytes kept{};  ///< ff: CR.RST leaves the byte alone
};

namespace detail {

template <class R>
concept IsArray = requires {
  R::kCount;
};
template <class R>
constexpr std::size_t count_of() {
  if constexpr (IsArray<R>) {
    return R::kCount;
  } else {
    return 1;
  }
}
template <class R>
constexpr std::uint64_t live_of() {
  if constexpr (requires { R::kLive; }) {
    return R::kLive;
  } else {
    return 0;
  }
}
constexpr std::uint8_t byte_of(std::uint64_t value, std::size_t i) {
  return static_cast<std::uint8_t>(value >> (8 * i));
}

struct Acting {
  std::size_t reading = static_cast<std::size_t>(Does::act);
  std::size_t writing = static_cast<std::size_t>(Does::act);
};

template <class R>
constexpr void put(RegisterTables& t, Acting& next) {
  Decoded d{.first = 0, .size = R::kSize, .read = Does::plain, .write = Does::plain};
  if constexpr (reg::ReadActs<R>) {
    d.read = static_cast<Does>(next.reading++);
  }
  if constexpr (reg::WriteActs<R>) {
    d.write = static_cast<Does>(next.writing++);
  }
  for (std::size_t i = 0; i < count_of<R>() * R::kSize; ++i) {
    const std::size_t at = R::kOffset + i;
    const std::size_t lane = i % R::kSize;
    if (t.decode.at(at).known()) {
      throw "two registers at one offset";
    }
    d.first = static_cast<std::uint8_t>(at - lane);
    t.decode.at(at) = d;
    t.reset.at(at) = byte_of(R::kReset, lane);
    t.writable.at(at) = byte_of(R::Layout::kWritable, lane);
    t.clearable.at(at) = byte_of(R::Layout::kClearable, lane);
    t.live.at(at) = byte_of(live_of<R>(), lane);
    t.kept.at(at) = requires {
      R::kKept;
    }
    ? 0xff : 0;
  }
}

template <class... Regs>
constexpr RegisterTables make_tables() {
  RegisterTables tables;
  for (std::size_t i = 0; i < kRegisterBytes; ++i) {
    tables.decode.at(i).first = static_cast<std::uint8_t>(i);
  }
  Acting next;
  (put<Regs>(tables, next), ...);
  return tables;
}

}  // namespace detail

/// The chip's registers. Decoding, masks and reset values are made from this list. Two registers at
/// one place do not compile.
template <class... Regs>
struct RegisterList {
  static constexpr RegisterTables kTables = detail::make_tables<Regs...>();
  static constexpr const std::array<Decoded, kRegisterBytes>& kDecode = kTables.decode;
  static constexpr const RegisterBytes& kReset = kTables.reset;

  /// Calls visit(name, first byte, bytes of one, how many) for each register and array.
  template <class Visit>
  static void for_each(const Visit& visit) {
    (visit(Regs::kName, Regs::kOffset, Regs::kSize, detail::count_of<Regs>()), ...);
  }
};

/// A write, moved to the lanes of the register that it reaches.
struct Written {
  std::uint32_t value = 0;
  std::uint32_t lanes = 0;  ///< ff in each byte that was written
  bool whole = false;       ///< all bytes of the register were
};

}  // namespace dm::rtl8139
