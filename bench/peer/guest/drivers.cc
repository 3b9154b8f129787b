// SPDX-License-Identifier: MIT
#include "bench/peer/guest/drivers.h"

#include <array>
#include <cstring>

namespace peer {

std::optional<unsigned> Pci::find(std::uint16_t vendor, std::uint16_t device) noexcept {
  for (unsigned devfn = 0; devfn < 256; ++devfn) {
    if (cpu_.config_read(devfn, 0, 4) == (std::uint32_t{device} << 16 | vendor)) {
      return devfn;
    }
  }
  return std::nullopt;
}

std::uint32_t Pci::place_bar(unsigned devfn, unsigned bar, std::uint32_t address) noexcept {
  const unsigned reg = 0x10 + bar * 4;
  cpu_.config_write(devfn, reg, 4, 0xffffffffU);
  const std::uint32_t sizing = cpu_.config_read(devfn, reg, 4);
  const std::uint32_t mask = (sizing & 1U) != 0 ? ~3U : ~15U;
  cpu_.config_write(devfn, reg, 4, address);
  return ~(sizing & mask) + 1;
}

void Pci::enable(unsigned devfn, std::uint16_t bits) noexcept {
  const std::uint32_t command = cpu_.config_read(devfn, 4, 2);
  cpu_.config_write(devfn, 4, 2, command | bits);
}

bool Uart::set_up() noexcept {
  cpu_.outb(kBase + 7, 0x5a);
  if (cpu_.inb(kBase + 7) != 0x5a) {
    return false;
  }
  cpu_.outb(kBase + 3, 0x80);  // LCR.DLAB
  cpu_.outb(kBase + 0, 1);     // divisor 1: 115200
  cpu_.outb(kBase + 1, 0);
  cpu_.outb(kBase + 3, 0x03);  // 8N1
  cpu_.outb(kBase + 2, 0x07);  // FIFO on, both cleared
  cpu_.outb(kBase + 1, 0x00);  // no interrupts
  cpu_.outb(kBase + 4, 0x0b);  // DTR, RTS, OUT2
  return (cpu_.inb(kBase + 2) & 0xc0) == 0xc0;
}

void Uart::wait_empty() noexcept {
  while ((cpu_.inb(kBase + 5) & 0x20) == 0) {  // LSR.THRE
  }
}

void Uart::write(std::string_view text) noexcept {
  while (!text.empty()) {
    wait_empty();
    const std::string_view part = text.substr(0, 16);
    for (const char c : part) {
      cpu_.outb(kBase, static_cast<std::uint8_t>(c));
    }
    text.remove_prefix(part.size());
  }
}

void Uart::write_block(std::uint64_t gpa, std::uint32_t bytes) noexcept {
  while (bytes != 0) {
    wait_empty();
    const std::uint32_t part = bytes < 16 ? bytes : 16;
    cpu_.rep_out(kBase, 1, gpa, part);
    gpa += part;
    bytes -= part;
  }
}

std::optional<std::uint32_t> Ide::set_up() noexcept {
  const auto function = pci_.find(0x8086, 0x7010);
  if (!function) {
    return std::nullopt;
  }
  pci_.place_bar(*function, 4, kBusMaster | 1U);
  cpu_.config_write(*function, 0x40, 2, 0x8000);  // IDETIM, primary: decode enable
  cpu_.config_write(*function, 0x42, 2, 0x8000);
  pci_.enable(*function, 0x5);
  if (!xen_.claimed(range_port, kBusMaster, kBusMaster + 1)) {
    return std::nullopt;
  }
  cpu_.outb(kControl, 0x04);  // SRST
  cpu_.outb(kControl, 0x00);
  cpu_.outb(kBase + 6, 0xa0);
  for (int i = 0; (cpu_.inb(kBase + 7) & 0x80) != 0; ++i) {
    if (i > 100000) {
      return std::nullopt;
    }
  }
  cpu_.outb(kBase + 7, 0xec);  // IDENTIFY DEVICE
  if (!interrupted() || (cpu_.inb(kBase + 7) & 0x89) != 0x08) {
    return std::nullopt;
  }
  constexpr std::uint64_t kIdentity = 0x180000;
  cpu_.rep_in(kBase, 2, kIdentity, 256);
  std::uint32_t sectors = 0;
  std::memcpy(&sectors, xen_.at<std::byte>(kIdentity) + 60 * 2, 4);  // words 60-61: LBA28 capacity
  return sectors;
}

bool Ide::interrupted() noexcept {
  return cpu_.wait_line(xen_.control().isa_level[14]);
}

void Ide::command(std::uint8_t code, std::uint32_t lba, unsigned sectors) noexcept {
  cpu_.outb(kBase + 6, static_cast<std::uint8_t>(0xe0U | (lba >> 24 & 0x0fU)));
  cpu_.outb(kBase + 2, static_cast<std::uint8_t>(sectors));  // 256 is written as 0
  cpu_.outb(kBase + 3, static_cast<std::uint8_t>(lba));
  cpu_.outb(kBase + 4, static_cast<std::uint8_t>(lba >> 8));
  cpu_.outb(kBase + 5, static_cast<std::uint8_t>(lba >> 16));
  cpu_.outb(kBase + 7, code);
}

bool Ide::dma(bool write,
              std::uint32_t lba,
              unsigned sectors,
              std::span<const std::uint64_t> pages) noexcept {
  auto* prd = xen_.at<std::uint32_t>(kPrdTable);
  std::uint32_t left = sectors * 512;
  for (const std::uint64_t page : pages) {
    const std::uint32_t bytes = left < 4096 ? left : 4096;
    left -= bytes;
    *prd++ = static_cast<std::uint32_t>(page);
    *prd++ = bytes | (left == 0 ? 0x80000000U : 0);  // EOT
    if (left == 0) {
      break;
    }
  }
  const auto direction = static_cast<std::uint8_t>(write ? 0x00 : 0x08);
  cpu_.out(kBusMaster + 4, 4, kPrdTable);
  cpu_.outb(kBusMaster + 0, direction);
  cpu_.outb(kBusMaster + 2, 0x06);  // clear error and interrupt
  command(write ? 0xca : 0xc8, lba, sectors);
  cpu_.outb(kBusMaster + 0, direction | 0x01);  // start
  if (!interrupted()) {
    return false;
  }
  const std::uint8_t bus_master = cpu_.inb(kBusMaster + 2);
  cpu_.outb(kBusMaster + 0, direction);  // stop
  const std::uint8_t status = cpu_.inb(kBase + 7);
  cpu_.outb(kBusMaster + 2, 0x06);
  return (bus_master & 0x06) == 0x04 && (status & 0x81) == 0;
}

bool Ide::read_pio(std::uint32_t lba, unsigned sectors, std::uint64_t gpa) noexcept {
  command(0x20, lba, sectors);
  for (unsigned sector = 0; sector < sectors; ++sector) {
    if (!interrupted() || (cpu_.inb(kBase + 7) & 0x89) != 0x08) {
      return false;
    }
    cpu_.rep_in(kBase, 2, gpa + sector * 512, 256);
  }
  return true;
}

bool Ide::flush() noexcept {
  cpu_.outb(kBase + 6, 0xe0);
  cpu_.outb(kBase + 7, 0xe7);
  return interrupted() && (cpu_.inb(kBase + 7) & 0x81) == 0;
}

}  // namespace peer
