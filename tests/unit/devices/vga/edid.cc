// SPDX-License-Identifier: MIT
// What the monitor says of itself, read as Linux' drm_edid does.
#include "tests/unit/devices/vga/vga_rig.h"

#include <numeric>

namespace dm::test {
namespace {

struct Timing {
  unsigned width;
  unsigned height;
  unsigned hertz;
};

Timing first_timing(const vga::Edid& edid) {
  const auto byte = [&edid](std::size_t at) { return unsigned{edid.at(at)}; };
  const unsigned clock = byte(54) | byte(55) << 8U;
  const unsigned width = byte(56) | (byte(58) & 0xf0U) << 4U;
  const unsigned blank = byte(57) | (byte(58) & 0x0fU) << 8U;
  const unsigned height = byte(59) | (byte(61) & 0xf0U) << 4U;
  const unsigned vertical_blank = byte(60) | (byte(61) & 0x0fU) << 8U;
  return {width, height, clock * 10'000 / ((width + blank) * (height + vertical_blank))};
}

BOOST_AUTO_TEST_SUITE(vga_edid)

BOOST_AUTO_TEST_CASE(a_block_has_header_version_and_checksum) {
  for (const vga::Monitor monitor :
       {vga::Monitor{}, vga::Monitor{640, 480}, vga::Monitor{1920, 1080}, vga::Monitor{4095, 4095},
        vga::Monitor{vga::Monitor::kLeast, vga::Monitor::kLeast}}) {
    const vga::Edid edid = vga::make_edid(monitor);
    BOOST_TEST((std::accumulate(edid.begin(), edid.end(), 0U) & 0xffU) == 0U);
    BOOST_TEST((edid[0] == 0 && edid[1] == 0xff && edid[6] == 0xff && edid[7] == 0));
    BOOST_TEST(edid[18] == 1);
    BOOST_TEST(edid[126] == 0);  // no more blocks
    const Timing timing = first_timing(edid);
    BOOST_TEST(timing.width == monitor.width);
    BOOST_TEST(timing.height == monitor.height);
    BOOST_TEST(timing.hertz <= 60U);
    BOOST_TEST(timing.hertz >= (monitor.width < 3000 ? 59U : 30U));
  }
}

BOOST_FIXTURE_TEST_CASE(drivers_read_it_in_bar_2_and_zero_behind_it, OneScreen) {
  const vga::Edid edid = vga::make_edid({});
  for (std::uint32_t i = 0; i < 0x400; ++i) {
    BOOST_TEST(guest.mmio_read(VgaDriver::kBar2 + i, 1) == (i < 128 ? edid.at(i) : 0U));
  }
  BOOST_TEST(guest.mmio_read(VgaDriver::kBar2 + 127, 8) == edid[127]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
