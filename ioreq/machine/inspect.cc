// SPDX-License-Identifier: MIT
#include "ioreq/machine/inspect.h"

#include "core/obs/black_box.h"
#include "ioreq/machine/json_inspector.h"

#include <boost/json/array.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace dm {

namespace json = boost::json;

namespace {

std::string hex(std::uint64_t value) {
  return JsonInspector::hex(value);
}

json::object requests(const Machine& machine) {
  const auto& counters = machine.dispatcher().counters();
  return {{"total", counters.requests},
          {"malformed", counters.malformed},
          {"unknown_type", counters.unknown_type},
          {"not_ram", counters.not_ram},
          {"invalidations", counters.invalidations},
          {"unclaimed_ports", machine.pio().unclaimed()},
          {"unclaimed_memory", machine.mmio().unclaimed()},
          {"unclaimed_config", machine.pci().unclaimed()}};
}

json::object loop(const Machine& machine) {
  const auto& counters = machine.poller().counters();
  return {{"sleeps", counters.sleeps},
          {"spins_won", counters.spins_won},
          {"spins_lost", counters.spins_lost},
          {"longest_stall_us",
           std::chrono::duration_cast<std::chrono::microseconds>(counters.longest_stall).count()}};
}

/// The worst of any one request, and of any one unit of deferred work: core/bounds.h.
json::array costs(const Machine& machine) {
  const auto row = [](std::string_view of, const Cost& worst) {
    return json::object{{"worst_of", of},
                        {"maps", worst.maps},
                        {"image_requests", worst.image_requests},
                        {"sends", worst.sends},
                        {"bytes", worst.bytes}};
  };
  const Meter& meter = machine.work().meter();
  return {row("request", meter.worst_request()), row("unit", meter.worst_unit())};
}

json::object memory(const Machine& machine) {
  const auto& counters = machine.memory().counters();
  return {{"windows", machine.memory().mapped_windows()},
          {"maps", counters.maps},
          {"evictions", counters.evictions},
          {"failures", counters.failures},
          {"remembered", counters.remembered},
          {"invalidations", counters.invalidations}};
}

template <class Regions>
json::array regions(const Regions& all) {
  json::array list;
  for (const auto& region : all) {
    if (region.used) {
      list.push_back(json::object{{"first", hex(region.range.first)},
                                  {"last", hex(region.range.last)},
                                  {"name", region.name},
                                  {"reads", region.reads},
                                  {"writes", region.writes}});
    }
  }
  return list;
}

json::array functions(const Machine& machine) {
  json::array list;
  for (unsigned devfn = 0; devfn < 256; ++devfn) {
    const PciBdf bdf{.device = static_cast<std::uint8_t>(devfn >> 3U),
                     .function = static_cast<std::uint8_t>(devfn & 7U)};
    const PciFunction* const function = machine.pci().at(bdf);
    if (function == nullptr) {
      continue;
    }
    json::array windows;
    for (std::uint8_t bar = 0; bar < 6; ++bar) {
      if (function->bar_mapped(bar)) {
        windows.emplace_back(bar);
      }
    }
    const auto& bytes = function->config_space();
    list.push_back(json::object{{"device", bdf.device},
                                {"function", bdf.function},
                                {"name", function->name()},
                                {"mapped_bars", std::move(windows)},
                                {"config", JsonInspector::hex(bytes)}});
  }
  return list;
}

std::string type_name(std::uint8_t type) {
  switch (type) {
    case 0:
      return "port";
    case 1:
      return "memory";
    case 2:
      return "config";
    case 8:
      return "invalidate";
    default:
      return "type " + std::to_string(type);
  }
}

/// Newest first.
json::array last_requests(const BlackBox& box) {
  json::array list;
  for (std::uint32_t back = 0; back < BlackBox::kEntries && back < box.recorded(); ++back) {
    const BlackBox::Entry entry = box.last(back);
    list.push_back(json::object{{"vcpu", entry.vcpu},
                                {"type", type_name(entry.type)},
                                {"direction", entry.is_read != 0 ? "read" : "write"},
                                {"addr", hex(entry.addr)},
                                {"size", entry.size},
                                {"count", entry.count},
                                {"data", hex(entry.data)}});
  }
  return list;
}

}  // namespace

json::object inspect(const Machine& machine, const MachineConfig& config) {
  // Null and empty: places for what devices tell, in the order in which people read it, and lists
  // that are there although nothing is in them. What has no place here comes behind.
  json::object all{{"domid", config.domid},
                   {"name", config.name},
                   {"vcpus_online", nullptr},
                   {"vcpus_max", config.vcpus_max},
                   {"requests", requests(machine)},
                   {"loop", loop(machine)},
                   {"costs", costs(machine)},
                   {"memory", memory(machine)},
                   {"ports", regions(machine.pio().regions())},
                   {"windows", regions(machine.mmio().regions())},
                   {"pci", functions(machine)},
                   {"chipset", nullptr},
                   {"ide", nullptr},
                   {"drives", json::array{}},
                   {"network", json::array{}},
                   {"serial", json::array{}}};
  JsonInspector inspector{all};
  for (const auto& device : machine.devices()) {
    device->inspect(inspector);
  }
  if (machine.black_box() != nullptr) {
    all["last_requests"] = last_requests(*machine.black_box());
  }
  return all;
}

}  // namespace dm
