// SPDX-License-Identifier: MIT
// A guest's driver for a PIIX3 IDE channel: the task file, and the bus master beside it. Every
// number is typed from "Programming Interface for Bus Master IDE Controller" 1.0; nothing comes
// from the device's own headers.
#pragma once

#include "platform/sim/sim_platform.h"
#include "tests/drivers/ata_driver.h"
#include "tests/rig/sim_guest.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>

namespace dm::drivers {

/// The bus master, by itself: what a guest that knows of no interrupt can do.
class BusMasterDriver : public AtaDriver {
 public:
  // Bus master
  static constexpr std::uint8_t START = 0x01, TO_MEMORY = 0x08;
  static constexpr std::uint8_t ACTIVE = 0x01, BM_ERROR = 0x02, INTR = 0x04;
  static constexpr PciBdf kBdf{1, 1};
  static constexpr std::uint16_t kBmiba = 0xc000;
  static constexpr std::uint64_t kTable = 0x8000;

  struct Prd {
    std::uint32_t base;
    std::uint32_t bytes;  ///< 65536 is written as 0
  };

  BusMasterDriver(rig::GuestInstructions& cpu,
                  std::span<std::byte> ram,
                  unsigned channel = 0,
                  std::uint16_t bmiba = kBmiba)
      : AtaDriver{cpu, ram, channel},
        bmiba_{bmiba},
        bm_{static_cast<std::uint16_t>(bmiba + 8 * channel)} {}

  [[nodiscard]] std::uint16_t bm_port() const { return bm_; }

  void enable(unsigned bits = 7) {
    cpu().config_write(kBdf, 0x20, 4, bmiba_);
    cpu().config_write(kBdf, 4, 2, bits);
  }
  [[nodiscard]] std::uint8_t bm_status() { return cpu().inb(static_cast<std::uint16_t>(bm_ + 2)); }
  [[nodiscard]] std::uint8_t bm_command() { return cpu().inb(bm_); }
  void bm_command(unsigned value) { cpu().outb(bm_, static_cast<std::uint8_t>(value)); }
  void bm_status(unsigned value) {
    cpu().outb(static_cast<std::uint16_t>(bm_ + 2), static_cast<std::uint8_t>(value));
  }
  void bm_table(std::uint32_t gpa) { cpu().outl(static_cast<std::uint16_t>(bm_ + 4), gpa); }

  /// Writes a table with its end mark.
  void put_prds(std::uint64_t at, std::span<const Prd> prds, bool end = true) {
    for (std::size_t i = 0; i < prds.size(); ++i) {
      const std::uint32_t eot = end && i + 1 == prds.size() ? 0x80000000U : 0;
      const std::uint32_t entry[2]{prds[i].base, (prds[i].bytes & 0xffffU) | eot};
      std::memcpy(ram().subspan(at + 8 * i, sizeof entry).data(), entry, sizeof entry);
    }
  }
  void prepare_dma(std::span<const Prd> prds, std::uint64_t table = kTable) {
    bm_command(0);
    bm_status(INTR | BM_ERROR);
    put_prds(table, prds);
    bm_table(static_cast<std::uint32_t>(table));
  }

 private:
  std::uint16_t bmiba_;
  std::uint16_t bm_;
};

class IdeDriver : public BusMasterDriver {
 public:
  struct DmaResult {
    std::uint8_t bm;      ///< bus master status when polling ended
    std::uint8_t status;  ///< ATA status, read once
    std::uint8_t error;
    bool irq;  ///< the line, before status was read
  };

  IdeDriver(rig::GuestInstructions& cpu,
            std::span<std::byte> ram,
            const sim::SimIrqs& irqs,
            unsigned channel = 0,
            std::uint16_t bmiba = kBmiba)
      : BusMasterDriver{cpu, ram, channel, bmiba}, irqs_{irqs}, irq_{channel == 0 ? 14U : 15U} {}
  explicit IdeDriver(rig::SimGuest& guest, unsigned channel = 0)
      : IdeDriver{guest, guest.ram(), guest.sim_irqs(), channel} {}

  [[nodiscard]] bool irq() const { return irqs_.isa(irq_); }
  [[nodiscard]] std::uint64_t edges() const { return irqs_.isa_edges(irq_); }

  /// Start and poll, as QEMU's ide-test and every driver do.
  DmaResult run_dma(bool to_memory) {
    bm_command(START | (to_memory ? TO_MEMORY : 0));
    return poll_dma();
  }
  DmaResult poll_dma() {
    DmaResult result{};
    for (int i = 0;; ++i) {
      result.bm = bm_status();
      if ((result.bm & (ACTIVE | INTR)) != ACTIVE) {
        break;
      }
      if (i == 100) {
        throw std::runtime_error("IDE: DMA does not end");
      }
      idle();
    }
    result.irq = irq();
    result.error = error();
    result.status = status();
    if ((result.bm & ACTIVE) != 0) {
      bm_command(0);
    }
    return result;
  }
  DmaResult read_dma(unsigned unit, std::uint64_t lba, unsigned count, std::span<const Prd> prds) {
    prepare_dma(prds);
    lba48(unit, lba, count);
    command(READ_DMA_EXT);
    return run_dma(true);
  }
  DmaResult write_dma(unsigned unit, std::uint64_t lba, unsigned count, std::span<const Prd> prds) {
    prepare_dma(prds);
    lba48(unit, lba, count);
    command(WRITE_DMA_EXT);
    return run_dma(false);
  }

 private:
  const sim::SimIrqs& irqs_;
  unsigned irq_;
};

}  // namespace dm::drivers
