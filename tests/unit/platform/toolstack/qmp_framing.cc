// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp_framing.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace dm::toolstack::test {
namespace {

using Step = ObjectScanner::Step;

/// How many bytes make the first object; nothing when none is complete or the text is broken.
std::optional<std::size_t> object_end(std::string_view text, bool* broken = nullptr) {
  ObjectScanner scanner;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Step step = scanner.step(text[i]);
    if (step == Step::complete) {
      return i + 1;
    }
    if (step == Step::broken) {
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
    broken = scanner.step(c) == Step::broken;
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
