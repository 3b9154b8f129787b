// SPDX-License-Identifier: MIT
// bench_count --list | ROW: an operation again and again, for tests/gates, which runs this under
// callgrind and takes the difference of two lengths. What is between two dumps is counted, so that
// neither start nor set-up is in a number. Each row ends with a look at what the device did: a row
// that counts errors would be cheap, and wrong.

#include "bench/card_rig.h"
#include "bench/dispatch_rig.h"
#include "bench/drives_rig.h"
#include "bench/keep.h"
#include "bench/serial_rig.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <span>
#include <string_view>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define DM_HAS_CALLGRIND 1
#else
#define DM_HAS_CALLGRIND 0
#endif

namespace {

using dm::bench::CardRig;
using dm::bench::DispatchRig;
using dm::bench::DrivesRig;
using dm::bench::keep;
using dm::bench::Payload;
using dm::bench::SerialRig;

constexpr int kNotRun = 77;
/// A multiple of the batches in which any ring here goes round.
constexpr unsigned kOperations = 64;

void start_counting() noexcept {
#if DM_HAS_CALLGRIND
  CALLGRIND_ZERO_STATS;
#endif
}
void stop_counting() noexcept {
#if DM_HAS_CALLGRIND
  CALLGRIND_DUMP_STATS;
#endif
}

/// The same loop three times: to make everything as it stays, for one length, for twice that.
template <class Operation>
void count(Operation operation) {
  for (const unsigned times : {kOperations, kOperations, 2 * kOperations}) {
    start_counting();
    for (unsigned i = 0; i < times; ++i) {
      operation();
    }
    stop_counting();
  }
}

void must(bool holds) {
  if (!holds) {
    (void)std::fputs("bench_count: the operation did not do what it should\n", stderr);
    std::exit(1);
  }
}

// The buses alone.

void dispatch_port() {
  DispatchRig m;
  count([&] { keep(m.read_port()); });
  must(m.read_port() == 0x65);
}
void dispatch_port_miss() {
  DispatchRig m;
  count([&] { keep(m.read_missing_port()); });
  must(m.read_missing_port() == 0xff);
}
void dispatch_mmio() {
  DispatchRig m;
  count([&] { keep(m.read_mmio()); });
  must(m.read_mmio() == 0x68);
}
void dispatch_pci_config() {
  DispatchRig m;
  count([&] { keep(m.read_config()); });
  must(m.read_config() == 0x70008086);
}

// Requests through the slot page, to devices that cost nothing.

void round_trip(const dm::rig::RawRequest& request, std::uint64_t answer) {
  DispatchRig m;
  m.guest.set_auto_work(false);
  count([&] { keep(m.guest.send(request)); });
  must(m.guest.send(request) == answer);
}
void ioreq_port_read() {
  round_trip(DispatchRig::kPortRead, 0x65);
}
void ioreq_port_write() {
  round_trip(DispatchRig::kPortWrite, 'x');
}
void ioreq_port_miss() {
  round_trip(DispatchRig::kPortMiss, 0xff);
}
void ioreq_mmio_read() {
  round_trip(DispatchRig::kMmioRead, 0x68);
}
void ioreq_pci_config() {
  round_trip(DispatchRig::kConfigRead, 0x70008086);
}
void ioreq_rep_insw_sector() {
  round_trip(DispatchRig::kRepInswSector, 0x10000);
}
void look_at_128_slots() {
  dm::rig::SimGuest guest{{.vcpus = 128}};
  count([&] { keep(guest.server().any_ready()); });
  must(!guest.server().any_ready());
}

// Devices, request by request through the slot page.

void uart_read_lsr() {
  SerialRig m;
  count([&] { keep(m.read_lsr()); });
  must(m.read_lsr() == 0x60);
}
void uart_write_character() {
  SerialRig m;
  count([&] { m.write_character(); });
  must(m.line.taken == 4 * kOperations);
}
void uart_write_character_and_take_its_interrupt() {
  SerialRig m;
  m.interrupt_for_thre();
  count([&] { keep(m.write_character_and_take_its_interrupt()); });
  must(m.line.taken == 4 * kOperations);
}
void uart_rep_outsb_68() {
  SerialRig m;
  count([&] { m.rep_outsb(); });
  must(m.line.taken == 4 * kOperations * SerialRig::kLine);
}

void ide_status() {
  DrivesRig m{Payload::left_alone};
  count([&] { keep(m.disk.status()); });
  must(m.disk.status() == DrivesRig::kGood);
}
void ide_pio_read_sector() {
  DrivesRig m{Payload::left_alone};
  count([&] { keep(m.read_sector_by_pio()); });
  must(m.disk.status() == DrivesRig::kGood);
}
void ide_pio_write_sector() {
  DrivesRig m{Payload::left_alone};
  count([&] { keep(m.write_sector_by_pio()); });
  must(m.disk.status() == DrivesRig::kGood);
}
void ide_dma(bool to_memory, std::size_t pages, unsigned sectors) {
  DrivesRig m{Payload::left_alone};
  // One sector: what a driver asks for where a page is more than it needs.
  m.pages[0].bytes = sectors == 1 ? 512 : m.pages[0].bytes;
  const auto part = std::span{m.pages}.first(pages);
  DrivesRig::D::DmaResult last{};
  count([&] { last = to_memory ? m.read_by_dma(sectors, part) : m.write_by_dma(sectors, part); });
  must(last.status == DrivesRig::kGood && last.irq && (last.bm & DrivesRig::D::BM_ERROR) == 0);
}
void ide_dma_read_sector() {
  ide_dma(true, 1, 1);
}
void ide_dma_write_sector() {
  ide_dma(false, 1, 1);
}
void ide_dma_read_16_pages() {
  ide_dma(true, 16, 128);
}
void ide_dma_write_16_pages() {
  ide_dma(false, 16, 128);
}
void atapi_pio_read_4k() {
  DrivesRig m{Payload::left_alone};
  count([&] { keep(m.read_cd_by_pio()); });
  must(m.cd.status() == DrivesRig::kGood);
}
void atapi_dma_read_64k() {
  DrivesRig m{Payload::left_alone};
  DrivesRig::D::DmaResult last{};
  count([&] { last = m.read_64k_of_cd_by_dma(); });
  must(last.status == DrivesRig::kGood && last.irq);
}

// The network card, by direct dispatch.

void card_read_status() {
  CardRig m;
  count([&] { keep(m.read_status()); });
  must((m.read_status() & CardRig::D::STATUS_LU) != 0);
}
void card_eeprom_edge() {
  CardRig m;
  count([&] { keep(m.eeprom_edge()); });
}
void transmit(std::uint32_t size) {
  CardRig m;
  m.fill_ring_with_frames(size);
  count([&] { m.transmit_batch(); });
  must(m.net.bytes == std::uint64_t{4} * kOperations * CardRig::kBatch * size);
}
void card_transmit_60() {
  transmit(60);
}
void card_transmit_1514() {
  transmit(1514);
}
void card_transmit_tso_64k() {
  CardRig m;
  m.fill_ring_with_large_sends();
  count([&] { m.transmit_large_sends(); });
  constexpr std::uint64_t kLarge = CardRig::kHeaders + CardRig::kSegments * CardRig::kSegmentSize;
  must(m.net.bytes == 4 * kOperations * CardRig::kLargeSends * kLarge);
}
/// The ring has gone round as often as it should, and its last buffer says that it is filled.
void must_have_received(CardRig& m) {
  must(m.net.budget == 0);
  must((m.driver.rx_status((m.tail + CardRig::kRing - 1) % CardRig::kRing).status &
        CardRig::D::DD) != 0);
}
void receive(std::uint32_t size) {
  CardRig m;
  m.expect_frames(size);
  count([&] { m.receive_batch(); });
  must_have_received(m);
}
void card_receive_66() {
  receive(66);
}
void card_receive_1514() {
  receive(1514);
}
void card_receive_gso_64k() {
  CardRig m;
  m.expect_large_frames();
  count([&] { m.receive_large_frame(); });
  must_have_received(m);
}

// Whether a gate sees one instruction: the same way twice, to a device that has one more.

template <bool kOneMore>
struct SelfCheckDevice {
  std::uint64_t value = 0;
  std::uint64_t read(dm::IoAccess a) noexcept {
    if constexpr (kOneMore) {
      asm volatile("nop");
    }
    return value + a.offset;
  }
  void write(dm::IoAccess /*a*/, std::uint64_t v) noexcept { value = v; }
};
template <bool kOneMore>
void self_check() {
  using Device = SelfCheckDevice<kOneMore>;
  dm::rig::SimGuest guest;
  Device device;
  const auto claim = guest.pio().claim(
      {0x3f8, 0x3ff}, dm::IoHandler::bind<&Device::read, &Device::write>(device), "self-check");
  count([&] { keep(guest.inb(0x3fd)); });
  must(guest.inb(0x3fd) == 5);
}

struct Row {
  std::string_view name;
  void (*run)();
  unsigned things = 1;  ///< frames, segments, sends in one operation: the number is for each
};

constexpr Row kRows[]{
    {"dispatch_port", dispatch_port},
    {"dispatch_port_miss", dispatch_port_miss},
    {"dispatch_mmio", dispatch_mmio},
    {"dispatch_pci_config", dispatch_pci_config},
    {"ioreq_port_read", ioreq_port_read},
    {"ioreq_port_write", ioreq_port_write},
    {"ioreq_port_miss", ioreq_port_miss},
    {"ioreq_mmio_read", ioreq_mmio_read},
    {"ioreq_pci_config", ioreq_pci_config},
    {"ioreq_rep_insw_sector", ioreq_rep_insw_sector},
    {"look_at_128_slots", look_at_128_slots},
    {"uart_read_lsr", uart_read_lsr},
    {"uart_write_character", uart_write_character},
    {"uart_write_character_and_irq", uart_write_character_and_take_its_interrupt},
    {"uart_rep_outsb_68", uart_rep_outsb_68},
    {"ide_status", ide_status},
    {"ide_pio_read_sector", ide_pio_read_sector},
    {"ide_pio_write_sector", ide_pio_write_sector},
    {"ide_dma_read_sector", ide_dma_read_sector},
    {"ide_dma_write_sector", ide_dma_write_sector},
    {"ide_dma_read_16_pages", ide_dma_read_16_pages},
    {"ide_dma_write_16_pages", ide_dma_write_16_pages},
    {"atapi_pio_read_4k", atapi_pio_read_4k},
    {"atapi_dma_read_64k", atapi_dma_read_64k},
    {"card_read_status", card_read_status},
    {"card_eeprom_edge", card_eeprom_edge},
    {"card_transmit_60", card_transmit_60, CardRig::kBatch},
    {"card_transmit_1514", card_transmit_1514, CardRig::kBatch},
    {"card_transmit_tso_64k", card_transmit_tso_64k, CardRig::kLargeSends},
    {"card_receive_66", card_receive_66, CardRig::kBatch},
    {"card_receive_1514", card_receive_1514, CardRig::kBatch},
    {"card_receive_gso_segment", card_receive_gso_64k, CardRig::kSegments},
};
/// Not listed: for the gates' own test.
constexpr Row kSelfChecks[]{
    {"self_check", self_check<false>},
    {"self_check_one_more", self_check<true>},
};

const Row* find(std::string_view name) noexcept {
  for (const std::span<const Row> rows : {std::span<const Row>{kRows}, {kSelfChecks}}) {
    for (const Row& row : rows) {
      if (row.name == name) {
        return &row;
      }
    }
  }
  return nullptr;
}

int run(std::string_view name) {
  if (name == "--list") {
    for (const Row& row : kRows) {
      std::printf("%.*s\n", static_cast<int>(row.name.size()), row.name.data());
    }
    return 0;
  }
  const Row* const row = find(name);
  if (row == nullptr) {
    (void)std::fputs("usage: bench_count --list | ROW, under callgrind\n", stderr);
    return 2;
  }
  if (DM_HAS_CALLGRIND == 0) {
    std::puts("NOT RUN: built without valgrind/callgrind.h (package valgrind)");
    return kNotRun;
  }
  row->run();
  // By how much the last dump is longer than the one before it.
  std::printf("%u\n", kOperations * row->things);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc == 2 ? argv[1] : "");
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "bench_count: %s\n", error.what());
    return 1;
  }
}
