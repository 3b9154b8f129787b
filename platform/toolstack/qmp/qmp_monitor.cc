// SPDX-License-Identifier: MIT
// `xl qemu-monitor-command GUEST 'info block'`: the queries of QMP, an entry a line, and an honest
// answer to everything else. QEMU answers mistakes in the text too, never by an error.
#include "core/text/printable.h"
#include "platform/toolstack/qmp/qmp_machine.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <string>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

struct Topic {
  std::string_view name;
  std::string_view query;
};
constexpr Topic kTopics[] = {
    {"block", "query-block"},     {"blockstats", "query-blockstats"},
    {"chardev", "query-chardev"}, {"cpus", "query-cpus-fast"},
    {"fdsets", "query-fdsets"},   {"hotpluggable-cpus", "query-hotpluggable-cpus"},
    {"name", "query-name"},       {"pci", "query-pci"},
    {"status", "query-status"},   {"version", "query-version"},
};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string help() {
  std::string text = "There is no human monitor here. What works: help, and info with one of";
  for (const Topic& topic : kTopics) {
    text.append(" ").append(topic.name);
  }
  return text.append("\r\n");
}

std::string show(const QmpResult& result) {
  if (result.has_error()) {
    return result.error().desc + "\r\n";
  }
  const json::array* const list = result->if_array();
  if (list == nullptr) {
    return json::serialize(*result) + "\r\n";
  }
  std::string text;
  for (const json::value& entry : *list) {
    text.append(json::serialize(entry)).append("\r\n");
  }
  return text;
}

/// xl prints it as it is. Names of files and guests are in it.
std::string printable_text(std::string_view text) {
  std::string out;
  for (std::size_t end = 0; (end = text.find("\r\n")) != std::string_view::npos;) {
    append_printable(out, text.substr(0, end));
    out.append("\r\n");
    text.remove_prefix(end + 2);
  }
  append_printable(out, text);
  return out;
}

}  // namespace

void add_monitor_command(QmpCommands& commands) {
  const QmpParameters parameters{
      {"command-line", QmpParameter::Type::string, QmpParameter::Presence::required},
      {"cpu-index", QmpParameter::Type::integer}};
  commands.add("human-monitor-command", parameters, [&commands](QmpCall& call) -> QmpResult {
    const std::string_view command = trim(call.arguments.at("command-line").as_string());
    if (command.starts_with("info ")) {
      const std::string_view wanted = trim(command.substr(5));
      for (const Topic& topic : kTopics) {
        if (topic.name == wanted) {
          const json::object none;
          QmpCall query{none, call.descriptors};
          return json::value(printable_text(show(commands.call(topic.query, query))));
        }
      }
    }
    return json::value(help());
  });
}

}  // namespace dm::toolstack
