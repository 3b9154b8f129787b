// SPDX-License-Identifier: MIT
// The process: what libxl starts. Reads the command line, opens images and serial ports, takes its
// place at Xen, serves the guest until a signal or the guest's end, and leaves nothing behind.

#include "core/obs/log.h"
#include "ioreq/daemon/daemon.h"
#include "platform/toolstack/check.h"
#include "platform/toolstack/command_line.h"
#include "platform/toolstack/help.h"
#include "platform/toolstack/start_log.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <vector>

namespace {

constexpr int kExitFailure = 1;

std::string_view environment(const char* name) noexcept {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value != nullptr ? std::string_view{value} : std::string_view{};
}

int refuse(const dm::Error& error) {
  dm::toolstack::log_lines(dm::log::Level::error, error.message);
  return kExitFailure;
}

int run(const std::vector<std::string_view>& arguments) {
  const auto invocation =
      dm::toolstack::parse_command_line(arguments, dm::Daemon::capabilities(),
                                        {.console_limit = environment("XEN_QEMU_CONSOLE_LIMIT")});
  if (!invocation) {
    return refuse(invocation.error());
  }
  using Action = dm::toolstack::Invocation::Action;
  switch (invocation->action) {
    case Action::show_help:
      std::fputs(std::string{dm::toolstack::help_text()}.c_str(), stdout);
      return 0;
    case Action::show_version:
      std::fputs(dm::toolstack::version_text().c_str(), stdout);
      return 0;
    case Action::check: {
      const auto report =
          dm::toolstack::check_guest_file(invocation->file, dm::Daemon::capabilities());
      std::fputs(report.text.c_str(),
                 report.exit_status == dm::toolstack::CheckReport::kUnreadable ? stderr : stdout);
      return report.exit_status;
    }
    case Action::serve:
      break;
  }
  dm::log::set_budget(invocation->log_budget);
  dm::toolstack::log_start(invocation->config);
  const auto served = dm::Daemon::serve(invocation->config);
  return served ? 0 : refuse(served.error());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    // Constructors of start-up only: nothing throws once the guest is served.
    dm::log::error(error.what());
    return kExitFailure;
  }
}
