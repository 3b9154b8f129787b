// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "devices/ata/state.h"
#include "devices/ata/transfer_port.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::ata {

/// Is told of a drive's interrupts: the controller at the other end of its cable.
class Cable {
 public:
  Cable() = default;
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;

  /// The drive's INTRQ changed.
  virtual void interrupt_changed() noexcept = 0;

 protected:
  ~Cable() = default;
};

/// One drive: its register file, which both kinds share, and behind it a disk or a CD-ROM. A
/// controller routes the guest's accesses here. A drive answers through its registers, INTRQ and
/// the data port, and gets guest memory from the transfer port. It knows its controller only by
/// these two interfaces.
///
/// BSY or DRQ is set before a command write is answered; the work follows from the loop. Thread
/// rule: the loop's thread only.
class Drive {
 public:
  enum class Reset : std::uint8_t {
    power_on,
    software,    ///< SRST went to 1: the drive is held until release_reset()
    diagnostic,  ///< EXECUTE DEVICE DIAGNOSTIC
  };

  Drive() noexcept = default;
  Drive(const Drive&) = delete;
  Drive& operator=(const Drive&) = delete;
  virtual ~Drive() = default;

  /// Connects the drive; call it first. `unit` is 0 or 1. `cable` and `port` outlive the drive.
  void connect(Cable& cable, TransferPort& port, std::uint8_t unit) noexcept;

  [[nodiscard]] virtual DriveKind kind() const noexcept = 0;

  // The command block, registers 1-7.
  [[nodiscard]] std::uint8_t read_register(std::uint8_t offset, bool high_order) const noexcept;
  void latch_register(std::uint8_t offset, std::uint8_t value) noexcept;
  [[nodiscard]] bool busy() const noexcept;  ///< BSY or DRQ
  [[nodiscard]] bool intrq() const noexcept { return intrq_; }
  void clear_interrupt() noexcept { set_interrupt(false); }

  /// Takes a write of the command register. The controller calls it only while the drive is not
  /// busy.
  virtual void command(std::uint8_t opcode) noexcept = 0;
  /// Bytes that the data port still has to move before DRQ drops.
  [[nodiscard]] virtual std::size_t data_left() const noexcept = 0;
  /// The data port. Returns the number of bytes moved: never more than data_left(), and 0 in the
  /// wrong direction.
  virtual std::size_t read_data(std::span<std::byte> to) noexcept = 0;
  virtual std::size_t write_data(std::span<const std::byte> from) noexcept = 0;

  /// The transfer port has become armed(): a drive that waits for this goes on.
  virtual void dma_started() noexcept = 0;
  /// The guest is about to stop the transfer. On return, nothing moves to or from guest memory. The
  /// drive waits for the request in flight; if there is none, it may make one. A command that needs
  /// more has failed.
  virtual void dma_stopped() noexcept = 0;

  /// Ends the command under way and loads the signature. Waits for I/O that was given to the host.
  virtual void reset(Reset kind) noexcept = 0;
  /// SRST went back to 0.
  virtual void release_reset() noexcept = 0;

  /// Waits for the request in flight. On return, nothing is in flight and no unit of work is
  /// queued: for save, stop and unplug. A command that needs more goes on at resume().
  virtual void settle() noexcept = 0;
  /// After settle() or restore().
  virtual void resume() noexcept = 0;
  /// Calls settle(), then makes everything durable that was acknowledged. False when that failed.
  [[nodiscard]] virtual bool flush() noexcept = 0;

  /// Calls settle(), then lets another machine have the image (BlockBackend::hand_over). False when
  /// it stays here.
  [[nodiscard]] virtual bool hand_over() noexcept = 0;
  /// Before resume(). False when the image cannot be had again.
  [[nodiscard]] virtual bool take_back() noexcept = 0;

  /// For management: the image; null when there is none (an empty CD-ROM drive).
  [[nodiscard]] virtual const BlockBackend* medium() const noexcept { return nullptr; }

  /// After settle().
  virtual void state(DriveState& out) const noexcept = 0;
  /// True if restore() would accept the state.
  [[nodiscard]] virtual bool accepts(const DriveState& in) const noexcept = 0;
  /// Replaces the state. False, and nothing changes, when it does not fit this drive.
  [[nodiscard]] virtual bool restore(const DriveState& in) noexcept = 0;

 protected:
  [[nodiscard]] TaskFile& file() noexcept { return file_; }
  [[nodiscard]] const TaskFile& file() const noexcept { return file_; }
  [[nodiscard]] std::uint8_t unit() const noexcept { return unit_; }
  [[nodiscard]] TransferPort& transfer() noexcept { return *port_; }
  void set_interrupt(bool on) noexcept;
  void restore_interrupt(bool on) noexcept { intrq_ = on; }
  /// Count 1, LBA 1 and the type of device (ATA/ATAPI-6 9.12).
  void load_signature(std::uint16_t type) noexcept;

 private:
  Cable* cable_ = nullptr;
  TransferPort* port_ = nullptr;
  TaskFile file_;
  std::uint8_t unit_ = 0;
  bool intrq_ = false;
};

}  // namespace dm::ata
