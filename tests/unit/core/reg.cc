// SPDX-License-Identifier: MIT
#include "core/reg/field.h"
#include "core/reg/map.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace {

namespace reg = dm::reg;

struct IDENT : reg::Reg<"IDENT", 0x00, std::uint16_t, 0x8086> {};
struct CMD : reg::Reg<"CMD", 0x04, std::uint16_t, 0x0002> {
  using IOSE = reg::Flag<0>;
  using SPEED = reg::Field<9, 8>;
  using FIXED = reg::Flag<1, reg::Access::ro>;
  using Layout = reg::Layout<IOSE, FIXED, SPEED>;
};
struct STS : reg::Reg<"STS", 0x06, std::uint16_t, 0x8280> {
  using ERR = reg::Field<15, 14, reg::Access::w1c>;
  using Layout = reg::Layout<ERR>;
};
struct SCRATCH : reg::Reg<"SCRATCH", 0x10, std::uint32_t, 0xdeadbeef> {
  using Layout = reg::Storage;
};
using Map = reg::Map<0x20, IDENT, CMD, STS, SCRATCH>;
using Bank = reg::Bank<0x20>;

BOOST_AUTO_TEST_SUITE(registers)

BOOST_AUTO_TEST_CASE(a_field_reads_and_replaces_its_own_bits_only) {
  BOOST_TEST(CMD::SPEED::get(std::uint16_t{0x0300}) == 3U);
  BOOST_TEST(CMD::SPEED::with(std::uint16_t{0xffff}, 1) == 0xfdffU);
  BOOST_TEST(CMD::SPEED::with(std::uint16_t{0}, 0xff) == 0x0300U);  // what does not fit is dropped
  BOOST_TEST((reg::Field<63, 0>::get(~std::uint64_t{0}) == ~std::uint64_t{0}));
}

BOOST_AUTO_TEST_CASE(masks_come_from_the_layout) {
  BOOST_TEST(CMD::Layout::kWritable == 0x0301U);
  BOOST_TEST(STS::Layout::kClearable == 0xc000U);
  BOOST_TEST(Map::kWritable[0x05] == 0x03);
  BOOST_TEST(Map::kWritable[0x13] == 0xff);
  BOOST_TEST(Map::find(0x05)->name == "CMD");
  BOOST_TEST(Map::find(0x08) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_bank_starts_at_the_reset_values_and_obeys_the_masks) {
  Bank bank{Map{}};
  BOOST_TEST(bank.read(0, 4) == 0x8086U);
  BOOST_TEST(bank.read(0x10, 4) == 0xdeadbeefU);
  bank.write(0, 2, 0x1234);
  BOOST_TEST(bank.get<IDENT>() == 0x8086U);
  bank.write(0x04, 2, 0xffff);
  BOOST_TEST(bank.get<CMD>() == 0x0303U);
  bank.write(0x04, 2, 0);
  BOOST_TEST(bank.get<CMD>() == 0x0002U);
}

BOOST_AUTO_TEST_CASE(writing_ones_clears_error_bits_and_nothing_else) {
  Bank bank{Map{}};
  bank.write(0x06, 2, 0x0080);
  BOOST_TEST(bank.get<STS>() == 0x8280U);
  bank.write(0x07, 1, 0x80);
  BOOST_TEST(bank.get<STS>() == 0x0280U);
}

BOOST_AUTO_TEST_CASE(accesses_of_any_width_at_any_offset_touch_only_what_they_cover) {
  Bank bank{Map{}};
  bank.write(0x11, 2, 0x1122);
  BOOST_TEST(bank.get<SCRATCH>() == 0xde1122efU);
  BOOST_TEST(bank.read(0x0e, 8) == 0x0000de1122ef0000U);
  bank.write(0x1e, 8, ~std::uint64_t{0});  // past the end: no register there, no harm
  BOOST_TEST(bank.read(0x1e, 8) == 0U);
}

BOOST_AUTO_TEST_CASE(reset_brings_back_presets_too) {
  Bank bank{Map{}};
  bank.preset(0x14, 4, 1);
  bank.allow(0x14, 4, 0xfffffff0);
  bank.write(0x14, 4, 0xffffffff);
  BOOST_TEST(bank.read(0x14, 4) == 0xfffffff1U);
  bank.reset();
  BOOST_TEST(bank.read(0x14, 4) == 1U);
}

BOOST_AUTO_TEST_CASE(loaded_bytes_cannot_change_read_only_bits) {
  Bank bank{Map{}};
  bank.bytes().fill(0xff);
  bank.sanitize();
  BOOST_TEST(bank.get<IDENT>() == 0x8086U);
  BOOST_TEST(bank.get<CMD>() == 0x0303U);
  BOOST_TEST(bank.read(0x08, 4) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
