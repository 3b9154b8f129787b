// SPDX-License-Identifier: MIT
// A chip's table of handlers beside its list of registers. What must not compile is asked of
// Coverage, from which the table's own checks come.
#include "core/reg/handlers.h"
#include "core/reg/map.h"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>

namespace {

namespace reg = dm::reg;
using reg::On;

template <class... Regs>
struct List {};

// A chip with a part, storage, registers that act, and two counters that one handler serves.
struct SCRATCH : reg::Reg<"SCRATCH", 0x00, std::uint32_t> {};
struct CTRL : reg::Reg<"CTRL", 0x04, std::uint32_t> {
  static constexpr bool kWriteActs = true;
};
struct CAUSE : reg::Reg<"CAUSE", 0x08, std::uint32_t> {
  static constexpr bool kReadActs = true, kWriteActs = true;
};
struct Counter {};
struct SENT : reg::Reg<"SENT", 0x0c, std::uint32_t>, Counter {
  static constexpr bool kReadActs = true;
};
struct LOST : reg::Reg<"LOST", 0x10, std::uint32_t>, Counter {
  static constexpr bool kReadActs = true;
};
struct UNLISTED : reg::Reg<"UNLISTED", 0x14, std::uint32_t> {
  static constexpr bool kReadActs = true, kWriteActs = true;
};
using Registers = List<SCRATCH, CTRL, SENT, CAUSE, LOST>;

struct Part {
  std::uint32_t causes = 0;
  std::uint32_t take() noexcept {
    const std::uint32_t all = causes;
    causes = 0;
    return all;
  }
  void raise(std::uint32_t value) noexcept { causes |= value; }
};
struct Chip {
  Part part;
  std::uint32_t control = 0;
  std::size_t counter = 0;
  void write_control(std::uint32_t value) noexcept { control = value; }
  std::uint32_t read_counter(std::size_t place) noexcept {
    counter = place;
    return 7;
  }
};

using OnCtrl = On<CTRL, &Chip::write_control>;
using OnCause = On<CAUSE, &Chip::part, &Part::raise>;
using OnTake = On<CAUSE, &Chip::part, &Part::take>;
using OnCount = On<Counter, &Chip::read_counter>;

template <class... Rows>
constexpr bool reading_fits() {
  using Covered = reg::Coverage<reg::Reading, Registers, Rows...>;
  return Covered::kEveryRegister && Covered::kEveryRow;
}
template <class... Rows>
constexpr bool writing_fits() {
  using Covered = reg::Coverage<reg::Writing, Registers, Rows...>;
  return Covered::kEveryRegister && Covered::kEveryRow;
}

BOOST_AUTO_TEST_SUITE(register_handlers)

BOOST_AUTO_TEST_CASE(a_table_with_a_row_for_each_register_that_acts_is_whole) {
  static_assert(writing_fits<OnCtrl, OnCause>());
  static_assert(reading_fits<OnTake, OnCount>());
  static_assert(writing_fits<OnCause, OnCtrl>(), "in any order");
  static_assert(
      reading_fits<OnTake, On<SENT, &Chip::read_counter>, On<LOST, &Chip::read_counter>>());
  BOOST_TEST((reg::Coverage<reg::Reading, Registers>::kActing == 3U));
  BOOST_TEST((reg::Coverage<reg::Writing, Registers>::kActing == 2U));
}

BOOST_AUTO_TEST_CASE(a_forgotten_handler_is_found) {
  static_assert(!writing_fits<OnCtrl>());
  static_assert(!writing_fits<OnCause>());
  static_assert(!writing_fits<>());
  static_assert(!reading_fits<OnCount>());
  static_assert(!reading_fits<OnTake, On<SENT, &Chip::read_counter>>(), "one of a family");
  BOOST_TEST(!(reg::Coverage<reg::Writing, Registers, OnCtrl>::kEveryRegister));
}

BOOST_AUTO_TEST_CASE(a_handler_without_a_register_is_found) {
  // Of a register that does not act, that acts on the other kind of access, or that is not listed.
  static_assert(!writing_fits<OnCtrl, OnCause, On<SCRATCH, &Chip::write_control>>());
  static_assert(!writing_fits<OnCtrl, OnCause, On<SENT, &Chip::write_control>>());
  static_assert(!writing_fits<OnCtrl, OnCause, On<UNLISTED, &Chip::write_control>>());
  BOOST_TEST(!(reg::Coverage<reg::Writing, Registers, OnCtrl, OnCause,
                             On<UNLISTED, &Chip::write_control>>::kEveryRow));
}

BOOST_AUTO_TEST_CASE(two_handlers_of_one_register_are_found) {
  static_assert(!writing_fits<OnCtrl, OnCtrl, OnCause>());
  static_assert(!reading_fits<OnTake, OnCount, On<SENT, &Chip::read_counter>>());
  BOOST_TEST(
      (reg::Coverage<reg::Reading, Registers, OnTake, OnCount,
                     On<SENT, &Chip::read_counter>>::kEveryRow));  // the register has too many
}

BOOST_AUTO_TEST_CASE(handlers_are_numbered_in_the_order_of_the_list) {
  using Write = reg::WriteHandlers<Chip, std::uint32_t, Registers, OnCause, OnCtrl>;
  using Read = reg::ReadHandlers<Chip, std::uint32_t, Registers, OnTake, OnCount>;
  static_assert(Write::kCount == 2 && Read::kCount == 3);
  Chip chip;
  Write::table()[0](chip, CTRL::kOffset, 0x55);
  BOOST_TEST(chip.control == 0x55U);
  Write::table()[1](chip, CAUSE::kOffset, 0x0f);
  BOOST_TEST(chip.part.causes == 0x0fU);
  BOOST_TEST(Read::table()[0](chip, SENT::kOffset) == 7U);
  BOOST_TEST(chip.counter == SENT::kOffset);
  BOOST_TEST(Read::table()[1](chip, CAUSE::kOffset) == 0x0fU);
  BOOST_TEST(chip.part.causes == 0U);
  BOOST_TEST(Read::table()[2](chip, LOST::kOffset) == 7U);
  BOOST_TEST(chip.counter == LOST::kOffset);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
