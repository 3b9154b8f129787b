// SPDX-License-Identifier: MIT
// A guest's driver for the task file of an ATA channel. Every number is typed from ATA/ATAPI-6;
// nothing comes from the device's own headers.
#pragma once

#include "tests/rig/guest_instructions.h"

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

/// Needs a guest's instructions and its memory, from address 0 on: a SimGuest, the product's
/// machine on a simulated host, or a fuzzer.
class AtaDriver {
 public:
  // Status
  static constexpr std::uint8_t BSY = 0x80, DRDY = 0x40, DF = 0x20, DSC = 0x10, DRQ = 0x08,
                                ERR = 0x01;
  // Error
  static constexpr std::uint8_t UNC = 0x40, IDNF = 0x10, ABRT = 0x04;
  // Device control
  static constexpr std::uint8_t HOB = 0x80, SRST = 0x04, nIEN = 0x02;
  // Commands; DATA SET MANAGEMENT is from ACS-2
  static constexpr std::uint8_t DATA_SET_MANAGEMENT = 0x06, READ_SECTORS = 0x20,
                                READ_SECTORS_EXT = 0x24, READ_DMA_EXT = 0x25, WRITE_SECTORS = 0x30,
                                WRITE_DMA_EXT = 0x35, PACKET = 0xa0, READ_MULTIPLE = 0xc4,
                                WRITE_MULTIPLE = 0xc5, READ_DMA = 0xc8, WRITE_DMA = 0xca,
                                FLUSH_CACHE = 0xe7, IDENTIFY = 0xec;
  static constexpr std::uint64_t kBounce = 0x10000;

  AtaDriver(rig::GuestInstructions& cpu, std::span<std::byte> ram, unsigned channel = 0)
      : cpu_{cpu},
        ram_{ram},
        base_{static_cast<std::uint16_t>(channel == 0 ? 0x1f0 : 0x170)},
        control_{static_cast<std::uint16_t>(channel == 0 ? 0x3f6 : 0x376)} {}

  /// Called at every turn of a polling loop: what the world does meanwhile.
  std::function<void()> idle = [] {};

  // Registers.
  [[nodiscard]] std::uint8_t in(unsigned reg) {
    return cpu_.inb(static_cast<std::uint16_t>(base_ + reg));
  }
  void out(unsigned reg, unsigned value) {
    cpu_.outb(static_cast<std::uint16_t>(base_ + reg), static_cast<std::uint8_t>(value));
  }
  [[nodiscard]] std::uint8_t status() { return in(7); }
  [[nodiscard]] std::uint8_t alt_status() { return cpu_.inb(control_); }
  [[nodiscard]] std::uint8_t error() { return in(1); }
  void control(unsigned value) { cpu_.outb(control_, static_cast<std::uint8_t>(value)); }
  void command(unsigned opcode) { out(7, opcode); }
  void select(unsigned unit, unsigned bits = 0) { out(6, 0xa0U | unit << 4U | bits); }
  [[nodiscard]] std::uint16_t data_port() const { return base_; }
  [[nodiscard]] std::uint16_t status_port() const { return static_cast<std::uint16_t>(base_ + 7); }
  [[nodiscard]] std::uint16_t control_port() const { return control_; }
  // What the driver runs on.
  [[nodiscard]] rig::GuestInstructions& cpu() const { return cpu_; }
  [[nodiscard]] std::span<std::byte> ram() const { return ram_; }

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
        cpu_.rep_ins(base_, size, kBounce + at, static_cast<std::uint32_t>(512 / size));
      }
      const auto from = ram_.subspan(kBounce, bytes);
      out.insert(out.end(), from.begin(), from.end());
      sectors -= now;
    }
    return out;
  }
  void write_data(std::span<const std::byte> data, unsigned block = 1, std::uint8_t size = 2) {
    while (!data.empty()) {
      const std::size_t bytes = std::min<std::size_t>(std::size_t{block} * 512, data.size());
      need(DRQ);
      std::memcpy(ram_.subspan(kBounce, bytes).data(), data.data(), bytes);
      for (std::size_t at = 0; at < bytes; at += 512) {
        cpu_.rep_outs(base_, size, kBounce + at, static_cast<std::uint32_t>(512 / size));
      }
      data = data.subspan(bytes);
    }
  }
  std::array<std::uint16_t, 256> identify(unsigned unit) {
    select(unit);
    command(IDENTIFY);
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

 private:
  void need(std::uint8_t bits) {
    if (const std::uint8_t s = wait(); (s & bits) != bits) {
      throw std::runtime_error("IDE: status is " + std::to_string(s));
    }
  }

  rig::GuestInstructions& cpu_;
  std::span<std::byte> ram_;
  std::uint16_t base_;
  std::uint16_t control_;
};

}  // namespace dm::drivers
