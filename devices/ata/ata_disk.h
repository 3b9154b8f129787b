// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/obs/log.h"
#include "core/time/work.h"
#include "devices/ata/ata_command.h"
#include "devices/ata/geometry.h"
#include "devices/ata/identify.h"
#include "devices/ata/image_drive.h"
#include "devices/ata/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace dm::ata {

/// An ATA disk. A write to the command register decodes and checks; whatever needs the image
/// becomes units of deferred work. Thread rule: the loop's thread only. No allocation after
/// construction. Source: ATA/ATAPI-6.
class AtaDisk final : public ImageDrive {
 public:
  /// Most sectors of one read of the image for PIO. Sectors that are left over serve the next
  /// reads.
  static constexpr std::uint32_t kReadAhead = 128;
  /// Most 512-byte blocks of DATA SET MANAGEMENT ranges in one command: word 105 of IDENTIFY.
  static constexpr std::uint8_t kMaxTrimBlocks = 8;

  AtaDisk(std::unique_ptr<BlockBackend> image, WorkQueue& work, const DiskIdentity& identity);
  ~AtaDisk() override;

  [[nodiscard]] DriveKind kind() const noexcept override { return DriveKind::disk; }
  void command(std::uint8_t opcode) noexcept override;
  [[nodiscard]] std::size_t data_left() const noexcept override;
  std::size_t read_data(std::span<std::byte> to) noexcept override;
  std::size_t write_data(std::span<const std::byte> from) noexcept override;
  void reset(Reset kind) noexcept override;
  void release_reset() noexcept override;
  [[nodiscard]] bool flush() noexcept override;
  void state(DriveState& out) const noexcept override;
  [[nodiscard]] bool accepts(const DriveState& in) const noexcept override;
  [[nodiscard]] bool restore(const DriveState& in) noexcept override;

  [[nodiscard]] std::uint64_t total_sectors() const noexcept { return total_; }
  [[nodiscard]] Geometry geometry() const noexcept { return default_geometry(total_); }

 private:
  using Step = DiskStep;

  [[nodiscard]] const AtaCommand& current() const noexcept { return kAtaCommands[disk_.command]; }

  // ata_disk.cc: units of work
  [[nodiscard]] Phase& phase() noexcept override { return disk_.phase; }
  [[nodiscard]] bool uses_dma() const noexcept override;
  void dma_ready() noexcept override { go(Step::dma_begin); }
  void run_step() noexcept override;
  void step_done(BlockStatus status) noexcept override;
  void give_up() noexcept override;
  [[nodiscard]] bool undecoded() const noexcept override { return disk_.step == Step::begin; }
  void abort_dma() noexcept override;
  void go(Step step) noexcept;
  void submit_sectors(BlockOp op,
                      std::uint64_t lba,
                      std::uint64_t bytes,
                      std::span<const std::span<std::byte>> data) noexcept;
  void show_signature() noexcept;
  [[nodiscard]] bool fits(const DiskState& in) const noexcept;

  // ata_nondata.cc: commands without a data phase, and those whose data we make
  void begin() noexcept;
  void begin_transfer() noexcept;
  void initialize_parameters() noexcept;
  void set_multiple() noexcept;
  void set_features() noexcept;
  void set_transfer_mode(std::uint8_t mode) noexcept;
  void read_native_max() noexcept;
  void identify() noexcept;
  void smart() noexcept;
  void smart_data(std::uint8_t feature) noexcept;
  void data_set_management() noexcept;
  void flush_done(BlockStatus status) noexcept;

  // ata_registers.cc: addresses in, results out
  [[nodiscard]] std::optional<std::uint64_t> address() const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> chs_address() const noexcept;
  [[nodiscard]] std::uint32_t sector_count() const noexcept;
  [[nodiscard]] bool take_range() noexcept;
  void put_address(std::uint64_t lba) noexcept;
  void put_chs_address(std::uint64_t lba) noexcept;
  void end(std::uint8_t status, std::uint8_t error) noexcept override;
  void complete() noexcept;
  void complete_transfer() noexcept;
  void abort() noexcept;
  void fail(std::uint8_t error, std::uint8_t status_bits) noexcept;
  void fail_at(std::uint64_t lba, std::uint8_t error, std::uint8_t status_bits) noexcept;
  void medium_error(BlockStatus status, std::string_view what) noexcept;

  // ata_pio.cc
  [[nodiscard]] std::uint32_t block_sectors() const noexcept;
  void begin_read() noexcept;
  void begin_write() noexcept;
  void next_block_in() noexcept;
  void offer_block(std::uint32_t bytes) noexcept;
  void block_taken() noexcept;
  void want_block(bool interrupt) noexcept;
  void block_filled() noexcept;
  void read_ahead() noexcept;
  void read_ahead_done(BlockStatus status) noexcept;
  void write_block() noexcept;
  void write_block_done(BlockStatus status) noexcept;
  void verify_next() noexcept;
  void verify_done(BlockStatus status) noexcept;

  // ata_dma.cc
  void start_dma() noexcept;
  void dma_next() noexcept;
  void dma_done(BlockStatus status) noexcept;
  void dma_advance(std::uint64_t sectors) noexcept;
  void dma_fault() noexcept override;
  void take_trim_ranges() noexcept;
  [[nodiscard]] bool ranges_fit(const DiskState& in) const noexcept;
  void trim_next() noexcept;

  DiskIdentity identity_;
  BlockInfo info_;
  std::uint64_t total_;  ///< sectors; fixed at construction
  log::Limit limit_;

  DiskState disk_;

  // Not touched by the guest, not saved.
  std::span<std::byte> single_;  ///< the one span of requests that use our own memory

  // Read-ahead of PIO reads. A series of reads uses it; any other command empties it.
  std::array<std::byte, std::size_t{kReadAhead} * kSectorSize> ahead_;
  std::uint64_t ahead_lba_ = 0;
  std::uint32_t ahead_sectors_ = 0;
  std::uint64_t expected_lba_ = 0;  ///< where a sequential reader goes on
  bool sequential_ = false;
  bool exact_ = false;  ///< read-ahead met an error: read only what the guest asks for
};

}  // namespace dm::ata
