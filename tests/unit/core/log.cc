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

// What a guest's PV driver, the name of a file or the server of an image brings along.
BOOST_AUTO_TEST_CASE(c1_controls_writing_directions_and_broken_utf8_cannot_reach_a_terminal) {
  dm::log::info("qemu-nbd: ",
                std::string_view{"\u009b31m \x9b \u202e \u2028 \ufeff \xc0\xaf \xed\xa0\x80"});
  BOOST_TEST(lines.at(0) == "qemu-nbd: ?31m ? ? ? ? ?? ???");
  dm::log::info("Grüße");
  BOOST_TEST(lines.at(1) == "Grüße");
}

BOOST_AUTO_TEST_CASE(a_line_is_cut_between_characters) {
  dm::log::info(std::string(dm::log::Line::kCapacity - 1, 'x'), "ä");
  BOOST_TEST(lines.at(0) == std::string(dm::log::Line::kCapacity - 1, 'x'));
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

struct Budget : Collected {
  explicit Budget(std::uint64_t bytes = 2000) { dm::log::set_budget(bytes); }
  ~Budget() { dm::log::set_budget(0); }
};

BOOST_FIXTURE_TEST_CASE(a_guest_that_talks_without_end_leaves_half_of_the_budget_to_others,
                        Budget) {
  dm::log::Limit limit{1'000'000};
  for (int i = 0; i < 100'000; ++i) {
    limit.warning("guest did it again");
  }
  BOOST_TEST(lines.size() == 1000U / 19 + 1);
  BOOST_TEST(lines.back().find("not shown from here on") != std::string::npos);
  dm::log::error("the disk does not work any more");
  BOOST_TEST(lines.back() == "the disk does not work any more");
}

BOOST_FIXTURE_TEST_CASE(the_budget_is_all_that_is_written_but_for_one_last_line, Budget) {
  for (int i = 0; i < 1000; ++i) {
    dm::log::error("nine and 1");
  }
  BOOST_TEST(lines.size() == 2000U / 11 + 1);
  BOOST_TEST(lines.back().find("silent from here on") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
