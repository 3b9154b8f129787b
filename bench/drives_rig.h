// SPDX-License-Identifier: MIT
// A disk as primary master and a CD-ROM drive as secondary master; images are memory. Each function
// gives one whole command, as a driver does. Shared by bench_devices and bench_count_devices.
#pragma once

#include "devices/ata/ata_disk.h"
#include "devices/ata/atapi_drive.h"
#include "devices/ata/identify.h"
#include "devices/ide/piix3_ide.h"
#include "tests/drivers/ide_driver.h"
#include "tests/rig/sim_guest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace dm::bench {

/// What moving the bytes costs is the page cache's business: for times it is there, since it takes
/// part in them; for counts it would hide everything else.
enum class Payload { copied, left_alone };

/// An image in memory, its first 64 KiB over and over.
class MemoryDisk final : public BlockBackend {
 public:
  explicit MemoryDisk(Payload payload) noexcept : payload_{payload} {}

  [[nodiscard]] BlockInfo info() const noexcept override {
    return {.size = std::uint64_t{64} << 20U, .can_discard = true};
  }
  void submit(BlockRequest& request) noexcept override {
    if (payload_ == Payload::copied) {
      copy(request);
    }
    request.done_bytes = request.length;
    count(request, BlockStatus::ok);
    request.done(request, BlockStatus::ok);
  }
  void drain() noexcept override {}
  [[nodiscard]] BlockStatus flush_now() noexcept override { return BlockStatus::ok; }
  [[nodiscard]] std::string_view name() const noexcept override { return "memory"; }
  [[nodiscard]] std::string_view engine() const noexcept override { return "memory"; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override { return 0; }

 private:
  void copy(BlockRequest& request) noexcept {
    for (const auto piece : request.data) {
      for (std::size_t at = 0; at < piece.size(); at += bytes_.size()) {
        const std::size_t part = std::min(piece.size() - at, bytes_.size());
        if (request.op == BlockOp::read) {
          std::memcpy(piece.data() + at, bytes_.data(), part);
        } else {
          std::memcpy(bytes_.data(), piece.data() + at, part);
        }
      }
    }
  }

  Payload payload_;
  std::array<std::byte, 65536> bytes_{};
};

struct DrivesRig {
  using D = drivers::IdeDriver;
  static constexpr std::uint32_t kBuffer = 0x200000;
  static constexpr std::uint8_t kGood = 0x50;  ///< status: DRDY and DSC, no error

  rig::SimGuest guest;
  ide::Piix3Ide controller;
  D disk{guest, 0};
  D cd{guest, 1};
  std::array<D::Prd, 16> pages{};  ///< scattered, as pages of a page cache are

  explicit DrivesRig(Payload payload = Payload::copied)
      : controller{guest.pci(), guest.pio(), guest.irqs(), guest.memory(),
                   make(guest.work(), payload)} {
    for (std::uint32_t i = 0; i < pages.size(); ++i) {
      pages.at(i) = {kBuffer + i * 8192, 4096};
    }
    disk.enable();
    // TEST UNIT READY takes what power-on has to tell; REQUEST SENSE takes it away.
    packet({0x00}, 0);
    (void)cd.status();
    packet({0x03, 0, 0, 0, 18}, 18);
    guest.rep_ins(0x170, 2, kBuffer, 9);
    (void)cd.status();
  }

  /// READ SECTOR(S), one of them, by `rep insw`: ten requests.
  std::uint8_t read_sector_by_pio() {
    disk.lba28(0, 100, 1);
    disk.command(0x20);
    const std::uint8_t status = disk.status();
    guest.rep_ins(0x1f0, 2, kBuffer, 256);
    return status;
  }
  std::uint8_t write_sector_by_pio() {
    disk.lba28(0, 100, 1);
    disk.command(0x30);
    guest.rep_outs(0x1f0, 2, kBuffer, 256);
    return disk.status();
  }
  /// READ DMA EXT and WRITE DMA EXT, as Linux gives them, interrupt taken.
  D::DmaResult read_by_dma(unsigned sectors, std::span<const D::Prd> to) {
    return disk.read_dma(0, 1000, sectors, to);
  }
  D::DmaResult write_by_dma(unsigned sectors, std::span<const D::Prd> from) {
    return disk.write_dma(0, 1000, sectors, from);
  }
  /// READ(10) of two blocks, in one burst.
  std::uint8_t read_cd_by_pio() {
    packet({0x28, 0, 0, 0, 0, 16, 0, 0, 2}, 4096);
    const std::uint8_t status = cd.status();
    guest.rep_ins(0x170, 2, kBuffer, 2048);
    return status;
  }
  D::DmaResult read_64k_of_cd_by_dma() {
    const D::Prd region{kBuffer, 65536};
    cd.prepare_dma({&region, 1});
    packet({0x28, 0, 0, 0, 0, 16, 0, 0, 32}, 0, 1);
    return cd.run_dma(true);
  }

 private:
  static ide::Piix3Ide::Drives make(WorkQueue& work, Payload payload) {
    ide::Piix3Ide::Drives drives;
    drives[0] = std::make_unique<ata::AtaDisk>(std::make_unique<MemoryDisk>(payload), work,
                                               ata::default_identity(0));
    drives[2] = std::make_unique<ata::AtapiDrive>(std::make_unique<MemoryDisk>(payload), work,
                                                  ata::default_cd_identity(2));
    return drives;
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

}  // namespace dm::bench
