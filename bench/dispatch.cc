// SPDX-License-Identifier: MIT
// What one access costs inside the process: on the bus alone, and as a request through the slot
// page of the simulated guest. Every row shows heap allocations and locks for each operation, and
// the program fails when there is one. The floor is the cheapest thing that could answer: an
// indirect call to the same device.

#include "bench/counted.h"
#include "core/pci/header.h"
#include "core/pci/pci_bus.h"
#include "tests/rig/sim_guest.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string_view>
#include <thread>

namespace {

using dm::IoAccess;
using dm::IoHandler;
using dm::bench::Counted;

struct Device {
  std::uint64_t value = 0x60;
  std::uint64_t read(IoAccess a) noexcept { return value + a.offset; }
  void write(IoAccess /*a*/, std::uint64_t v) noexcept { value = v; }
  std::size_t read_run(IoAccess /*a*/, std::span<std::byte> to) noexcept {
    std::memcpy(to.data(), sector.data(), std::min(to.size(), sector.size()));
    return to.size();
  }
  std::size_t write_run(IoAccess /*a*/, std::span<const std::byte> from) noexcept {
    return from.size();
  }
  std::array<std::byte, 512> sector{};
};

using ConfigMap = dm::reg::Map<256, dm::pci::VID<0x8086>, dm::pci::DID<0x7000>, dm::pci::PCICMD<7>>;

class Function final : public dm::PciFunction {
 public:
  explicit Function(dm::PciBus& bus) : PciFunction{bus, {1, 0}, "function", Config{ConfigMap{}}} {}
};

struct Machine {
  dm::rig::SimGuest guest;
  Device device;
  Device disk;
  Function function{guest.pci()};
  dm::PioClaim uart = guest.pio().claim(
      {0x3f8, 0x3ff}, IoHandler::bind<&Device::read, &Device::write>(device), "uart");
  dm::PioClaim data = guest.pio().claim(
      {0x1f0, 0x1f3},
      IoHandler::
          bind_with_runs<&Device::read, &Device::write, &Device::read_run, &Device::write_run>(
              disk),
      "data");
  dm::MmioClaim card = guest.mmio().claim(
      {0xf0000000, 0xf001ffff}, IoHandler::bind<&Device::read, &Device::write>(device), "card");
};

void floor_indirect_call(benchmark::State& state) {
  Machine m;
  const auto handler = IoHandler::bind<&Device::read, &Device::write>(m.device);
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(handler.read({5, 1}));
  }
}
void port_hit(benchmark::State& state) {
  Machine m;
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(m.guest.pio().read(0x3fd, 1));
  }
}
void port_miss(benchmark::State& state) {
  Machine m;
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(m.guest.pio().read(0x300, 1));
  }
}
void mmio_hit(benchmark::State& state) {
  Machine m;
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(m.guest.mmio().read(0xf0000008, 4));
  }
}
void pci_config_read(benchmark::State& state) {
  Machine m;
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(m.guest.pci().read({1, 0}, 0, 4));
  }
}

/// The whole way of a request: slot filled, taken, dispatched, answered, answer taken.
void round_trip(benchmark::State& state, const dm::rig::RawRequest& request) {
  Machine m;
  m.guest.set_auto_work(false);
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(m.guest.send(request));
  }
}
void ioreq_port_read(benchmark::State& state) {
  round_trip(state, {.addr = 0x3fd, .size = 1, .type = 0, .read = true});
}
void ioreq_port_write(benchmark::State& state) {
  round_trip(state, {.addr = 0x3f8, .data = 'x', .size = 1, .type = 0});
}
void ioreq_port_miss(benchmark::State& state) {
  round_trip(state, {.addr = 0x300, .size = 1, .type = 0, .read = true});
}
void ioreq_mmio_read(benchmark::State& state) {
  round_trip(state, {.addr = 0xf0000008, .size = 4, .type = 1, .read = true});
}
void ioreq_pci_config(benchmark::State& state) {
  round_trip(state, {.addr = std::uint64_t{1 << 3} << 32, .size = 4, .type = 2, .read = true});
}
void ioreq_rep_insw_sector(benchmark::State& state) {
  round_trip(state, {.addr = 0x1f0,
                     .data = 0x10000,
                     .count = 256,
                     .size = 2,
                     .type = 0,
                     .data_is_ptr = true,
                     .read = true});
  state.SetBytesProcessed(state.iterations() * 512);
}

/// A look at 128 empty slots: what spinning costs a machine with that many vCPUs.
void look_at_128_slots(benchmark::State& state) {
  dm::rig::SimGuest guest{{.vcpus = 128}};
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(guest.server().any_ready());
  }
}

BENCHMARK(floor_indirect_call);
BENCHMARK(port_hit);
BENCHMARK(port_miss);
BENCHMARK(mmio_hit);
BENCHMARK(pci_config_read);
BENCHMARK(ioreq_port_read);
BENCHMARK(ioreq_port_write);
BENCHMARK(ioreq_port_miss);
BENCHMARK(ioreq_mmio_read);
BENCHMARK(ioreq_pci_config);
BENCHMARK(ioreq_rep_insw_sector);
BENCHMARK(look_at_128_slots);

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run(argc, argv, "bench_dispatch");
}
