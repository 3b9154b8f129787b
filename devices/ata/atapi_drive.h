// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/obs/log.h"
#include "core/time/work.h"
#include "devices/ata/atapi_command.h"
#include "devices/ata/atapi_replies.h"
#include "devices/ata/identify.h"
#include "devices/ata/image_drive.h"
#include "devices/ata/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dm::ata {

/// A CD-ROM drive with a tray, and perhaps a disc in it: a read-only image.
///
/// Only reads of the disc use the image. They become units of deferred work, one read of the image
/// each. Any other packet command starts within the write of the packet's last word; only data that
/// goes by DMA follows in a unit of work. A read is checked against the size of the disc, and each
/// of its units checks that this disc is still there. Thread rule: the loop's thread only. No
/// allocation after construction. Source: MMC-3, SFF-8020i, SPC-2.
class AtapiDrive final : public ImageDrive {
 public:
  /// `disc` null: an empty drive, its tray closed.
  AtapiDrive(std::unique_ptr<BlockBackend> disc, WorkQueue& work, const DiskIdentity& identity);
  ~AtapiDrive() override;

  // The host may change discs at any time. A read by the guest at that moment fails.

  /// Opens the tray and takes the disc out. Its image is closed on return. False: the guest has
  /// locked the tray, and has been asked to let the disc go. An empty drive never refuses. `force`
  /// breaks the lock; it stays broken for the discs that follow.
  [[nodiscard]] bool eject(bool force) noexcept;
  /// Puts a disc in and closes the tray. The disc before it must be out (eject()).
  void insert(std::unique_ptr<BlockBackend> disc) noexcept;
  [[nodiscard]] bool tray_open() const noexcept { return cd_.tray_open; }
  [[nodiscard]] bool locked() const noexcept { return cd_.locked; }

  [[nodiscard]] DriveKind kind() const noexcept override { return DriveKind::cdrom; }
  void command(std::uint8_t opcode) noexcept override;
  [[nodiscard]] std::size_t data_left() const noexcept override;
  std::size_t read_data(std::span<std::byte> to) noexcept override;
  std::size_t write_data(std::span<const std::byte> from) noexcept override;
  void reset(Reset kind) noexcept override;
  void release_reset() noexcept override;
  /// Always true: nothing is ever written.
  [[nodiscard]] bool flush() noexcept override;
  void state(DriveState& out) const noexcept override;
  /// The disc is not compared. If it is another one, restore() tells the guest that the disc has
  /// changed.
  [[nodiscard]] bool accepts(const DriveState& in) const noexcept override;
  [[nodiscard]] bool restore(const DriveState& in) noexcept override;

 private:
  using Step = CdStep;
  /// Most raw frames of one fetch, which spreads them over the buffer.
  static constexpr std::uint32_t kRawFrames = CdState::kBuffer / kRawFrame;

  // atapi_drive.cc: ATA commands and units of work
  [[nodiscard]] Phase& phase() noexcept override { return cd_.phase; }
  [[nodiscard]] bool uses_dma() const noexcept override { return cd_.dma; }
  void dma_ready() noexcept override { go(Step::dma_begin); }
  void run_step() noexcept override;
  void step_done(BlockStatus status) noexcept override;
  void give_up() noexcept override;
  [[nodiscard]] bool undecoded() const noexcept override { return cd_.step == Step::begin; }
  void abort_dma() noexcept override;
  void begin() noexcept;
  void go(Step step) noexcept;
  void show_signature(bool keep_device) noexcept;
  void device_reset() noexcept;
  void start_over(Reset kind) noexcept;
  void identify() noexcept;
  void set_features() noexcept;
  void end(std::uint8_t status, std::uint8_t error) noexcept override;
  void complete() noexcept;
  void abort() noexcept;

  // atapi_packet.cc: decode, and commands that answer at once
  void begin_packet() noexcept;
  void packet_taken() noexcept;
  void run_packet(Packet action) noexcept;
  [[nodiscard]] Reply new_reply() noexcept;
  [[nodiscard]] CdFacts facts() const noexcept;
  void answer(const Reply& reply, std::size_t allocation) noexcept;
  void answer_if(bool valid, const Reply& reply, std::size_t allocation) noexcept;
  void finish_packet() noexcept;
  void refuse(const Sense& sense) noexcept;
  void request_sense() noexcept;
  void get_event_status() noexcept;
  void read_dvd_structure() noexcept;
  void mode_sense(std::size_t header) noexcept;
  void mode_select() noexcept;
  void mode_parameters_taken() noexcept;
  void read_blocks(std::uint32_t lba, std::uint32_t count, std::uint16_t frame) noexcept;
  void seek() noexcept;
  void read_cd() noexcept;
  void read_cd_msf() noexcept;
  void read_cd_range(std::uint32_t lba, std::uint32_t count) noexcept;

  // atapi_media.cc
  [[nodiscard]] std::uint32_t blocks_in_tray() const noexcept;
  [[nodiscard]] bool readable() const noexcept;
  [[nodiscard]] Sense not_ready() const noexcept;
  [[nodiscard]] Sense take_attention() noexcept;
  void start_stop() noexcept;
  void open_tray() noexcept;
  void close_tray() noexcept;
  void disc_arrived() noexcept;
  void disc_left() noexcept;
  [[nodiscard]] std::uint8_t take_event() noexcept;
  [[nodiscard]] bool disc_is_still_there() noexcept;

  // atapi_transfer.cc
  [[nodiscard]] bool take_byte_limit(std::uint64_t total) noexcept;
  void begin_data_in(std::uint64_t total) noexcept;
  void begin_data_out(std::uint32_t total) noexcept;
  void next_burst_in() noexcept;
  void next_burst_out() noexcept;
  void show_burst(std::uint8_t reason, std::uint32_t bytes) noexcept;
  void burst_taken() noexcept;
  void burst_filled() noexcept;
  void fetch() noexcept;
  void fetched(BlockStatus status) noexcept;
  void frame_blocks(std::uint32_t lba, std::uint32_t count) noexcept;
  void start_dma() noexcept;
  [[nodiscard]] bool go_on_by_dma(std::uint64_t left) noexcept;
  [[nodiscard]] bool copy_by_dma() noexcept;
  void dma_next() noexcept;
  void dma_done(BlockStatus status) noexcept;
  void dma_advance(std::uint64_t bytes) noexcept;
  void dma_raw_done(BlockStatus status) noexcept;
  void end_dma() noexcept;
  void dma_fault() noexcept override;
  void read_failed() noexcept;

  DiskIdentity identity_;
  log::Limit limit_;

  CdState cd_;

  // Not touched by the guest, not saved.
  std::array<std::span<std::byte>, kRawFrames> spans_;
  std::uint64_t moved_ = 0;     ///< bytes of the DMA command that are in guest memory
  std::uint32_t fetching_ = 0;  ///< blocks
  bool dma_running_ = false;    ///< the transfer has begun: finish() must follow
};

}  // namespace dm::ata
