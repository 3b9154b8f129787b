// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"
#include "core/irq/irq_line.h"
#include "core/mem/guest_memory.h"
#include "core/obs/inspector.h"
#include "core/pci/pci_bus.h"
#include "core/ports/unplug.h"
#include "core/result.h"
#include "devices/ata/drive.h"
#include "devices/ide/channel.h"
#include "devices/ide/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dm::ide {

/// Positions on the two channels, in libxl's and QEMU's order: hda, hdb, hdc, hdd.
inline constexpr std::size_t kPositions = 4;

/// The IDE function of the PIIX3, 8086:7010 at 00:01.1: configuration space, the legacy ports
/// 0x1f0-0x1f7/0x3f6 and 0x170-0x177/0x376 with IRQ 14 and 15, and the bus-master registers behind
/// BAR 4.
///
/// The legacy ports answer whatever the command register and IDETIM say. Without hvmloader, SeaBIOS
/// runs before anybody sets those, and no guest switches the ports off. Thread rule: the loop's
/// thread only. No allocation after construction. Source: Intel 290550-002.
class Piix3Ide final : public PciFunction {
 public:
  /// Null: no drive there.
  using Drives = std::array<std::unique_ptr<ata::Drive>, kPositions>;
  static constexpr PciBdf kBdf{.device = 1, .function = 1};

  /// Throws std::runtime_error when the slot or a port is taken.
  Piix3Ide(PciBus& pci, PioBus& pio, IrqRouter& irqs, GuestMemory& memory, Drives drives);
  ~Piix3Ide() override = default;

  /// Removes disks: all of them, or all but the primary master. CD-ROMs stay. On return the disks'
  /// data is durable, nothing of them is in flight and their images are closed. Idempotent. False
  /// when some data could not be made durable; the disks leave all the same.
  bool unplug(UnplugRequest request) noexcept;

  /// As after power-on; nothing is in flight. What has left stays away.
  void reset() noexcept;
  /// The end of S3: drives and bus masters as after power-on; nothing is in flight. Configuration
  /// space stays, since no firmware sets it up again.
  void wake() noexcept;

  /// On return, nothing is in flight and no work is queued: before QMP's "stop" answers, and before
  /// state(). It waits for one request of each drive. A command that needs more goes on at
  /// resume().
  void pause() noexcept;
  /// After pause(), and after restore().
  void resume() noexcept;
  /// Calls pause(), then makes all acknowledged data durable: for power-off, S3 and reset. False
  /// when that failed.
  [[nodiscard]] bool flush() noexcept;

  /// Calls pause(), then lets another machine have the images of all drives
  /// (BlockBackend::hand_over). False when one stays here; those before it are handed over.
  [[nodiscard]] bool hand_over() noexcept;
  /// Before resume(). False when an image cannot be had again.
  [[nodiscard]] bool take_back() noexcept;

  [[nodiscard]] Channel& channel(std::size_t number) noexcept { return channels_[number]; }
  /// Null when there is none (any more).
  [[nodiscard]] const ata::Drive* drive(std::size_t position) const noexcept {
    return channels_[position / Channel::kDrives].drive(
        static_cast<std::uint8_t>(position % Channel::kDrives));
  }

  /// After pause().
  [[nodiscard]] ControllerState state() const noexcept;
  /// Fails unless restore() would accept this valid state, and it has every drive that was not
  /// unplugged. A disk may be missing if, and only if, the guest has unplugged it. This machine
  /// need not have such a disk at all: its image is not opened then.
  [[nodiscard]] Result<> fits(const ControllerState& state, const UnplugRequest& gone) const;
  /// Replaces the state, in a machine with the same disks that has not run yet. Call resume() next.
  /// A drive that the saved machine had lost by an unplug is removed here too. False, and nothing
  /// changes, when the state is not valid or does not fit the drives.
  [[nodiscard]] bool restore(const ControllerState& state) noexcept;

  /// The registers under `name`, and a row of "drives" for each drive.
  void inspect(Inspector& to, std::string_view name) const;

 private:
  struct Legacy {
    PioClaim command;
    PioClaim control;
  };

  void config_written(std::uint8_t offset, std::uint8_t size) noexcept override;
  [[nodiscard]] std::uint64_t read_bus_master(IoAccess a) noexcept;
  void write_bus_master(IoAccess a, std::uint64_t value) noexcept;
  void follow_command_register() noexcept;
  [[nodiscard]] std::string difference(const ata::DriveState& saved,
                                       std::size_t position,
                                       bool unplugged) const;
  [[nodiscard]] bool accepts(const ata::DriveState& saved, std::size_t position) const noexcept;
  [[nodiscard]] bool drives_accept(const ControllerState& state) const noexcept;
  void show_drive(Inspector& to, std::size_t position) const;

  const std::array<ata::DriveKind, kPositions> configured_;
  std::array<Channel, 2> channels_;
  std::array<Legacy, 2> legacy_;
};

}  // namespace dm::ide
