// SPDX-License-Identifier: MIT
// What the serial port and the IDE drives cost inside the process: requests through the slot page
// of the simulated guest, the devices that a guest gets, and other ends that take and give bytes at
// no cost. Every row shows heap allocations and locks for each operation, and the program fails
// when there is one. One operation of a disk is a whole command, as a driver gives it.

#include "bench/counted.h"
#include "devices/ide/ata_disk.h"
#include "devices/ide/atapi_drive.h"
#include "devices/ide/identify.h"
#include "devices/ide/piix3_ide.h"
#include "devices/uart16550/serial_port.h"
#include "tests/drivers/ide_driver.h"
#include "tests/rig/sim_guest.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace {

using dm::bench::Counted;
using D = dm::drivers::IdeDriver;

/// A row that measures errors would be quick, and wrong.
void must(bool holds, const char* what) {
  if (!holds) {
    (void)std::fprintf(stderr, "bench_devices: %s\n", what);
    std::exit(1);
  }
}

struct NullLine final : dm::CharBackend {
  void attach(dm::CharClient* /*client*/) noexcept override {}
  std::size_t write(std::span<const std::byte> bytes) noexcept override {
    taken += bytes.size();
    return bytes.size();
  }
  std::size_t read(std::span<std::byte> /*to*/) noexcept override { return 0; }
  void set_break(bool /*on*/) noexcept override {}
  void set_line(std::uint32_t, std::uint8_t, std::uint8_t, char) noexcept override {}
  void set_outputs(bool, bool) noexcept override {}
  [[nodiscard]] Output output() const noexcept override { return {}; }
  [[nodiscard]] std::string_view description() const noexcept override { return "null"; }
  std::uint64_t taken = 0;
};

/// An image in memory, its first 64 KiB over and over: the copy is what the page cache would cost.
class MemoryDisk final : public dm::BlockBackend {
 public:
  [[nodiscard]] dm::BlockInfo info() const noexcept override {
    return {.size = std::uint64_t{64} << 20U, .can_discard = true};
  }
  void submit(dm::BlockRequest& request) noexcept override {
    for (const auto piece : request.data) {
      for (std::size_t at = 0; at < piece.size(); at += bytes_.size()) {
        const std::size_t part = std::min(piece.size() - at, bytes_.size());
        if (request.op == dm::BlockOp::read) {
          std::memcpy(piece.data() + at, bytes_.data(), part);
        } else {
          std::memcpy(bytes_.data(), piece.data() + at, part);
        }
      }
    }
    request.done_bytes = request.length;
    count(request, dm::BlockStatus::ok);
    request.done(request, dm::BlockStatus::ok);
  }
  void drain() noexcept override {}
  [[nodiscard]] dm::BlockStatus flush_now() noexcept override { return dm::BlockStatus::ok; }
  [[nodiscard]] std::string_view name() const noexcept override { return "memory"; }
  [[nodiscard]] std::string_view engine() const noexcept override { return "memory"; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override { return 0; }

 private:
  std::array<std::byte, 65536> bytes_{};
};

struct Serial {
  dm::rig::SimGuest guest;
  NullLine line;
  std::unique_ptr<dm::SerialPort> port =
      dm::SerialPort::create(dm::kComPorts[0], guest.pio(), guest.irqs(), guest.timers(), line)
          .value();
  Serial() {
    guest.outb(0x3fa, 0x01);  // FCR: FIFOs on
    guest.outb(0x3f9, 0x00);  // IER: polled, as firmware does
  }
};

void uart_write_thr(benchmark::State& state) {
  Serial m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.guest.outb(0x3f8, 'x');
    }
  }
  must(m.line.taken != 0, "no character has left");
}
/// With its interrupt: THR, IIR, as a driver's handler does for each character.
void uart_write_thr_and_take_its_interrupt(benchmark::State& state) {
  Serial m;
  m.guest.outb(0x3fc, 0x08);  // MCR: OUT2
  m.guest.outb(0x3f9, 0x02);  // IER: THRE
  const Counted counted{state};
  for (auto _ : state) {
    m.guest.outb(0x3f8, 'x');
    benchmark::DoNotOptimize(m.guest.inb(0x3fa));
  }
}
void uart_read_lsr(benchmark::State& state) {
  Serial m;
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(m.guest.inb(0x3fd));
  }
}
void uart_rep_outsb_68(benchmark::State& state) {
  Serial m;
  const Counted counted{state};
  for (auto _ : state) {
    m.guest.rep_outs(0x3f8, 1, 0x10000, 68);
  }
}

/// A disk as primary master, a CD-ROM drive as secondary master.
struct Drives {
  static constexpr std::uint32_t kBuffer = 0x200000;

