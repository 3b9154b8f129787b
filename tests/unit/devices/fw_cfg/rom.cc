// SPDX-License-Identifier: MIT
// The option ROM's headers, as SeaBIOS reads them (src/optionroms.c); PnP BIOS 1.0A. What it does
// is seen in the lab.
#include "tests/unit/devices/fw_cfg/fw_cfg_rig.h"

using namespace dm;

namespace {

struct Rom {
  [[nodiscard]] unsigned byte(std::size_t at) const {
    return std::to_integer<unsigned>(bytes.at(at));
  }
  [[nodiscard]] unsigned word(std::size_t at) const { return byte(at) | byte(at + 1) << 8U; }
  [[nodiscard]] unsigned sum(std::size_t from, std::size_t count) const {
    unsigned total = 0;
    for (std::size_t i = from; i < from + count; ++i) {
      total += byte(i);
    }
    return total & 0xffU;
  }
  [[nodiscard]] std::string text(std::size_t at, std::size_t count) const {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
      out += static_cast<char>(byte(at + i));
    }
    return out;
  }
  std::vector<std::byte> bytes = fw_cfg::boot_rom();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(fw_cfg_rom, Rom)

BOOST_AUTO_TEST_CASE(it_is_an_option_rom_with_a_good_sum) {
  BOOST_TEST(word(0) == 0xaa55U);
  BOOST_TEST(byte(2) * 512 == bytes.size());
  BOOST_TEST(byte(3) == 0xcbU);  // a far return: nothing to initialise
  BOOST_TEST(sum(0, bytes.size()) == 0U);
}

BOOST_AUTO_TEST_CASE(it_has_a_bootstrap_entry_and_a_name) {
  const unsigned pnp = word(0x1a);
  BOOST_TEST(text(pnp, 4) == "$PnP");
  BOOST_TEST(byte(pnp + 5) == 2U);
  BOOST_TEST(word(pnp + 6) == 0U);
  BOOST_TEST(sum(pnp, 32) == 0U);
  BOOST_TEST(text(word(pnp + 0x0e), 6) == "stubdm");
  BOOST_TEST(text(word(pnp + 0x10), 5) == "Linux");
  BOOST_TEST(word(pnp + 0x16) == 0U);  // no BCV
  const unsigned bev = word(pnp + 0x1a);
  BOOST_TEST(bev > pnp + 32U);
  BOOST_TEST(word(bev) == 0x6066U);  // pushal
}

BOOST_AUTO_TEST_SUITE_END()
