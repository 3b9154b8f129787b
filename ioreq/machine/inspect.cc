// SPDX-License-Identifier: MIT
#include "ioreq/machine/inspect.h"

#include "core/obs/black_box.h"
#include "devices/e1000/regs.h"
#include "ioreq/machine/json_dump.h"

#include <boost/json/array.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace dm {

namespace json = boost::json;

namespace {

/// Numbers that people read in hexadecimal: addresses and data.
std::string hex(std::uint64_t value) {
  std::array<char, 18> digits{'0', 'x'};
  const auto end = std::to_chars(digits.data() + 2, digits.data() + digits.size(), value, 16).ptr;
  return {digits.data(), end};
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
                                {"config", JsonDump::hex(bytes.data(), bytes.size())}});
  }
  return list;
}

json::array serial_ports(const Machine& machine) {
  json::array list;
  for (std::size_t i = 0; i < machine.serial().size(); ++i) {
    const auto& port = machine.serial()[i];
    if (port == nullptr) {
      continue;
    }
    const auto& counters = port->uart().counters();
    const CharBackend::Output output = port->backend().output();
    list.push_back(json::object{{"name", "serial" + std::to_string(i)},
                                {"backend", port->backend().description()},
                                {"tx_bytes", counters.tx_bytes},
                                {"rx_bytes", counters.rx_bytes},
                                {"tx_dropped", counters.tx_dropped},
                                {"rx_overruns", counters.rx_overruns},
                                {"output_waiting", output.waiting},
                                {"output_dropped", output.dropped},
                                {"registers", JsonDump::of(port->uart().state())}});
  }
  return list;
}

json::array drives(const Machine& machine) {
  json::array list;
  for (std::size_t i = 0; i < ide::kPositions; ++i) {
    const ide::Drive* const drive = machine.ide().drive(i);
    if (drive == nullptr) {
      continue;
    }
    const BlockBackend* const medium = drive->medium();
    const BlockStats stats = medium != nullptr ? medium->stats() : BlockStats{};
    const auto of = [](BlockOp op, const auto& values) {
      return values[static_cast<std::size_t>(op) % BlockStats::kOps];
    };
    list.push_back(json::object{{"position", i},
                                {"image", medium != nullptr ? medium->name() : "(no disc)"},
                                {"engine", medium != nullptr ? medium->engine() : "-"},
                                {"in_flight", medium != nullptr ? medium->in_flight() : 0},
                                {"bytes", medium != nullptr ? medium->info().size : 0},
                                {"reads", of(BlockOp::read, stats.operations)},
                                {"read_bytes", of(BlockOp::read, stats.bytes)},
                                {"writes", of(BlockOp::write, stats.operations)},
                                {"write_bytes", of(BlockOp::write, stats.bytes)},
                                {"flushes", of(BlockOp::flush, stats.operations)},
                                {"read_errors", of(BlockOp::read, stats.failed)},
                                {"write_errors", of(BlockOp::write, stats.failed)},
                                {"flush_errors", of(BlockOp::flush, stats.failed)}});
  }
  return list;
}

template <class... Registers>
json::object card_registers(const e1000::RegisterFile& file) {
  json::object all;
  (all.emplace(Registers::kName, hex(file.get<Registers>())), ...);
  return all;
}

/// Those that are still in the machine.
json::array network_cards(const Machine& machine) {
  using namespace e1000::regs;  // NOLINT(google-build-using-namespace): a list of registers
  json::array list;
  for (std::size_t i = 0; i < machine.cards().size(); ++i) {
    const e1000::E1000& card = *machine.cards()[i];
    if (!card.present()) {
      continue;
    }
    const auto& chip = card.chip();
    const auto& own = chip.counters();
    const NetBackend& cable = chip.backend();
    const auto& moved = cable.counters();
    list.push_back(json::object{
        {"name", "nic" + std::to_string(i)},
        {"backend", cable.name()},
        {"cable", cable.link_up() ? "up" : "down"},
        {"interrupt", chip.interrupt()},
        {"sent", moved.sent},
        {"sent_bytes", moved.sent_bytes},
        {"received", moved.received},
        {"received_bytes", moved.received_bytes},
        {"counters", json::object{{"send_failed", moved.send_failed},
                                  {"receive_failed", moved.receive_failed},
                                  {"send_full", moved.full},
                                  {"tx_dropped", own.tx_dropped},
                                  {"rx_filtered", own.rx_filtered},
                                  {"rx_dropped", own.rx_dropped},
                                  {"rx_moved", own.rx_moved},
                                  {"master_aborts", own.master_aborts},
                                  {"unknown_accesses", own.unknown_accesses}}},
        {"registers",
         card_registers<CTRL, STATUS, ICR, ITR, IMS, RCTL, RDBAL, RDBAH, RDLEN, RDH, RDT, RDTR,
                        RADV, TCTL, TDBAL, TDBAH, TDLEN, TDH, TDT, TIDV, TADV, MPC, RNBC>(
             chip.state().file)}});
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
                                {"direction", entry.is_read ? "read" : "write"},
                                {"addr", hex(entry.addr)},
                                {"size", entry.size},
                                {"count", entry.count},
                                {"data", hex(entry.data)}});
  }
  return list;
}

}  // namespace

json::object inspect(const Machine& machine, const MachineConfig& config) {
  json::object all{{"domid", config.domid},
                   {"name", config.name},
                   {"vcpus_online", machine.chipset().vcpus_online()},
                   {"vcpus_max", config.vcpus_max},
                   {"requests", requests(machine)},
                   {"loop", loop(machine)},
                   {"costs", costs(machine)},
                   {"memory", memory(machine)},
                   {"ports", regions(machine.pio().regions())},
                   {"windows", regions(machine.mmio().regions())},
                   {"pci", functions(machine)},
                   {"chipset", JsonDump::of(machine.chipset().state())},
                   {"ide", JsonDump::of(machine.ide().state())},
                   {"drives", drives(machine)},
                   {"network", network_cards(machine)},
                   {"serial", serial_ports(machine)}};
  if (machine.black_box() != nullptr) {
    all["last_requests"] = last_requests(*machine.black_box());
  }
  return all;
}

}  // namespace dm
