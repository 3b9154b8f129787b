// SPDX-License-Identifier: MIT
// What one access costs inside the process: on the bus alone, and as a request through the slot
// page of the simulated guest. Every row shows heap allocations and locks for each operation, and
// the program fails when there is one. The floor is the cheapest thing that could answer: an
// indirect call to the same device.

#include "bench/counted.h"
#include "bench/dispatch_rig.h"
#include "bench/keep.h"

#include <benchmark/benchmark.h>

namespace {

using dm::bench::Counted;
using dm::bench::keep;
using Machine = dm::bench::DispatchRig;

void floor_indirect_call(benchmark::State& state) {
  Machine m;
  const auto handler =
      dm::IoHandler::bind<&dm::bench::CheapDevice::read, &dm::bench::CheapDevice::write>(m.device);
  const Counted counted{state};
  for (auto _ : state) {
    keep(handler.read({5, 1}));
  }
}
void port_hit(benchmark::State& state) {
  Machine m;
  const Counted counted{state};
  for (auto _ : state) {
    keep(m.read_port());
  }
}
void port_miss(benchmark::State& state) {
  Machine m;
  const Counted counted{state};
  for (auto _ : state) {
    keep(m.read_missing_port());
  }
}
void mmio_hit(benchmark::State& state) {
  Machine m;
  const Counted counted{state};
  for (auto _ : state) {
    keep(m.read_mmio());
  }
}
void pci_config_read(benchmark::State& state) {
  Machine m;
  const Counted counted{state};
  for (auto _ : state) {
    keep(m.read_config());
  }
}

/// The whole way of a request: slot filled, taken, dispatched, answered, answer taken.
void round_trip(benchmark::State& state, const dm::rig::RawRequest& request) {
  Machine m;
  m.guest.set_auto_work(false);
  const Counted counted{state};
  for (auto _ : state) {
    keep(m.guest.send(request));
  }
}
void ioreq_port_read(benchmark::State& state) {
  round_trip(state, Machine::kPortRead);
}
void ioreq_port_write(benchmark::State& state) {
  round_trip(state, Machine::kPortWrite);
}
void ioreq_port_miss(benchmark::State& state) {
  round_trip(state, Machine::kPortMiss);
}
void ioreq_mmio_read(benchmark::State& state) {
  round_trip(state, Machine::kMmioRead);
}
void ioreq_pci_config(benchmark::State& state) {
  round_trip(state, Machine::kConfigRead);
}
void ioreq_rep_insw_sector(benchmark::State& state) {
  round_trip(state, Machine::kRepInswSector);
  state.SetBytesProcessed(state.iterations() * 512);
}

/// A look at 128 empty slots: what spinning costs a machine with that many vCPUs.
void look_at_128_slots(benchmark::State& state) {
  dm::rig::SimGuest guest{{.vcpus = 128}};
  const Counted counted{state};
  for (auto _ : state) {
    keep(guest.server().any_ready());
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
