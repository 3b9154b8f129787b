// SPDX-License-Identifier: MIT
// The process: what libxl starts. Reads the command line, opens images and serial ports, takes its
// place at Xen, serves the guest until a signal or the guest's end, and leaves nothing behind.

#include "core/obs/log.h"
#include "core/text/number.h"
#include "ioreq/daemon/daemon.h"
#include "ioreq/daemon/inspect_state.h"
#include "ioreq/daemon/probe_session.h"
#include "ioreq/daemon/pv_session.h"
#include "platform/toolstack/command_line/command_line.h"
#include "platform/toolstack/command_line/help.h"
#include "platform/toolstack/command_line/start_log.h"
#include "platform/toolstack/qmp/inspect_client.h"
#include "platform/toolstack/qmp/screen_client.h"
#include "platform/toolstack/xl_config/check.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
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

dm::Result<boost::json::object> inspection(std::span<const std::string_view> what) {
  if (what.size() == 2 && what.front() == "--state") {
    return dm::inspect_state(std::string{what.back()});
  }
  const auto domid = dm::parse_number<std::uint32_t>(what.size() == 1 ? what.front() : "");
  if (!domid) {
    return dm::Error{
        "usage: stubdm inspect DOMID [--json], where xl list shows the ids; or stubdm inspect "
        "--state FILE [--json], for what xl save wrote"};
  }
  return dm::toolstack::ask_inspection(*domid);
}

/// What its screen shows, as a picture.
int shoot(std::string_view domain, const std::string& file) {
  const auto domid = dm::parse_domid(domain);
  if (!domid) {
    return refuse(dm::Error{"usage: stubdm inspect DOMID --screen FILE.png"});
  }
  const auto picture = dm::toolstack::ask_screen(*domid);
  if (!picture) {
    return refuse(picture.error());
  }
  const auto written = dm::toolstack::write_png(*picture, file);
  return written ? 0 : refuse(written.error());
}

/// stubdm inspect DOMID [--json], stubdm inspect DOMID --screen FILE, stubdm inspect --state FILE
/// [--json]
int inspect(std::span<const std::string_view> arguments) {
  if (arguments.size() == 3 && arguments[1] == "--screen") {
    return shoot(arguments[0], std::string{arguments[2]});
  }
  const bool as_json = !arguments.empty() && arguments.back() == "--json";
  const auto answer = inspection(arguments.first(arguments.size() - (as_json ? 1 : 0)));
  if (!answer) {
    return refuse(answer.error());
  }
  const std::string text =
      as_json ? dm::toolstack::inspection_json(*answer) : dm::toolstack::inspection_text(*answer);
  std::fputs(text.c_str(), stdout);
  return 0;
}

int run(const std::vector<std::string_view>& arguments) {
  if (!arguments.empty() && arguments.front() == "inspect") {
    return inspect(std::span{arguments}.subspan(1));
  }
  const auto invocation = dm::toolstack::parse_command_line(
      arguments, {.console_limit = environment("XEN_QEMU_CONSOLE_LIMIT")});
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
      const auto report = dm::toolstack::check_guest_file(invocation->file);
      std::fputs(report.text.c_str(),
                 report.exit_status == dm::toolstack::CheckReport::kUnreadable ? stderr : stdout);
      return report.exit_status;
    }
    case Action::probe: {
      const auto answered = dm::serve_probe(invocation->config);
      return answered ? 0 : refuse(answered.error());
    }
    case Action::serve:
      break;
  }
  dm::log::set_budget(invocation->log_budget);
  dm::toolstack::log_start(invocation->config);
  const auto served = invocation->config.pv
                          ? dm::serve_pv_domain(invocation->config, invocation->console_limit)
                          : dm::Daemon::serve(invocation->config);
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
