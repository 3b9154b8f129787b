// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_probe.h"

#include "platform/toolstack/command_line/command_line.h"

#include <boost/json/array.hpp>

#include <string>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

/// As QEMU lists an option (qapi/misc.json, CommandLineOptionInfo). libxl looks for "run-with" with
/// the parameters "chroot" and "user", and writes -chroot and -runas where it does not find them.
json::object describe(const OptionName& option) {
  json::array parameters;
  for (const std::string_view name : option_parameters(option.name)) {
    parameters.push_back(json::object{{"name", name}, {"type", "string"}});
  }
  return json::object{{"option", option.name}, {"parameters", std::move(parameters)}};
}

}  // namespace

void add_command_line_command(QmpCommands& commands) {
  commands.add("query-command-line-options", {{"option"}}, [](QmpCall& call) -> QmpResult {
    const json::value* const wanted = call.arguments.if_contains("option");
    json::array list;
    for (const OptionName& option : known_options()) {
      const bool is_qemus = option.name != "check" && option.name != "spin";
      if (is_qemus && (wanted == nullptr || wanted->get_string() == option.name)) {
        list.push_back(describe(option));
      }
    }
    if (list.empty()) {
      return QmpError{kGenericError,
                      "invalid option name: " +
                          std::string{std::string_view{wanted->get_string()}.substr(0, 64)}};
    }
    return list;
  });
}

void add_probe_commands(QmpCommands& commands, std::function<void()> quit) {
  add_command_line_command(commands);
  commands.add("query-version", [](QmpCall&) -> QmpResult { return qmp_version(); });
  commands.add("query-status", [](QmpCall&) -> QmpResult {
    return json::object{{"status", "prelaunch"}, {"running", false}, {"singlestep", false}};
  });
  commands.add("quit", [quit = std::move(quit)](QmpCall&) mutable -> QmpResult {
    if (auto now = std::exchange(quit, nullptr)) {
      now();
    }
    return json::object{};
  });
}

}  // namespace dm::toolstack
