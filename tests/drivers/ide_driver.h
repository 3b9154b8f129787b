// SPDX-License-Identifier: MIT
// A guest's driver for a PIIX3 IDE channel. Every number is typed from ATA/ATAPI-6 and "Programming
// Interface for Bus Master IDE Controller" 1.0; nothing comes from the device's own headers.
#pragma once

#include "tests/rig/sim_guest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dm::drivers {

class IdeDriver {
 public:
  // Status
  static constexpr std::uint8_t BSY = 0x80, DRDY = 0x40, DF = 0x20, DSC = 0x10, DRQ = 0x08,
                                ERR = 0x01;
  // Error
  static constexpr std::uint8_t UNC = 0x40, IDNF = 0x10, ABRT = 0x04;
  // Device control
  static constexpr std::uint8_t HOB = 0x80, SRST = 0x04, nIEN = 0x02;
  // Bus master
  static constexpr std::uint8_t START = 0x01, TO_MEMORY = 0x08;
  static constexpr std::uint8_t ACTIVE = 0x01, BM_ERROR = 0x02, INTR = 0x04;
  static constexpr PciBdf kBdf{1, 1};
  static constexpr std::uint16_t kBmiba = 0xc000;

  struct Prd {
    std::uint32_t base;
    std::uint32_t bytes;  ///< 65536 is written as 0
  };
  struct DmaResult {
    std::uint8_t bm;      ///< bus master status when polling ended
    std::uint8_t status;  ///< ATA status, read once
    std::uint8_t error;
    bool irq;  ///< the line, before status was read
  };

  IdeDriver(rig::SimGuest& guest, unsigned channel = 0)
      : guest_{guest},
        base_{static_cast<std::uint16_t>(channel == 0 ? 0x1f0 : 0x170)},
        control_{static_cast<std::uint16_t>(channel == 0 ? 0x3f6 : 0x376)},
        irq_{channel == 0 ? 14U : 15U},
        bm_{static_cast<std::uint16_t>(kBmiba + 8 * channel)} {}

  /// Called at every turn of a polling loop: what the world does meanwhile.
  std::function<void()> idle = [] {};

  // Registers.
  [[nodiscard]] std::uint8_t in(unsigned reg) {
    return guest_.inb(static_cast<std::uint16_t>(base_ + reg));
  }
  void out(unsigned reg, unsigned value) {
    guest_.outb(static_cast<std::uint16_t>(base_ + reg), static_cast<std::uint8_t>(value));
  }
  [[nodiscard]] std::uint8_t status() { return in(7); }
  [[nodiscard]] std::uint8_t alt_status() { return guest_.inb(control_); }
  [[nodiscard]] std::uint8_t error() { return in(1); }
  void control(unsigned value) { guest_.outb(control_, static_cast<std::uint8_t>(value)); }
  void command(unsigned opcode) { out(7, opcode); }
  void select(unsigned unit, unsigned bits = 0) { out(6, 0xa0U | unit << 4U | bits); }
  [[nodiscard]] bool irq() const { return guest_.isa_irq(irq_); }
  [[nodiscard]] std::uint64_t edges() const { return guest_.isa_edges(irq_); }
  [[nodiscard]] std::uint16_t data_port() const { return base_; }
  [[nodiscard]] std::uint16_t bm_port() const { return bm_; }

  /// Polls the alternate status until BSY goes away; the value that it then has.
  std::uint8_t wait() {
    for (int i = 0; i < 100; ++i) {
      if (const std::uint8_t s = alt_status(); (s & BSY) == 0) {
        return s;
      }
      idle();
    }
    throw std::runtime_error("IDE: BSY does not go away");
  }

  // Addresses. `lba` 28 or 48 bits, count 0 as the register means it.
  void lba28(unsigned unit, std::uint32_t lba, unsigned count) {
    select(unit, 0x40U | (lba >> 24U & 15U));
    out(2, count & 0xffU);
    out(3, lba & 0xffU);
    out(4, lba >> 8U & 0xffU);
    out(5, lba >> 16U & 0xffU);
  }
  void lba48(unsigned unit, std::uint64_t lba, unsigned count) {
    select(unit, 0x40);
    out(2, count >> 8U & 0xffU);
    out(3, lba >> 24U & 0xffU);
    out(4, lba >> 32U & 0xffU);
    out(5, lba >> 40U & 0xffU);
    out(2, count & 0xffU);
    out(3, lba & 0xffU);
    out(4, lba >> 8U & 0xffU);
    out(5, lba >> 16U & 0xffU);
  }
  void chs(unsigned unit, unsigned cylinder, unsigned head, unsigned sector, unsigned count) {
    select(unit, head & 15U);
    out(2, count & 0xffU);
    out(3, sector);
    out(4, cylinder & 0xffU);
    out(5, cylinder >> 8U & 0xffU);
  }
  [[nodiscard]] std::uint32_t lba28_now() {
    return std::uint32_t{in(3)} | std::uint32_t{in(4)} << 8U | std::uint32_t{in(5)} << 16U |
           (std::uint32_t{in(6)} & 15U) << 24U;
  }
  [[nodiscard]] std::uint64_t lba48_now() {
    std::uint64_t lba =
        std::uint64_t{in(3)} | std::uint64_t{in(4)} << 8U | std::uint64_t{in(5)} << 16U;
    control(HOB);
    lba |= std::uint64_t{in(3)} << 24U | std::uint64_t{in(4)} << 32U | std::uint64_t{in(5)} << 40U;
    control(0);
    return lba;
  }

