// SPDX-License-Identifier: MIT
// What can be added to a running guest: vCPUs, and nothing else. libxl 4.17 (libxl_domain.c, xl
// vcpu-set) asks query-cpus-fast for what is there, takes "type" from query-hotpluggable-cpus and
// sends device_add for each missing one; cpu-add is its way with an older QEMU. It never takes a
// vCPU away: shrinking is between it and the guest, by xenstore.
#include "platform/toolstack/qmp/qmp_machine.h"

#include <boost/json/array.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

/// Any name will do: libxl gives back the one it was told.
constexpr std::string_view kVcpuDriver = "xen-vcpu";

QmpError error(std::string desc) {
  return {kGenericError, std::move(desc)};
}

/// A whole number of 0 to 127; nothing for anything else.
std::optional<unsigned> small_number(const json::object& arguments, std::string_view key) {
  const json::value* const value = arguments.if_contains(key);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0 ||
      value->get_int64() > 127) {
    return std::nullopt;
  }
  return static_cast<unsigned>(value->get_int64());
}

std::string_view text(const json::object& arguments, std::string_view key) {
  const json::value* const value = arguments.if_contains(key);
  const json::string* const string = value != nullptr ? value->if_string() : nullptr;
  return string != nullptr ? std::string_view{*string}.substr(0, 64) : std::string_view{};
}

QmpResult plug(MachineControl& machine, std::optional<unsigned> index) {
  if (!index) {
    return error("the number of the vCPU is missing, or no number of a vCPU");
  }
  const std::string name = "vCPU " + std::to_string(*index);
  switch (machine.plug_vcpu(*index)) {
    case PlugResult::done:
      return json::object{};
    case PlugResult::already_there:
      return error(name + " is there already");
    case PlugResult::out_of_range:
      return error(name + " is beyond maxvcpus=" + std::to_string(machine.vcpus_max()) +
                   " of the guest's configuration");
    case PlugResult::no_acpi:
      break;
  }
  return error(name + " cannot be announced to a guest without ACPI (acpi=0)");
}

/// Of a vCPU to be added.
std::optional<QmpError> unknown_property(const json::object& arguments) {
  static constexpr std::string_view kProperties[] = {"driver",    "id",      "bus",
                                                     "socket-id", "core-id", "thread-id"};
  for (const auto& property : arguments) {
    if (std::ranges::find(kProperties, std::string_view{property.key()}) == std::end(kProperties)) {
      return error("Property '" + std::string{kVcpuDriver} + "." +
                   std::string{property.key().substr(0, 64)} + "' not found");
    }
  }
  return std::nullopt;
}

QmpResult device_add(MachineControl& machine, const json::object& arguments) {
  if (!arguments.contains("driver")) {
    return error("Parameter 'driver' is missing");
  }
  const std::string_view driver = text(arguments, "driver");
  if (driver == kVcpuDriver) {
    if (auto unknown = unknown_property(arguments)) {
      return std::move(*unknown);
    }
    for (const std::string_view key : {"core-id", "thread-id"}) {
      if (arguments.contains(key) && small_number(arguments, key) != 0U) {
        return error(std::string{key} + " has to be 0: a vCPU is a socket of its own");
      }
    }
    return plug(machine, small_number(arguments, "socket-id"));
  }
  if (driver == "xen-pci-passthrough") {
    return error("there is no PCI passthrough: take pci= out of the guest's configuration");
  }
  if (driver.starts_with("usb-") || driver.find("hci") != std::string_view::npos) {
    return error(
        "nothing is plugged into USB while the guest runs: take usbctrl= and usbdev= out of its "
        "configuration; usb=, usbdevice= and usbversion=1 are served");
  }
  return error("'" + std::string{driver} + "' cannot be added to a running guest");
}

QmpResult device_del(const json::object& arguments) {
  const std::string_view id = text(arguments, "id");
  if (id.starts_with("cpu-")) {
    return error("vCPUs leave by the guest's own doing: xl vcpu-set tells it through xenstore");
  }
  if (id.starts_with("pci-pt-")) {
    return error("there is no PCI passthrough: take pci= out of the guest's configuration");
  }
  return QmpError{kDeviceNotFound, "Device '" + std::string{id} + "' not found"};
}

QmpResult list_online(const MachineControl& machine, std::string_view key) {
  json::array list;
  for (unsigned cpu = 0; cpu < machine.vcpus_max(); ++cpu) {
    if (machine.vcpu_online(cpu)) {
      list.push_back(json::object{{key, cpu}});
    }
  }
  return list;
}

/// As QEMU lists them, the last one first; those that are there have a path.
QmpResult list_hotpluggable(const MachineControl& machine) {
  json::array list;
  for (unsigned cpu = machine.vcpus_max(); cpu-- != 0;) {
    json::object entry{{"type", kVcpuDriver},
                       {"vcpus-count", 1},
                       {"props", {{"socket-id", cpu}, {"core-id", 0}, {"thread-id", 0}}}};
    if (machine.vcpu_online(cpu)) {
      entry["qom-path"] = "/machine/cpu-" + std::to_string(cpu);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

void add_hotplug_commands(QmpCommands& commands, MachineControl& machine) {
  using Type = QmpParameter::Type;
  using Presence = QmpParameter::Presence;
  commands.add("query-cpus-fast",
               [&machine](QmpCall&) { return list_online(machine, "cpu-index"); });
  commands.add("query-cpus", [&machine](QmpCall&) { return list_online(machine, "CPU"); });
  commands.add("query-hotpluggable-cpus",
               [&machine](QmpCall&) { return list_hotpluggable(machine); });
  commands.add("cpu-add", {{"id", Type::integer, Presence::required}}, [&machine](QmpCall& call) {
    return plug(machine, small_number(call.arguments, "id"));
  });
  // Each driver has properties of its own.
  commands.add("device_add", QmpParameters::any(),
               [&machine](QmpCall& call) { return device_add(machine, call.arguments); });
  commands.add("device_del", {{"id", Type::string, Presence::required}},
               [](QmpCall& call) { return device_del(call.arguments); });
}

}  // namespace dm::toolstack
