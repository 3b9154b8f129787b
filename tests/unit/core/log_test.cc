// SPDX-License-Identifier: MIT
#include "core/obs/log.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

std::vector<std::string> lines;
void collect(dm::log::Level /*level*/, std::string_view line) noexcept {
  lines.emplace_back(line);
}

struct Collected {
  Collected() {
    lines.clear();
    dm::log::set_sink(&collect);
  }
  Collected(const Collected&) = delete;
  Collected& operator=(const Collected&) = delete;
  ~Collected() { dm::log::set_sink(nullptr); }
};

BOOST_FIXTURE_TEST_SUITE(logging, Collected)

BOOST_AUTO_TEST_CASE(parts_are_joined_and_numbers_printed) {
  dm::log::info("disk ", 2, " at ", dm::log::hex(0x1f0), " read-only ", true, " size ",
                std::uint64_t{1} << 40);
  BOOST_TEST_REQUIRE(lines.size() == 1U);
  BOOST_TEST(lines[0] == "disk 2 at 0x1f0 read-only yes size 1099511627776");
}

BOOST_AUTO_TEST_CASE(control_characters_cannot_reach_a_terminal) {
  dm::log::warning("name \x1b[2J\r\n\x7f end");
  BOOST_TEST(lines.at(0) == "name ?[2J??? end");
}

BOOST_AUTO_TEST_CASE(a_line_too_long_is_cut) {
  dm::log::info(std::string(5000, 'x'));
  BOOST_TEST(lines.at(0).size() == dm::log::Line::kCapacity);
}

BOOST_AUTO_TEST_CASE(what_a_guest_repeats_is_limited_and_counted) {
  dm::log::Limit limit{3, 3'600'000'000'000};
  for (int i = 0; i < 1000; ++i) {
    limit.warning("guest did it again");
  }
  BOOST_TEST(lines.size() == 3U);
  BOOST_TEST(limit.suppressed() == 997U);
}

BOOST_AUTO_TEST_CASE(held_back_lines_are_told_with_the_next_one_that_passes) {
  dm::log::Limit limit{1, 1};  // refills every nanosecond
  limit.warning("first");
  dm::log::Limit slow{1, 200'000'000};
  slow.warning("a");
  slow.warning("b");
  BOOST_TEST(slow.suppressed() == 1U);
  BOOST_TEST(lines.size() == 2U);
}

BOOST_AUTO_TEST_CASE(limited_lines_keep_their_level_and_share_the_limit) {
  static std::vector<dm::log::Level> levels;
  levels.clear();
  dm::log::set_sink(
      [](dm::log::Level level, std::string_view) noexcept { levels.push_back(level); });
  dm::log::Limit limit{3};
  limit.info("a");
  limit.warning("b");
  limit.error("c");
  limit.info("d");
  dm::log::set_sink(nullptr);
  using enum dm::log::Level;
  BOOST_TEST((levels == std::vector{info, warning, error}));
  BOOST_TEST(limit.suppressed() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
