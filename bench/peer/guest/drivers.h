// SPDX-License-Identifier: MIT
#pragma once

// The guest's drivers: register numbers as in the datasheets, sequences as Linux's and hvmloader's.

#include "bench/peer/guest/xen_side.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace peer {

/// hvmloader's part: finds functions of bus 0, gives BARs addresses, switches decoding on.
class Pci {
 public:
  explicit Pci(Vcpu& cpu) noexcept : cpu_{cpu} {}

  /// devfn of the first function with these ids.
  [[nodiscard]] std::optional<unsigned> find(std::uint16_t vendor, std::uint16_t device) noexcept;
  /// Sizes a BAR, places it, returns its size.
  std::uint32_t place_bar(unsigned devfn, unsigned bar, std::uint32_t address) noexcept;
  /// COMMAND: bit 0 I/O, 1 memory, 2 bus master.
  void enable(unsigned devfn, std::uint16_t bits) noexcept;

 private:
  Vcpu& cpu_;
};

/// 16550A at 0x3f8.
class Uart {
 public:
  explicit Uart(Vcpu& cpu) noexcept : cpu_{cpu} {}

  /// 115200 8N1, FIFO on. False when the scratch register does not hold what is written: no chip
  /// there.
  [[nodiscard]] bool set_up() noexcept;
  /// As Linux's console and transmit path do: when the transmitter is empty, a FIFO full of bytes.
  void write(std::string_view text) noexcept;
  /// A block of guest memory by `rep outsb`, a FIFO full at a time.
  void write_block(std::uint64_t gpa, std::uint32_t bytes) noexcept;

 private:
  void wait_empty() noexcept;

  static constexpr std::uint16_t kBase = 0x3f8;
  Vcpu& cpu_;
};

/// Primary master of a PIIX3, LBA28.
class Ide {
 public:
  Ide(Vcpu& cpu, XenSide& xen, Pci& pci) noexcept : cpu_{cpu}, xen_{xen}, pci_{pci} {}

  /// Bus-master BAR, reset, IDENTIFY. Empty when there is no drive. Sectors.
  [[nodiscard]] std::optional<std::uint32_t> set_up() noexcept;
  /// READ DMA / WRITE DMA of `sectors` (at most 256) to pages of guest memory, by a PRD table with
  /// an entry for each page. Waits for the interrupt and ends the transfer as libata does. False on
  /// an error bit.
  [[nodiscard]] bool dma(bool write,
                         std::uint32_t lba,
                         unsigned sectors,
                         std::span<const std::uint64_t> pages) noexcept;
  /// READ SECTORS: an interrupt and a `rep insw` for each sector.
  [[nodiscard]] bool read_pio(std::uint32_t lba, unsigned sectors, std::uint64_t gpa) noexcept;
  [[nodiscard]] bool flush() noexcept;

 private:
  void command(std::uint8_t code, std::uint32_t lba, unsigned sectors) noexcept;
  [[nodiscard]] bool interrupted() noexcept;

  static constexpr std::uint16_t kBase = 0x1f0;
  static constexpr std::uint16_t kControl = 0x3f6;
  static constexpr std::uint16_t kBusMaster = 0xc000;
  static constexpr std::uint64_t kPrdTable = 0x100000;  ///< in guest memory
  Vcpu& cpu_;
  XenSide& xen_;
  Pci& pci_;
};

/// What every 8-byte word of the test disk holds.
[[nodiscard]] constexpr std::uint64_t disk_word(std::uint64_t index) noexcept {
  std::uint64_t x = index * 0x9e3779b97f4a7c15U + 0x1234567;
  x ^= x >> 29;
  return x * 0xbf58476d1ce4e5b9U;
}

}  // namespace peer
