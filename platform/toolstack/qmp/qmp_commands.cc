// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_commands.h"

#include "platform/toolstack/qmp/qmp_machine.h"
#include "platform/toolstack/qmp/qmp_probe.h"
#include "platform/toolstack/version.h"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

struct Absent {
  std::string_view name;
  std::string_view why;
};

// What libxl 4.17 can send and this build does not have. The class stays CommandNotFound: libxl
// knows what to do then.
constexpr Absent kAbsent[] = {
    {"change-vnc-password",
     "there is no VNC server: take vncpasswd out of the guest's configuration"},
    {"xen-load-devices-state", "COLO is not supported"},
    {"xen-colo-do-checkpoint", "COLO is not supported"},
};

using Query = QmpResult (*)(const MachineControl&);

QmpResult query_status(const MachineControl& machine) {
  const bool running = machine.running();
  const std::string_view status = running               ? "running"
                                  : machine.prelaunch() ? "prelaunch"
                                                        : "paused";
  return json::object{{"status", status}, {"running", running}, {"singlestep", false}};
}

QmpResult query_version(const MachineControl&) {
  return qmp_version();
}

QmpResult query_chardev(const MachineControl& machine) {
  json::array list;
  for (const ChardevInfo& chardev : machine.chardevs()) {
    list.push_back(json::object{
        {"label", chardev.label}, {"filename", chardev.filename}, {"frontend-open", chardev.open}});
  }
  return list;
}

QmpResult query_vnc(const MachineControl&) {
  return json::object{{"enabled", false}};
}

struct NamedQuery {
  std::string_view name;
  Query query;
};

constexpr NamedQuery kQueries[] = {
    {"query-status", query_status},
    {"query-version", query_version},
    {"query-chardev", query_chardev},
    {"query-vnc", query_vnc},
};

struct NamedAction {
  std::string_view name;
  void (MachineControl::*action)() noexcept;
};

constexpr NamedAction kActions[] = {
    {"cont", &MachineControl::cont},
    {"stop", &MachineControl::stop},
    {"quit", &MachineControl::quit},
    {"system_wakeup", &MachineControl::wake},
};

/// Of a word of the client's, in a message.
constexpr std::size_t kMostQuoted = 64;

bool has_type(const json::value& value, QmpParameter::Type type) noexcept {
  switch (type) {
    case QmpParameter::Type::boolean:
      return value.is_bool();
    case QmpParameter::Type::integer:
      return value.is_int64() || value.is_uint64();
    case QmpParameter::Type::string:
      return value.is_string();
    case QmpParameter::Type::array:
      return value.is_array();
  }
  return false;
}

std::string_view type_name(QmpParameter::Type type) noexcept {
  static constexpr std::string_view kNames[] = {"boolean", "integer", "string", "array"};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace

std::optional<QmpError> QmpParameters::refuse(const json::object& arguments) const {
  if (any_) {
    return std::nullopt;
  }
  for (const QmpParameter& parameter : list_) {
    const json::value* const value = arguments.if_contains(parameter.name);
    const std::string name = "'" + std::string{parameter.name} + "'";
    if (value == nullptr && parameter.presence == QmpParameter::Presence::required) {
      return QmpError{kGenericError, "Parameter " + name + " is missing"};
    }
    if (value != nullptr && !has_type(*value, parameter.type)) {
      return QmpError{kGenericError, "Invalid parameter type for " + name +
                                         ", expected: " + std::string{type_name(parameter.type)}};
    }
  }
  for (const auto& member : arguments) {
    if (std::ranges::find(list_, std::string_view{member.key()}, &QmpParameter::name) ==
        list_.end()) {
      return QmpError{
          kGenericError,
          "Parameter '" + std::string{member.key().substr(0, kMostQuoted)} + "' is unexpected"};
    }
  }
  return std::nullopt;
}

void QmpDescriptors::put(host::UniqueFd fd) noexcept {
  if (size_ < kCapacity) {
    fds_[size_++] = std::move(fd);
  }
}

host::UniqueFd QmpDescriptors::take() noexcept {
  if (size_ == 0) {
    return host::UniqueFd{};
  }
  host::UniqueFd first = std::move(fds_[0]);
  std::move(fds_ + 1, fds_ + size_, fds_);
  --size_;
  return first;
}

QmpCommands::QmpCommands() {
  add("query-commands", [this](QmpCall&) -> QmpResult {
    json::array list{{{"name", "qmp_capabilities"}}};  // the session's own
    for (const Command& command : commands_) {
      list.push_back(json::object{{"name", command.name}});
    }
    return list;
  });
}

void QmpCommands::add(std::string_view name, QmpParameters parameters, QmpHandler handler) {
  const auto found = std::find_if(commands_.begin(), commands_.end(),
                                  [name](const Command& command) { return command.name == name; });
  if (found != commands_.end()) {
    found->parameters = std::move(parameters);
    found->handler = std::move(handler);
  } else {
    commands_.push_back({std::string{name}, std::move(parameters), std::move(handler)});
  }
}

QmpResult QmpCommands::call(std::string_view name, QmpCall& call) const {
  const auto command = std::find_if(commands_.begin(), commands_.end(),
                                    [name](const Command& c) { return c.name == name; });
  if (command != commands_.end()) {
    if (auto refused = command->parameters.refuse(call.arguments)) {
      if (command->parameters.takes_descriptor()) {
        (void)call.descriptors.take();
      }
      return std::move(*refused);
    }
    return command->handler(call);
  }
  std::string desc = "The command ";
  desc.append(name.substr(0, kMostQuoted)).append(" has not been found");
  const auto* const absent = std::find_if(std::begin(kAbsent), std::end(kAbsent),
                                          [name](const Absent& a) { return a.name == name; });
  if (absent != std::end(kAbsent)) {
    desc.append(": ").append(absent->why);
  }
  return QmpError{kCommandNotFound, std::move(desc)};
}

void add_machine_commands(QmpCommands& commands, MachineControl& machine, std::string guest_name) {
  for (const NamedQuery& row : kQueries) {
    commands.add(row.name, [&machine, query = row.query](QmpCall&) { return query(machine); });
  }
  for (const NamedAction& row : kActions) {
    commands.add(row.name, [&machine, action = row.action](QmpCall&) -> QmpResult {
      (machine.*action)();
      return json::object{};
    });
  }
  add_hotplug_commands(commands, machine);
  add_inventory_commands(commands, machine);
  add_monitor_command(commands);
  add_command_line_command(commands);
  commands.add("query-name", [name = std::move(guest_name)](QmpCall&) -> QmpResult {
    return json::object{{"name", name}};
  });
}

json::object qmp_version() {
  std::string package = "stubdm ";
  package.append(version());
  return json::object{{"qemu", {{"micro", 0}, {"minor", 2}, {"major", 7}}}, {"package", package}};
}

}  // namespace dm::toolstack
