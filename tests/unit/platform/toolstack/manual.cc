// SPDX-License-Identifier: MIT
// The manual page and --help against the parser's own table.
#include "platform/toolstack/command_line/help.h"
#include "tests/unit/platform/toolstack/golden.h"

#include <cctype>
#include <fstream>
#include <iterator>

namespace dm::toolstack::test {
namespace {

/// Without roff's ways to write a dash and to change the font.
std::string manual() {
  std::ifstream file{DM_MANUAL};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto remove = [&text](std::string_view what, std::string_view by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
      text.replace(at, what.size(), by);
    }
  };
  for (const char* const font : {"\\fB", "\\fI", "\\fR", "\\fP"}) {
    remove(font, "");
  }
  remove("\\-", "-");
  return text;
}

/// "-m" is not in "-machine", nor in "--m".
bool has_option(const std::string& text, std::string_view name) {
  const std::string option = "-" + std::string{name};
  for (std::size_t at = 0; (at = text.find(option, at)) != std::string::npos; ++at) {
    const char before = at == 0 ? ' ' : text[at - 1];
    const char after = at + option.size() < text.size() ? text[at + option.size()] : ' ';
    const auto in_word = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
    };
    const bool dashes = before == '-' && (at < 2 || !in_word(text[at - 2]));
    if ((!in_word(before) || dashes) && !in_word(after)) {
      return true;
    }
  }
  return false;
}

BOOST_AUTO_TEST_SUITE(manual_page)

BOOST_AUTO_TEST_CASE(every_option_is_in_the_manual_and_in_help) {
  const std::string page = manual();
  BOOST_TEST_REQUIRE(says(page, ".SH SYNOPSIS"));
  for (const OptionName& option : known_options()) {
    BOOST_TEST(has_option(page, option.name), "stubdm.8 lacks -" << option.name);
    BOOST_TEST(has_option(std::string{help_text()}, option.name), "--help lacks -" << option.name);
  }
}

BOOST_AUTO_TEST_CASE(both_tell_what_people_look_for) {
  for (const std::string& text : {manual(), std::string{help_text()}}) {
    for (const char* const part :
         {"stubdm --check", "stubdm inspect", "--json", "device_model_override",
          "xl console -t serial", "/var/log/xen/qemu-dm-GUEST.log", "\"-spin\", \"off\"",
          "SIGTERM"}) {
      BOOST_TEST(says(text, part), "lacks " << part);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_manual_has_the_usual_sections) {
  const std::string page = manual();
  for (const char* const section :
       {"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "XL.CFG", "INSPECT", "FILES", "EXIT STATUS",
        "SIGNALS", "EXAMPLES", "SEE ALSO"}) {
    BOOST_TEST(says(page, std::string{".SH "} + section + "\n"), section);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
