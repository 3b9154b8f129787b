// SPDX-License-Identifier: MIT
// What a network card costs inside the process: rings filled as a driver fills them, doorbells by
// direct dispatch, a host that takes and gives frames at no cost. Every row shows heap allocations
// and locks for each operation, and the program fails when there is one. One operation is one tail
// write; the rate of frames (or of segments, as the guest sees them) stands beside it.

#include "bench/card_rig.h"
#include "bench/counted.h"
#include "bench/keep.h"

#include <benchmark/benchmark.h>

#include <cstdint>

namespace {

using dm::bench::Counted;
using dm::bench::keep;
using Machine = dm::bench::CardRig;

void transmit(benchmark::State& state) {
  Machine m;
  m.fill_ring_with_frames(static_cast<std::uint32_t>(state.range(0)));
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.transmit_batch();
    }
  }
  state.SetItemsProcessed(state.iterations() * Machine::kBatch);
}

void transmit_tso_64k(benchmark::State& state) {
  Machine m;
  m.fill_ring_with_large_sends();
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.transmit_large_sends();
    }
  }
  state.SetItemsProcessed(state.iterations() * Machine::kLargeSends);
  state.SetBytesProcessed(static_cast<std::int64_t>(m.net.bytes));
}

void receive(benchmark::State& state) {
  Machine m;
  m.expect_frames(static_cast<std::uint32_t>(state.range(0)));
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.receive_batch();
    }
  }
  state.SetItemsProcessed(state.iterations() * Machine::kBatch);
}

void receive_gso_64k(benchmark::State& state) {
  Machine m;
  m.expect_large_frames();
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.receive_large_frame();
    }
  }
  state.SetItemsProcessed(state.iterations() * Machine::kSegments);
  state.SetBytesProcessed(state.iterations() * Machine::kSegments * Machine::kSegmentSize);
}

void read_status(benchmark::State& state) {
  Machine m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      keep(m.read_status());
    }
  }
}

void eeprom_edge(benchmark::State& state) {
  Machine m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      keep(m.eeprom_edge());
    }
  }
}

BENCHMARK(read_status);
BENCHMARK(eeprom_edge);
BENCHMARK(transmit)->Arg(60)->Arg(1514);
BENCHMARK(transmit_tso_64k);
BENCHMARK(receive)->Arg(66)->Arg(1514);
BENCHMARK(receive_gso_64k);

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run(argc, argv, "bench_e1000");
}