  dm::rig::SimGuest guest;
  dm::ide::Piix3Ide controller{guest.pci(), guest.pio(), guest.irqs(), guest.memory(),
                               make(guest.work())};
  D disk{guest, 0};
  D cd{guest, 1};

  static dm::ide::Piix3Ide::Drives make(dm::WorkQueue& work) {
    dm::ide::Piix3Ide::Drives drives;
    drives[0] = std::make_unique<dm::ide::AtaDisk>(std::make_unique<MemoryDisk>(), work,
                                                   dm::ide::default_identity(0));
    drives[2] = std::make_unique<dm::ide::AtapiDrive>(std::make_unique<MemoryDisk>(), work,
                                                      dm::ide::default_cd_identity(2));
    return drives;
  }
  Drives() {
    disk.enable();
    // TEST UNIT READY takes what power-on has to tell; REQUEST SENSE takes it away.
    packet({0x00}, 0);
    (void)cd.status();
    packet({0x03, 0, 0, 0, 18}, 18);
    guest.rep_ins(0x170, 2, kBuffer, 9);
    (void)cd.status();
  }
  void packet(std::array<std::uint8_t, 12> bytes, unsigned limit, unsigned features = 0) {
    cd.select(0);
    cd.out(1, features);
    cd.out(4, limit & 0xffU);
    cd.out(5, limit >> 8U);
    cd.command(0xa0);
    std::memcpy(guest.ram().subspan(D::kBounce, bytes.size()).data(), bytes.data(), bytes.size());
    guest.rep_outs(0x170, 2, D::kBounce, 6);
  }
};

void ide_status(benchmark::State& state) {
  Drives m;
  const Counted counted{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(m.disk.status());
  }
}
/// READ SECTOR(S), one of them, by `rep insw`: ten requests.
void ide_pio_read_sector(benchmark::State& state) {
  Drives m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.disk.lba28(0, 100, 1);
      m.disk.command(0x20);
      benchmark::DoNotOptimize(m.disk.status());
      m.guest.rep_ins(0x1f0, 2, Drives::kBuffer, 256);
    }
  }
  must(m.disk.status() == 0x50, "a sector could not be read");
  state.SetBytesProcessed(state.iterations() * 512);
}
void ide_pio_write_sector(benchmark::State& state) {
  Drives m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.disk.lba28(0, 100, 1);
      m.disk.command(0x30);
      m.guest.rep_outs(0x1f0, 2, Drives::kBuffer, 256);
      benchmark::DoNotOptimize(m.disk.status());
    }
  }
  must(m.disk.status() == 0x50, "a sector could not be written");
  state.SetBytesProcessed(state.iterations() * 512);
}
/// READ DMA EXT and WRITE DMA EXT of 64 KiB into 16 pages, as Linux gives them, interrupt taken.
void ide_dma(benchmark::State& state, bool to_memory) {
  Drives m;
  std::array<D::Prd, 16> pages;
  for (std::uint32_t i = 0; i < pages.size(); ++i) {
    pages[i] = {Drives::kBuffer + i * 8192, 4096};
  }
  D::DmaResult last{};
  {
    const Counted counted{state};
    for (auto _ : state) {
      last =
          to_memory ? m.disk.read_dma(0, 1000, 128, pages) : m.disk.write_dma(0, 1000, 128, pages);
    }
  }
  must(last.status == 0x50 && last.irq, "64 KiB could not be moved");
  state.SetBytesProcessed(state.iterations() * 65536);
}
void ide_dma_read_64k(benchmark::State& state) {
  ide_dma(state, true);
}
void ide_dma_write_64k(benchmark::State& state) {
  ide_dma(state, false);
}

/// READ(10) of two blocks, in one burst.
void atapi_pio_read_4k(benchmark::State& state) {
  Drives m;
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.packet({0x28, 0, 0, 0, 0, 16, 0, 0, 2}, 4096);
      benchmark::DoNotOptimize(m.cd.status());
      m.guest.rep_ins(0x170, 2, Drives::kBuffer, 2048);
    }
  }
  must(m.cd.status() == 0x50, "two blocks could not be read");
  state.SetBytesProcessed(state.iterations() * 4096);
}
void atapi_dma_read_64k(benchmark::State& state) {
  Drives m;
  const D::Prd region{Drives::kBuffer, 65536};
  D::DmaResult last{};
  {
    const Counted counted{state};
    for (auto _ : state) {
      m.cd.prepare_dma({&region, 1});
      m.packet({0x28, 0, 0, 0, 0, 16, 0, 0, 32}, 0, 1);
      last = m.cd.run_dma(true);
    }
  }
  must(last.status == 0x50 && last.irq, "64 KiB could not be read");
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
