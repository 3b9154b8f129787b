// SPDX-License-Identifier: MIT
#include "platform/toolstack/command_line/help.h"
#include "platform/toolstack/command_line/refusals.h"
#include "platform/toolstack/command_line/start_log.h"
#include "platform/toolstack/version.h"
#include "tests/unit/platform/toolstack/golden.h"

#include <sstream>

namespace dm::toolstack::test {
namespace {

std::vector<std::string>* g_lines = nullptr;

/// Catches the log for one test.
class CaughtLog {
 public:
  CaughtLog() {
    g_lines = &lines;
    log::set_sink([](log::Level, std::string_view line) noexcept { g_lines->emplace_back(line); });
  }
  CaughtLog(const CaughtLog&) = delete;
  CaughtLog& operator=(const CaughtLog&) = delete;
  ~CaughtLog() { log::set_sink(nullptr); }

  std::vector<std::string> lines;
};

BOOST_AUTO_TEST_SUITE(help_and_log)

BOOST_AUTO_TEST_CASE(help_and_version_are_asked_for_with_one_dash_or_two) {
  for (const std::string_view option : {"--help", "-help", "-h"}) {
    BOOST_TEST((parse(Arguments{option}).value().action == Invocation::Action::show_help));
  }
  for (const std::string_view option : {"--version", "-version"}) {
    BOOST_TEST((parse(Arguments{option}).value().action == Invocation::Action::show_version));
  }
}

BOOST_AUTO_TEST_CASE(a_value_that_looks_like_help_is_a_value) {
  BOOST_TEST(machine_of({.name = {"-name", "--help"}}).name == "--help");
}

BOOST_AUTO_TEST_CASE(help_teaches_the_lines_of_xl_cfg) {
  const std::string help{help_text()};
  for (const char* const part : {"device_model_override", "vga = \"stdvga\"", "xl vncviewer",
                                 "usbdevice = \"tablet\"", "serial = \"pty\"", "format=raw",
                                 "type=vif", "xl create", "/var/log/xen/qemu-dm-", "--version"}) {
    BOOST_TEST(says(help, part), "help lacks " << part);
  }
  std::istringstream lines{help};
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST(line.size() <= 110U, line);
  }
}

BOOST_AUTO_TEST_CASE(version_is_the_build_s) {
  BOOST_TEST(version_text() == "stubdm " + std::string{version()} + "\n");
  BOOST_TEST(!version().empty());
}

BOOST_AUTO_TEST_CASE(the_first_lines_of_the_log_tell_version_domain_name_and_notes) {
  const MachineConfig machine = machine_of({.name = {"-name", "my\033guest"},
                                            .vnc = {"-vnc", "127.0.0.1:0,to=99"},
                                            .serial = {"-serial", "pty", "-nographic"}});
  CaughtLog caught;
  log_start(machine);
  BOOST_TEST_REQUIRE(caught.lines.size() == 2U);
  BOOST_TEST(says(caught.lines[0], version()));
  BOOST_TEST(says(caught.lines[0], "domain 7 'my?guest'"), caught.lines[0]);
  BOOST_TEST(says(caught.lines[0], "1 of 1 vCPUs"));
  BOOST_TEST(says(caught.lines[1], "-vnc (there is no graphics card"), caught.lines[1]);
  BOOST_TEST(says(caught.lines[1], "-nographic"));
}

BOOST_AUTO_TEST_CASE(a_card_that_was_swapped_has_its_words_in_the_log) {
  CaughtLog caught;
  log_start(machine_of({.graphics = {"-device", "cirrus-vga,vgamem_mb=8"}}));
  BOOST_TEST_REQUIRE(caught.lines.size() == 2U);
  BOOST_TEST(says(caught.lines[0], "a screen"), caught.lines[0]);
  BOOST_TEST(says(caught.lines[1], "the guest gets the standard VGA card"), caught.lines[1]);
}

BOOST_AUTO_TEST_CASE(the_first_line_of_the_log_tells_how_long_to_spin) {
  for (const auto& [value, told] : {std::pair{"auto", "spin auto"}, std::pair{"off", "spin off"},
                                    std::pair{"20", "spin at most 20 us"}}) {
    CaughtLog caught;
    log_start(machine_of({.device_model_args = {"-spin", value}}));
    BOOST_TEST(says(caught.lines.at(0), told), caught.lines.at(0));
  }
}

BOOST_AUTO_TEST_CASE(without_notes_the_log_starts_with_one_line) {
  CaughtLog caught;
  log_start(machine_of({}));
  BOOST_TEST(caught.lines.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_long_message_reaches_the_log_whole) {
  std::string message = "first\n";
  for (int i = 0; i < 500; ++i) {
    message += "word" + std::to_string(i) + " ";
  }
  message += "\nlast";
  CaughtLog caught;
  log_lines(log::Level::error, message);
  BOOST_TEST(caught.lines.front() == "first");
  BOOST_TEST(caught.lines.back() == "last");
  std::string all;
  for (std::size_t i = 1; i + 1 < caught.lines.size(); ++i) {
    BOOST_TEST(caught.lines[i].size() <= log::Line::kCapacity);
    all += caught.lines[i];
  }
  BOOST_TEST(says(message, all));
  BOOST_TEST(says(all, "word499"));
}

BOOST_AUTO_TEST_CASE(a_line_without_spaces_is_cut_where_it_must_be) {
  CaughtLog caught;
  log_lines(log::Level::error, std::string(2500, 'x'));
  BOOST_TEST(caught.lines.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_long_word_is_cut_between_characters) {
  std::string word;
  for (int i = 0; i < 1500; ++i) {
    word += "ä";
  }
  CaughtLog caught;
  log_lines(log::Level::error, "x" + word);
  std::string all;
  for (const std::string& line : caught.lines) {
    all += line;
  }
  BOOST_TEST(all == "x" + word);
}

BOOST_AUTO_TEST_CASE(every_refusal_has_a_setting_and_something_to_write) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Unserved::count_); ++i) {
    const RefusalText& text = refusal_text(static_cast<Unserved>(i));
    BOOST_TEST(!text.seen.empty(), "row " << i);
    BOOST_TEST(!text.setting.empty(), "row " << i);
    BOOST_TEST(!text.write.empty(), "row " << i);
    BOOST_TEST(!text.cost.empty(), "row " << i);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
