// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_framing.h"

#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace dm::toolstack::test {
namespace {

using Step = ObjectScanner::Step;

bool is_error(Step step) {
  return step == Step::broken || step == Step::not_object || step == Step::too_deep;
}

/// How many bytes make the first object; nothing when none is complete or the text is broken.
std::optional<std::size_t> object_end(std::string_view text, bool* broken = nullptr) {
  ObjectScanner scanner;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Step step = scanner.step(text[i]);
    if (step == Step::complete) {
      return i + 1;
    }
    if (is_error(step)) {
      if (broken != nullptr) {
        *broken = true;
      }
      return std::nullopt;
    }
  }
  return std::nullopt;
}

BOOST_AUTO_TEST_SUITE(qmp_framing)

BOOST_AUTO_TEST_CASE(an_object_ends_with_its_own_brace) {
  BOOST_TEST(object_end("{}").value() == 2U);
  BOOST_TEST(object_end(R"({"a":{"b":[1,{"c":2}]}}{"next":1})").value() == 23U);
}

BOOST_AUTO_TEST_CASE(brackets_inside_strings_do_not_count) {
  BOOST_TEST(object_end(R"({"a":"}]{["})").value() == 12U);
  BOOST_TEST(object_end(R"({"a":"\"}"} )").value() == 11U);
  BOOST_TEST(object_end(R"({"a":"\\"} )").value() == 10U);
}

BOOST_AUTO_TEST_CASE(white_space_may_stand_between_objects) {
  BOOST_TEST(object_end("\r\n\t {}").value() == 6U);
}

BOOST_AUTO_TEST_CASE(an_unfinished_object_is_waited_for) {
  bool broken = false;
  BOOST_TEST(!object_end(R"({"a":")", &broken).has_value());
  BOOST_TEST(!broken);
}

BOOST_DATA_TEST_CASE(what_can_never_become_an_object_is_told_at_once,
                     boost::unit_test::data::make(std::vector<std::string>{
                         "x", "[", "1", "\"", "}", "]", "{]", "{[}", "{\"a\":[}", "{\"a\r\n",
                         std::string{"\0", 1}, "{\x01", "\xff", "{}x"}),
                     text) {
  ObjectScanner scanner;
  bool broken = false;
  for (const char c : text) {
    broken = is_error(scanner.step(c)) || broken;
  }
  BOOST_TEST(broken);
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded_at_32) {
  std::string open;
  std::string close;
  for (int i = 0; i < 31; ++i) {
    open += i % 2 == 0 ? "{\"a\":" : "[";
    close.insert(0, i % 2 == 0 ? "}" : "]");
  }
  BOOST_TEST(object_end(open + "{}" + close.substr(0)).has_value());
  bool broken = false;
  BOOST_TEST(!object_end(open + "{\"a\":{}}" + close, &broken).has_value());
  BOOST_TEST(broken);
}

BOOST_AUTO_TEST_CASE(what_is_complete_is_what_a_parser_takes) {
  const std::string good =
      R"({"execute":"a\u00e9\ud83d\ude00\n","x":[-0.5e+3,0,12,true,false,null,[],{}],)"
      R"("\\ä":{"y":""}} )";
  BOOST_TEST_REQUIRE(object_end(good).value() == good.size() - 1);
  std::mt19937 random{11};
  unsigned taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (unsigned changes = 1 + random() % 2; changes != 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.erase(at, 1 + random() % 3);
          break;
        case 1:
          text.insert(at, 1, good[random() % good.size()]);
          break;
        default:
          text[at] = random() % 4 == 0 ? static_cast<char>(random()) : good[random() % good.size()];
          break;
      }
    }
    boost::system::error_code error;
    boost::json::stream_parser parser;
    const std::size_t read = parser.write_some(text, error);
    const bool valid = !error && parser.done() && parser.release().is_object();
    const auto end = object_end(text);
    BOOST_TEST_REQUIRE(end.has_value() == valid, text);
    BOOST_TEST_REQUIRE((!valid || text.substr(*end, read - *end).find_first_not_of(" \t\r\n") ==
                                      std::string::npos),
                       text);
    taken += valid ? 1 : 0;
  }
  BOOST_TEST(taken > 1000U);
  BOOST_TEST(taken < 19'000U);
}

BOOST_AUTO_TEST_CASE(members_are_counted_at_all_depths) {
  ObjectScanner scanner;
  for (const char c : std::string_view{R"({"a":1,"a":{"b":[{"c":":"},{}]}})"}) {
    (void)scanner.step(c);
  }
  BOOST_TEST(scanner.members() == 4U);
  for (const char c : std::string_view{R"({"x":2})"}) {
    (void)scanner.step(c);
  }
  BOOST_TEST(scanner.members() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
