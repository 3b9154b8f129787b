// SPDX-License-Identifier: MIT
#include "platform/linux/process/start_pages.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

/// KiB of files that this process has in its view.
std::uint64_t file_pages() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) {
      std::istringstream rest{line.substr(8)};
      std::uint64_t kib = 0;
      rest >> kib;
      return kib;
    }
  }
  return 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_only_the_start_needed_leaves_memory_and_everything_still_works) {
  std::ostringstream before;
  before << 1234567 << ' ' << 2.5;
  const std::uint64_t at_start = file_pages();
  dm::host::drop_start_pages();
  const std::uint64_t afterwards = file_pages();
  BOOST_TEST(afterwards < at_start / 2);
  std::ostringstream after;
  after << 1234567 << ' ' << 2.5;
  BOOST_TEST(after.str() == before.str());
  BOOST_CHECK_THROW(static_cast<void>(std::stoi("not a number")), std::invalid_argument);
}
