// SPDX-License-Identifier: MIT
// What the serial port and the IDE drives cost inside the process: requests through the slot page
// of the simulated guest, the devices that a guest gets, and other ends that take and give bytes at
// no cost. Every row shows heap allocations and locks for each operation, and the program fails
// when there is one. One operation of a disk is a whole command, as a driver gives it.

#include "bench/counted.h"
#include "bench/drives_rig.h"
#include "bench/keep.h"
#include "bench/serial_rig.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

using dm::bench::Counted;
using dm::bench::keep;
using Serial = dm::bench::SerialRig;
using Drives = dm::bench::DrivesRig;

/// A row that measures errors would be quick, and wrong.
void must(bool holds, const char* what) {
  if (!holds) {
    (void)std::fprintf(stderr, "bench_devices: %s\n", what);
    std::exit(1);
  }
}

void uart_write_thr(benchmark::State& state) {
  Serial m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.write_character();
    }
  }
  must(m.line.taken != 0, "no character has left");
}
void uart_write_thr_and_take_its_interrupt(benchmark::State& state) {
  Serial m;
  m.interrupt_for_thre();
  const Counted counted{state};
  for (auto _ : state) {
    keep(m.write_character_and_take_its_interrupt());
  }
}
void uart_read_lsr(benchmark::State& state) {
  Serial m;
  const Counted counted{state};
  for (auto _ : state) {
    keep(m.read_lsr());
  }
}
void uart_rep_outsb_68(benchmark::State& state) {
  Serial m;
  const Counted counted{state};
  for (auto _ : state) {
    m.rep_outsb();
  }
}

void ide_status(benchmark::State& state) {
  Drives m;
  const Counted counted{state};
  for (auto _ : state) {
    keep(m.disk.status());
  }
}
void ide_pio_read_sector(benchmark::State& state) {
  Drives m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      keep(m.read_sector_by_pio());
    }
  }
  must(m.disk.status() == Drives::kGood, "a sector could not be read");
  state.SetBytesProcessed(state.iterations() * 512);
}
void ide_pio_write_sector(benchmark::State& state) {
  Drives m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      keep(m.write_sector_by_pio());
    }
  }
  must(m.disk.status() == Drives::kGood, "a sector could not be written");
  state.SetBytesProcessed(state.iterations() * 512);
}
/// 64 KiB into 16 pages.
void ide_dma(benchmark::State& state, bool to_memory) {
  Drives m;
  Drives::D::DmaResult last{};
  {
    const Counted counted{state};
    for (auto _ : state) {
      last = to_memory ? m.read_by_dma(128, m.pages) : m.write_by_dma(128, m.pages);
    }
  }
  must(last.status == Drives::kGood && last.irq, "64 KiB could not be moved");
  state.SetBytesProcessed(state.iterations() * 65536);
}
void ide_dma_read_64k(benchmark::State& state) {
  ide_dma(state, true);
}
void ide_dma_write_64k(benchmark::State& state) {
  ide_dma(state, false);
}

void atapi_pio_read_4k(benchmark::State& state) {
  Drives m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      keep(m.read_cd_by_pio());
    }
  }
  must(m.cd.status() == Drives::kGood, "two blocks could not be read");
  state.SetBytesProcessed(state.iterations() * 4096);
}
void atapi_dma_read_64k(benchmark::State& state) {
  Drives m;
  Drives::D::DmaResult last{};
  {
    const Counted counted{state};
    for (auto _ : state) {
      last = m.read_64k_of_cd_by_dma();
    }
  }
  must(last.status == Drives::kGood && last.irq, "64 KiB could not be read");
  state.SetBytesProcessed(state.iterations() * 65536);
}

BENCHMARK(uart_write_thr);
BENCHMARK(uart_write_thr_and_take_its_interrupt);
BENCHMARK(uart_read_lsr);
BENCHMARK(uart_rep_outsb_68);
BENCHMARK(ide_status);
BENCHMARK(ide_pio_read_sector);
BENCHMARK(ide_pio_write_sector);
BENCHMARK(ide_dma_read_64k);
BENCHMARK(ide_dma_write_64k);
BENCHMARK(atapi_pio_read_4k);
BENCHMARK(atapi_dma_read_64k);

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run(argc, argv, "bench_devices");
}