  // PIO data, by `rep insw` through guest memory at kBounce, `sectors` in DRQ blocks of `block`.
  std::vector<std::byte> read_data(unsigned sectors, unsigned block = 1, std::uint8_t size = 2) {
    std::vector<std::byte> out;
    while (sectors != 0) {
      const unsigned now = std::min(block, sectors);
      need(DRQ);
      const std::size_t bytes = std::size_t{now} * 512;
      for (std::size_t at = 0; at < bytes; at += 512) {
        guest_.rep_ins(base_, size, kBounce + at, static_cast<std::uint32_t>(512 / size));
      }
      const auto from = guest_.ram().subspan(kBounce, bytes);
      out.insert(out.end(), from.begin(), from.end());
      sectors -= now;
    }
    return out;
  }
  void write_data(std::span<const std::byte> data, unsigned block = 1, std::uint8_t size = 2) {
    while (!data.empty()) {
      const std::size_t bytes = std::min<std::size_t>(std::size_t{block} * 512, data.size());
      need(DRQ);
      std::memcpy(guest_.ram().subspan(kBounce, bytes).data(), data.data(), bytes);
      for (std::size_t at = 0; at < bytes; at += 512) {
        guest_.rep_outs(base_, size, kBounce + at, static_cast<std::uint32_t>(512 / size));
      }
      data = data.subspan(bytes);
    }
  }
  std::array<std::uint16_t, 256> identify(unsigned unit) {
    select(unit);
    command(0xec);
    const auto bytes = read_data(1);
    std::array<std::uint16_t, 256> words;
    std::memcpy(words.data(), bytes.data(), 512);
    return words;
  }

  /// SRST as Linux pulses it; both drives selected afterwards as the signature left it.
  void soft_reset() {
    control(0x08);
    control(0x08 | SRST);
    control(0x08);
  }

  // Bus master.
  void place_bar(std::uint16_t at = kBmiba) { guest_.config_write(kBdf, 0x20, 4, at); }
  void enable(unsigned bits = 7) {
    place_bar();
    guest_.config_write(kBdf, 4, 2, bits);
  }
  [[nodiscard]] std::uint8_t bm_status() { return guest_.inb(static_cast<std::uint16_t>(bm_ + 2)); }
  [[nodiscard]] std::uint8_t bm_command() { return guest_.inb(bm_); }
  void bm_command(unsigned value) { guest_.outb(bm_, static_cast<std::uint8_t>(value)); }
  void bm_status(unsigned value) {
    guest_.outb(static_cast<std::uint16_t>(bm_ + 2), static_cast<std::uint8_t>(value));
  }
  void bm_table(std::uint32_t gpa) { guest_.outl(static_cast<std::uint16_t>(bm_ + 4), gpa); }

  /// Writes a table with its end mark.
  void put_prds(std::uint64_t at, std::span<const Prd> prds, bool end = true) {
    for (std::size_t i = 0; i < prds.size(); ++i) {
      guest_.poke(at + 8 * i, prds[i].base);
      const std::uint32_t eot = end && i + 1 == prds.size() ? 0x80000000U : 0;
      guest_.poke(at + 8 * i + 4, (prds[i].bytes & 0xffffU) | eot);
    }
  }
  void prepare_dma(std::span<const Prd> prds, std::uint64_t table = kTable) {
    bm_command(0);
    bm_status(INTR | BM_ERROR);
    put_prds(table, prds);
    bm_table(static_cast<std::uint32_t>(table));
  }
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
    command(0x25);
    return run_dma(true);
  }
  DmaResult write_dma(unsigned unit, std::uint64_t lba, unsigned count, std::span<const Prd> prds) {
    prepare_dma(prds);
    lba48(unit, lba, count);
    command(0x35);
    return run_dma(false);
  }

  static constexpr std::uint64_t kTable = 0x8000;
  static constexpr std::uint64_t kBounce = 0x10000;

 private:
  void need(std::uint8_t bits) {
    if (const std::uint8_t s = wait(); (s & bits) != bits) {
      throw std::runtime_error("IDE: status is " + std::to_string(s));
    }
  }

  rig::SimGuest& guest_;
  std::uint16_t base_;
  std::uint16_t control_;
  unsigned irq_;
  std::uint16_t bm_;
};

}  // namespace dm::drivers
