// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

/// Registers that do something when they are accessed, and what they do.
///
/// The chip's register list marks the registers that act: `kReadActs`, `kWriteActs`. What they do
/// is in one table for each kind of access. A row of the table names a register and its handler:
///
///     using OnWrite = reg::WriteHandlers<Chip, std::uint32_t, List,
///         reg::On<CTRL, &Chip::write_ctrl>,
///         reg::On<EECD, &Chip::eeprom_, &Eeprom::write_eecd>>;  // a part of the chip does it
///
/// These do not compile: a register that acts and has no row, a row without a register that acts, a
/// register with two rows. `List` is any template of registers. Handlers are numbered in the order
/// in which the list has its registers that act. A decoder that counts in the same order finds each
/// handler by one load.
namespace dm::reg {

template <class R>
concept ReadActs = requires {
  R::kReadActs;
};
template <class R>
concept WriteActs = requires {
  R::kWriteActs;
};

/// A row. It is for `R`, or for each register derived from `R`. `Path` is a member function of the
/// chip; or a member of the chip and then a member function of that member. The function takes the
/// written value, if there is one. If one handler serves many registers, it may take the register's
/// place before that.
template <class R, auto... Path>
struct On;
template <class R, auto Function>
struct On<R, Function> {
  using Register = R;
  static constexpr auto kFunction = Function;
  template <class Chip>
  static constexpr Chip& object(Chip& chip) noexcept {
    return chip;
  }
};
template <class R, auto Part, auto Function>
struct On<R, Part, Function> {
  using Register = R;
  static constexpr auto kFunction = Function;
  template <class Chip>
  static constexpr auto& object(Chip& chip) noexcept {
    return chip.*Part;
  }
};

/// Which accesses a table is for.
struct Reading {
  template <class R>
  static constexpr bool kActs = ReadActs<R>;
};
struct Writing {
  template <class R>
  static constexpr bool kActs = WriteActs<R>;
};

/// True if the rows and the list's registers that act match, one to one or many to one.
template <class Kind, class List, class... Rows>
struct Coverage;
template <class Kind, template <class...> class List, class... Regs, class... Rows>
struct Coverage<Kind, List<Regs...>, Rows...> {
  template <class Row, class R>
  static constexpr bool kIsFor = std::is_base_of_v<typename Row::Register, R>;
  template <class R>
  static constexpr std::size_t kRows = (std::size_t{0} + ... + (kIsFor<Rows, R> ? 1U : 0U));
  template <class Row>
  static constexpr bool kUsed = ((Kind::template kActs<Regs> && kIsFor<Row, Regs>) || ...);

  /// Registers that act.
  static constexpr std::size_t kActing =
      (std::size_t{0} + ... + (Kind::template kActs<Regs> ? 1U : 0U));
  /// Each register that acts has one row, and no other has any.
  static constexpr bool kEveryRegister =
      ((kRows<Regs> == (Kind::template kActs<Regs> ? 1 : 0)) && ...);
  /// Each row has a register.
  static constexpr bool kEveryRow = (kUsed<Rows> && ...);
};

/// The handlers of one kind of access, by number. `Call` makes a function of a row.
template <class Kind, class Function, class Call, class List, class... Rows>
struct Handlers;
template <class Kind,
          class Function,
          class Call,
          template <class...>
          class List,
          class... Regs,
          class... Rows>
struct Handlers<Kind, Function, Call, List<Regs...>, Rows...> {
  using Covered = Coverage<Kind, List<Regs...>, Rows...>;

  static constexpr std::size_t kCount = Covered::kActing;
  [[nodiscard]] static constexpr const std::array<Function, kCount>& table() noexcept {
    return kTable;
  }

 private:
  template <class Row>
  static constexpr bool check_row() {
    static_assert(Covered::template kUsed<Row>, "a handler whose register does not act");
    return true;
  }
  template <class R>
  static constexpr Function find() {
    static_assert(Covered::template kRows<R> != 0, "a register that acts has no handler");
    static_assert(Covered::template kRows<R> < 2, "a register that acts has two handlers");
    Function found = nullptr;
    ((Covered::template kIsFor<Rows, R> ? found = Call::template of<Rows>() : found), ...);
    return found;
  }
  template <class R>
  static constexpr void put(std::array<Function, kCount>& table, std::size_t& at) {
    if constexpr (Kind::template kActs<R>) {
      table.at(at++) = find<R>();
    } else {
      static_assert(Covered::template kRows<R> == 0, "a handler for a register that does not act");
    }
  }
  static constexpr std::array<Function, kCount> make() {
    (check_row<Rows>(), ...);
    std::array<Function, kCount> table{};
    std::size_t at = 0;
    (put<Regs>(table, at), ...);
    return table;
  }
  static constexpr std::array<Function, kCount> kTable = make();
};

/// What the functions in a table look like, and how they are made of rows.
template <class Chip, class Value>
struct ReadCall {
  using Function = Value (*)(Chip&, std::size_t place) noexcept;
  template <class Row>
  static constexpr Function of() {
    return [](Chip& chip, std::size_t place) noexcept -> Value {
      auto& object = Row::object(chip);
      if constexpr (std::is_invocable_v<decltype(Row::kFunction), decltype(object)>) {
        static_assert(std::is_nothrow_invocable_v<decltype(Row::kFunction), decltype(object)>);
        return (object.*Row::kFunction)();
      } else {
        static_assert(
            std::is_nothrow_invocable_v<decltype(Row::kFunction), decltype(object), std::size_t>);
        return (object.*Row::kFunction)(place);
      }
    };
  }
};
template <class Chip, class Value>
struct WriteCall {
  using Function = void (*)(Chip&, std::size_t place, Value value) noexcept;
  template <class Row>
  static constexpr Function of() {
    return [](Chip& chip, std::size_t place, Value value) noexcept {
      auto& object = Row::object(chip);
      if constexpr (std::is_invocable_v<decltype(Row::kFunction), decltype(object), Value>) {
        static_assert(
            std::is_nothrow_invocable_v<decltype(Row::kFunction), decltype(object), Value>);
        (object.*Row::kFunction)(value);
      } else {
        static_assert(std::is_nothrow_invocable_v<decltype(Row::kFunction), decltype(object),
                                                  std::size_t, Value>);
        (object.*Row::kFunction)(place, value);
      }
    };
  }
};

template <class Chip, class Value, class List, class... Rows>
using ReadHandlers = Handlers<Reading,
                              typename ReadCall<Chip, Value>::Function,
                              ReadCall<Chip, Value>,
                              List,
                              Rows...>;
template <class Chip, class Value, class List, class... Rows>
using WriteHandlers = Handlers<Writing,
                               typename WriteCall<Chip, Value>::Function,
                               WriteCall<Chip, Value>,
                               List,
                               Rows...>;

}  // namespace dm::reg
