// SPDX-License-Identifier: MIT
// xl save of a guest whose device model is in a stub domain.
#include "ioreq/daemon/save_console.h"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dm::test {
namespace {

constexpr const char* kName = "/dev/fdset/1";  // libxl_dom_suspend.c

struct Nodes final : toolstack::XenstoreReader {
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override {
    const auto found = all.find(path);
    return found == all.end() ? std::nullopt : std::optional{found->second};
  }
  [[nodiscard]] std::optional<std::vector<std::string>> list(const std::string&) const override {
    return std::nullopt;
  }
  std::map<std::string, std::string> all;
};

BOOST_AUTO_TEST_SUITE(save_console)

BOOST_AUTO_TEST_CASE(a_state_gets_as_much_padding_as_a_consoles_ring_has_room) {
  SaveConsole console{"/dev/null", true};
  const auto target = console.begin(kName);
  BOOST_TEST_REQUIRE(target.has_value());
  BOOST_TEST(target->padding == 2048U);  // XENCONS_RING, io/console.h: char out[2048]
  BOOST_TEST(!target->file);
  BOOST_TEST(::write(target->fd.get(), "x", 1) == 1);
}

BOOST_AUTO_TEST_CASE(where_the_file_begins_anew_a_guest_is_saved_as_often_as_one_likes) {
  SaveConsole console{"/dev/null", true};
  for (unsigned i = 0; i < 100; ++i) {
    BOOST_TEST(console.begin(kName).has_value());
  }
}

BOOST_AUTO_TEST_CASE(where_it_does_not_the_second_save_is_refused_and_says_what_to_write) {
  SaveConsole console{"/dev/null", false};
  BOOST_TEST(console.begin(kName).has_value());
  const auto second = console.begin(kName);
  BOOST_TEST_REQUIRE(second.has_error());
  BOOST_TEST(second.error().message.find("device_model_override") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_names_and_a_missing_console_are_errors) {
  SaveConsole console{"/dev/null", true};
  for (const char* name : {"", "/dev/fdset/2", "/dev/fdset/11", "/tmp/state"}) {
    BOOST_TEST(console.begin(name).has_error());
  }
  SaveConsole missing{"/dev/there-is-no-hvc1", true};
  const auto why = missing.begin(kName);
  BOOST_TEST_REQUIRE(why.has_error());
  BOOST_TEST(why.error().message.find("No such file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(who_serves_the_console_says_in_xenstore_that_files_begin_anew) {
  Nodes xenstore;
  BOOST_TEST(!saves_begin_anew(xenstore));
  const std::string backend = "/local/domain/0/backend/console/9/1";
  xenstore.all["device/console/1/backend"] = backend;
  BOOST_TEST(!saves_begin_anew(xenstore));
  xenstore.all[backend + "/stubdm-begins-anew"] = "1";
  BOOST_TEST(saves_begin_anew(xenstore));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
