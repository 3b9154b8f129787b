// SPDX-License-Identifier: MIT
// Instructions of the serial port and the IDE drives, request by request through the slot page. An
// operation of a drive is a whole command.

#include "bench/count.h"
#include "bench/drives_rig.h"
#include "bench/keep.h"
#include "bench/serial_rig.h"

#include <cstddef>
#include <span>

namespace {

using dm::bench::count;
using dm::bench::DrivesRig;
using dm::bench::kAllOperations;
using dm::bench::keep;
using dm::bench::must;
using dm::bench::Payload;
using dm::bench::Row;
using dm::bench::SerialRig;

void uart_read_lsr() {
  SerialRig m;
  count([&] { keep(m.read_lsr()); });
  must(m.read_lsr() == 0x60);
}
void uart_write_character() {
  SerialRig m;
  count([&] { m.write_character(); });
  must(m.line.taken == kAllOperations);
}
void uart_write_character_and_take_its_interrupt() {
  SerialRig m;
  m.interrupt_for_thre();
  count([&] { keep(m.write_character_and_take_its_interrupt()); });
  must(m.line.taken == kAllOperations);
}
void uart_rep_outsb_68() {
  SerialRig m;
  count([&] { m.rep_outsb(); });
  must(m.line.taken == kAllOperations * SerialRig::kLine);
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

constexpr Row kRows[]{
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
};

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run_row(kRows, argc, argv);
}
