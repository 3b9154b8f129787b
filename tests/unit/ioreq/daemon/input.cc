// SPDX-License-Identifier: MIT
// Where a viewer's keys and pointer end. SECURITY.md, part G: K1.
#include "ioreq/machine/input.h"

#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace dm::test {
namespace {

class Tablet final : public PointerDevice {
 public:
  [[nodiscard]] bool ready() const noexcept override { return listens; }
  void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) noexcept override {
    told.push_back(std::to_string(x) + " " + std::to_string(y) + " " + std::to_string(buttons));
  }
  bool listens = true;
  std::vector<std::string> told;
};

struct Rig : Machine {
  Rig() : input{chipset.keyboard()} {
    kbc.command(0x60, 0x47);
    kbc.command(0xa8);
    kbc.command(0xd4, 0xf4);  // the mouse reports
    (void)come();
  }
  [[nodiscard]] std::vector<int> come() {
    std::vector<int> bytes;
    while (const auto byte = kbc.read()) {
      bytes.push_back(*byte);
    }
    return bytes;
  }
  Input input;
  Tablet tablet;
};

using Bytes = std::vector<int>;
using Told = std::vector<std::string>;

BOOST_FIXTURE_TEST_SUITE(machine_input, Rig)

BOOST_AUTO_TEST_CASE(without_a_tablet_movements_go_to_the_mouse) {
  BOOST_TEST(!input.absolute());
  input.pointer_by(3, 4, 1);  // right and down
  BOOST_TEST(come() == (Bytes{0x29, 3, 0xfc}), boost::test_tools::per_element());
  input.pointer(100, 200, 4);  // a place means nothing; right button
  BOOST_TEST(come() == (Bytes{0x0a, 0, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_tablet_that_has_a_driver_takes_places) {
  input.add(tablet);
  BOOST_TEST(input.absolute());
  input.pointer(100, 200, 1);
  BOOST_TEST(tablet.told == (Told{"100 200 1"}), boost::test_tools::per_element());
  BOOST_TEST(come().empty());
}

BOOST_AUTO_TEST_CASE(no_button_stays_pressed_at_the_device_before) {
  input.add(tablet);
  input.pointer(100, 200, 1);
  tablet.listens = false;
  input.pointer(101, 201, 1);
  BOOST_TEST(tablet.told.back() == "100 200 0");
  BOOST_TEST(come() == (Bytes{0x09, 0, 0}), boost::test_tools::per_element());
  tablet.listens = true;
  input.pointer(5, 6, 0);
  BOOST_TEST(come() == (Bytes{0x08, 0, 0}), boost::test_tools::per_element());
  BOOST_TEST(tablet.told.back() == "5 6 0");
}

BOOST_AUTO_TEST_CASE(what_is_held_is_released_when_nobody_looks_any_more) {
  input.key(0x1d, true);
  input.key(0xc8, true);
  input.pointer_by(0, 0, 1);
  (void)come();
  input.release_all();
  BOOST_TEST(come() == (Bytes{0x9d, 0xe0, 0xc8, 0x08, 0, 0}), boost::test_tools::per_element());
  input.release_all();
  BOOST_TEST(come().empty());
}

BOOST_AUTO_TEST_CASE(a_key_that_was_never_pressed_is_not_released) {
  for (int code = 0; code < 256; ++code) {
    input.key(static_cast<std::uint8_t>(code), false);
  }
  BOOST_TEST(come().empty());
}

BOOST_AUTO_TEST_CASE(all_keys_down_without_end_is_harmless) {
  for (int round = 0; round < 20; ++round) {
    for (int code = 0; code < 256; ++code) {
      input.key(static_cast<std::uint8_t>(code), true);
      input.pointer_by(-32768, 32767, static_cast<std::uint8_t>(code));
    }
  }
  input.release_all();
  BOOST_TEST(validate(chipset.keyboard().state()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
