// SPDX-License-Identifier: MIT
// What the machine has, under the member names of QEMU 7.2's schema (qapi/block-core.json,
// qapi/pci.json). Members that only an emulator of many formats knows are left out.
#include "platform/toolstack/qmp/qmp_machine.h"

#include <boost/json/array.hpp>

#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

constexpr std::uint64_t of(const std::array<std::uint64_t, BlockStats::kOps>& row, BlockOp op) {
  return row[static_cast<std::size_t>(op)];
}

/// xentop reads "device" and "inserted"."file" (libxenstat's xenstat_qmp.c).
QmpResult query_block(const MachineControl& machine) {
  json::array list;
  for (const DriveInfo& drive : machine.drives()) {
    json::object entry{{"device", drive.name},   {"qdev", drive.name},
                       {"type", "unknown"},      {"removable", drive.removable},
                       {"locked", drive.locked}, {"io-status", "ok"}};
    if (drive.removable) {
      entry["tray_open"] = drive.tray_open;
    }
    if (!drive.image.empty()) {
      entry["inserted"] = {
          {"file", drive.image},
          {"ro", drive.read_only},
          {"drv", drive.format},
          {"encrypted", false},
          {"backing_file_depth", 0},
          {"cache", {{"writeback", true}, {"direct", false}, {"no-flush", false}}},
          {"image",
           {{"filename", drive.image}, {"format", drive.format}, {"virtual-size", drive.size}}}};
    }
    list.push_back(std::move(entry));
  }
  return list;
}

/// xentop reads "device" and four members of "stats": bytes and operations, read and written.
QmpResult query_blockstats(const MachineControl& machine) {
  json::array list;
  for (const DriveInfo& drive : machine.drives()) {
    const BlockStats& s = drive.stats;
    list.push_back(json::object{{"device", drive.name},
                                {"qdev", drive.name},
                                {"stats",
                                 {{"rd_bytes", of(s.bytes, BlockOp::read)},
                                  {"wr_bytes", of(s.bytes, BlockOp::write)},
                                  {"unmap_bytes", of(s.bytes, BlockOp::discard)},
                                  {"rd_operations", of(s.operations, BlockOp::read)},
                                  {"wr_operations", of(s.operations, BlockOp::write)},
                                  {"flush_operations", of(s.operations, BlockOp::flush)},
                                  {"unmap_operations", of(s.operations, BlockOp::discard)},
                                  {"failed_rd_operations", of(s.failed, BlockOp::read)},
                                  {"failed_wr_operations", of(s.failed, BlockOp::write)},
                                  {"failed_flush_operations", of(s.failed, BlockOp::flush)},
                                  {"failed_unmap_operations", of(s.failed, BlockOp::discard)}}}});
  }
  return list;
}

json::array windows(const PciFunctionInfo& function) {
  json::array list;
  for (const PciWindowInfo& window : function.windows) {
    json::object entry{{"bar", window.bar},
                       {"type", window.io ? "io" : "memory"},
                       // As QEMU says "not mapped".
                       {"address", window.address != 0 ? json::value(window.address)
                                                       : json::value(std::int64_t{-1})},
                       {"size", window.size}};
    if (!window.io) {
      entry["prefetch"] = window.prefetchable;
      entry["mem_type_64"] = false;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

/// libxl looks for the "qdev_id" that it gave to device_add, and needs that string in every entry
/// (libxl_pci.c).
QmpResult query_pci(const MachineControl& machine) {
  json::array list;
  for (const PciFunctionInfo& function : machine.pci_functions()) {
    json::object entry{{"bus", 0},
                       {"slot", function.device},
                       {"function", function.function},
                       {"class_info", {{"class", function.class_code}}},
                       {"id",
                        {{"vendor", function.vendor_id},
                         {"device", function.device_id},
                         {"subsystem-vendor", function.subsystem_vendor_id},
                         {"subsystem", function.subsystem_id}}},
                       {"irq_pin", function.irq_pin},
                       {"qdev_id", function.name},
                       {"regions", windows(function)}};
    if (function.irq_pin != 0) {
      entry["irq"] = function.irq_line;
    }
    list.push_back(std::move(entry));
  }
  return json::array{json::object{{"bus", 0}, {"devices", std::move(list)}}};
}

}  // namespace

void add_inventory_commands(QmpCommands& commands, MachineControl& machine) {
  commands.add("query-block", [&machine](QmpCall&) { return query_block(machine); });
  commands.add("query-blockstats", {{"query-nodes", QmpParameter::Type::boolean}},
               [&machine](QmpCall&) { return query_blockstats(machine); });
  commands.add("query-pci", [&machine](QmpCall&) { return query_pci(machine); });
}

}  // namespace dm::toolstack
