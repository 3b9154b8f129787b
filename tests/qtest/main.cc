// SPDX-License-Identifier: MIT
// Stands where QTEST_QEMU_BINARY points.
#include "core/obs/log.h"
#include "tests/qtest/options.h"
#include "tests/qtest/server.h"

#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string_view>
#include <vector>

namespace {

/// What the product tells its administrator is noise in a test's output, but for what went wrong.
void log_problems(dm::log::Level level, std::string_view line) noexcept {
  if (level != dm::log::Level::info) {
    std::fprintf(stderr, "stubdm-qtest: %.*s\n", static_cast<int>(line.size()), line.data());
  }
}

int refuse(std::string_view why) {
  std::cerr << "stubdm-qtest: " << why << '\n';
  return 1;
}

int run(const std::vector<std::string_view>& arguments) {
  const auto options = dm::qtest::parse_options(arguments);
  if (!options) {
    return refuse(options.error().message);
  }
  dm::log::set_sink(&log_problems);
  if (options->exit_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  }
  dm::qtest::Server server{*options};
  if (const auto started = server.start(); !started) {
    return refuse(started.error().message);
  }
  return server.run() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    return refuse(error.what());
  }
}
