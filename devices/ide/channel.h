// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/io_handler.h"
#include "core/irq/irq_line.h"
#include "core/mem/guest_memory.h"
#include "devices/ata/drive.h"
#include "devices/ide/bus_master.h"
#include "devices/ide/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace dm::ide {

/// One ATA channel: two drives (either may be absent) on one set of ports and one interrupt, and
/// its half of the bus master. The channel only routes; the drives decide. The interrupt depends
/// only on the drives' INTRQ, the selection and nIEN. Thread rule: the loop's thread only. No
/// allocation after construction.
class Channel final : private ata::Cable {
 public:
  static constexpr std::size_t kDrives = 2;
  struct Counters {
    std::uint64_t ignored_writes = 0;  ///< to a busy drive
    std::uint64_t lost_commands = 0;   ///< to an absent drive
  };

  Channel(GuestMemory& memory, IrqLine irq) noexcept : bus_master_{memory}, irq_{std::move(irq)} {}
  ~Channel();

  /// At start-up. Null: none.
  void attach(std::uint8_t unit, std::unique_ptr<ata::Drive> drive) noexcept;
  /// Removes the drive for good. On return nothing of it is in flight, and its image is closed.
  /// False when the data could not be made durable first; the drive leaves all the same.
  [[nodiscard]] bool unplug(std::uint8_t unit) noexcept;
  [[nodiscard]] ata::Drive* drive(std::uint8_t unit) noexcept { return drives_[unit].get(); }
  [[nodiscard]] const ata::Drive* drive(std::uint8_t unit) const noexcept {
    return drives_[unit].get();
  }

  // Ports 0x1f0-0x1f7: handlers for PioBus.
  [[nodiscard]] std::uint64_t read_command_block(IoAccess a) noexcept;
  void write_command_block(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::size_t read_data_run(IoAccess a, std::span<std::byte> to) noexcept;
  [[nodiscard]] std::size_t write_data_run(IoAccess a, std::span<const std::byte> from) noexcept;
  // Port 0x3f6.
  [[nodiscard]] std::uint64_t read_alternate_status(IoAccess a) noexcept;
  void write_control(IoAccess a, std::uint64_t value) noexcept;
  // The channel's eight bytes of the bus master.
  [[nodiscard]] std::uint8_t read_bus_master(std::uint8_t offset) const noexcept {
    return bus_master_.read(offset);
  }
  void write_bus_master(std::uint8_t offset, std::uint8_t value) noexcept;
  void enable_bus_master(bool on) noexcept { bus_master_.enable(on); }

  /// As after power-on: RESET# reaches both drives, the bus master and the selection.
  void reset() noexcept;
  void settle() noexcept;
  void resume() noexcept;
  [[nodiscard]] bool flush() noexcept;
  /// See Piix3Ide.
  [[nodiscard]] bool hand_over() noexcept;
  [[nodiscard]] bool take_back() noexcept;

  [[nodiscard]] ChannelState state() const noexcept;
  /// The drives first.
  void restore(const ChannelState& state) noexcept;
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  void interrupt_changed() noexcept override { update_irq(); }

  [[nodiscard]] ata::Drive* selected() const noexcept { return drives_[selected_].get(); }
  [[nodiscard]] std::uint8_t read_register(std::uint8_t offset) noexcept;
  void write_register(std::uint8_t offset, std::uint8_t value) noexcept;
  void write_command(std::uint8_t opcode) noexcept;
  void run_diagnostic() noexcept;
  void update_irq() noexcept;
  [[nodiscard]] bool irq_level() const noexcept;

  BusMaster bus_master_;
  IrqLine irq_;
  /// After bus_master_: they use it to the end.
  std::array<std::unique_ptr<ata::Drive>, kDrives> drives_;
  std::uint8_t selected_ = 0;
  std::uint8_t control_ = 0;
  Counters counters_;
};

}  // namespace dm::ide
