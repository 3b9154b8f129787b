// SPDX-License-Identifier: MIT
#pragma once

#include "core/mem/guest_memory.h"
#include "devices/ata/transfer_port.h"
#include "devices/ide/state.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace dm::ide {

/// One channel's bus master ("Programming Interface for Bus Master IDE Controller" 1.0): three
/// registers, and the engine that turns a table of physical region descriptors into spans of guest
/// memory, for the drive of the channel that asks its transfer port.
///
/// begin() reads the table once, into a private copy. go_on() reads it again, if a transfer was
/// saved half done. Thread rule: the loop's thread only. No allocation.
class BusMaster final : public ata::TransferPort {
 public:
  /// 512 descriptors of full regions are 32 MiB, the longest ATA command.
  static constexpr std::size_t kMaxDescriptors = 512;

  explicit BusMaster(GuestMemory& memory) noexcept : memory_{memory} {}
  ~BusMaster() = default;

  [[nodiscard]] std::uint8_t read(std::uint8_t offset) const noexcept;
  /// Any register but the command register.
  void write(std::uint8_t offset, std::uint8_t value) noexcept;
  /// Writes the command register. True when start went from 0 to 1. Before start goes to 0, the
  /// caller has ended a running transfer: see ata::Drive::dma_stopped().
  [[nodiscard]] bool write_command(std::uint8_t value) noexcept;
  [[nodiscard]] bool started() const noexcept;

  /// PCI command bit 2.
  void enable(bool on) noexcept { enabled_ = on; }
  /// INTRQ rose. Call it when everything that the interrupt announces is in memory.
  void latch_interrupt() noexcept;

  // The transfer port. Start is the SSBM bit.
  [[nodiscard]] bool armed() const noexcept override { return state_.armed; }
  /// Without bus mastering nothing can be fetched. The table reads as zeros, and data for memory is
  /// dropped. Data from memory is a fault, since invented data would overwrite the disk.
  [[nodiscard]] Fit begin(std::uint64_t bytes, Dma direction) noexcept override;
  [[nodiscard]] bool interrupted() const noexcept override { return state_.running && !loaded_; }
  [[nodiscard]] bool go_on(std::uint64_t left, Dma direction) noexcept override;
  [[nodiscard]] std::uint64_t moved() const noexcept override { return state_.moved; }
  [[nodiscard]] Gathered gather(DmaBuffer& buffer, std::uint64_t limit) noexcept override;
  void stopping(bool on) noexcept override { stopping_ = on; }
  void finish(End end) noexcept override;

  [[nodiscard]] const BusMasterState& state() const noexcept { return state_; }
  void restore(const BusMasterState& state) noexcept;

 private:
  struct Region {
    std::uint32_t base;
    std::uint32_t bytes;  ///< 2-65536, even
  };
  void forget_table() noexcept;
  void advance(std::uint32_t bytes) noexcept;
  void skip(std::uint64_t bytes) noexcept;
  [[nodiscard]] bool read_table(std::uint64_t wanted) noexcept;
  [[nodiscard]] bool add(std::uint64_t descriptor) noexcept;
  [[nodiscard]] std::uint64_t plan(std::uint64_t limit) const noexcept;

  GuestMemory& memory_;
  BusMasterState state_;
  bool enabled_ = false;

  // The transfer under way; never saved.
  std::array<Region, kMaxDescriptors> regions_{};
  std::size_t count_ = 0;
  std::size_t index_ = 0;     ///< region that gather() takes next
  std::uint32_t offset_ = 0;  ///< bytes of it already taken
  std::uint64_t total_ = 0;   ///< bytes in the table
  bool ended_ = false;        ///< the table had an end mark
  bool loaded_ = false;       ///< the table of the running transfer is here
  bool stopping_ = false;
  Dma direction_ = Dma::to_guest;
};

}  // namespace dm::ide
