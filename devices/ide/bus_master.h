// SPDX-License-Identifier: MIT
#pragma once

#include "core/mem/guest_memory.h"
#include "devices/ide/state.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace dm::ide {

/// How a PRD table compares with what the drive has to move ("Programming Interface for Bus Master
/// IDE Controller" 1.0).
enum class PrdFit : std::uint8_t {
  shorter,  ///< the table ends first
  equal,
  longer,  ///< the drive ends first
  fault,   ///< the table is not in memory
};

/// One channel's bus master: three registers and the engine that turns a table of physical region
/// descriptors into spans of guest memory. It moves no data itself; a drive takes what gather()
/// gives to its backend.
///
/// A transfer: armed() -> begin() -> gather() until all is moved -> finish(). The table is read
/// once, into a private copy; and once more by go_on(), where a transfer was saved half done.
/// Thread rule: the loop's thread only. No allocation.
class BusMaster {
 public:
  /// 512 descriptors describe at least 32 MiB worth of full regions, the longest ATA command.
  static constexpr std::size_t kMaxDescriptors = 512;

  explicit BusMaster(GuestMemory& memory) noexcept : memory_{memory} {}
  BusMaster(const BusMaster&) = delete;
  BusMaster& operator=(const BusMaster&) = delete;

  [[nodiscard]] std::uint8_t read(std::uint8_t offset) const noexcept;
  /// Any register but the command register.
  void write(std::uint8_t offset, std::uint8_t value) noexcept;
  /// The command register. True when start went from 0 to 1. Whoever calls has ended a running
  /// transfer before start goes to 0: see Drive::dma_stopped().
  [[nodiscard]] bool write_command(std::uint8_t value) noexcept;
  [[nodiscard]] bool started() const noexcept;

  /// PCI command bit 2.
  void enable(bool on) noexcept { enabled_ = on; }
  /// INTRQ rose. Called when everything that the interrupt announces is in memory.
  void latch_interrupt() noexcept;

  /// Start was written and no transfer has begun since.
  [[nodiscard]] bool armed() const noexcept { return state_.armed; }
  /// Reads the table for a transfer of `bytes` in direction `direction`. Uses the start up.
  /// Without bus mastering nothing can be fetched: the table reads as zeros, data for memory is
  /// dropped, and data from memory is a fault, since inventing it would overwrite the disk.
  [[nodiscard]] PrdFit begin(std::uint64_t bytes, Dma direction) noexcept;
  /// True after restore() in the middle of a transfer: go_on() before the next gather().
  [[nodiscard]] bool interrupted() const noexcept { return state_.running && !loaded_; }
  /// Reads the table again and skips what was moved; `left` bytes are still to come. False: it is
  /// not in memory any more, or holds less.
  [[nodiscard]] bool go_on(std::uint64_t left, Dma direction) noexcept;
  /// While a stop waits for the last of a transfer, gather() takes no region beyond the second
  /// window of guest memory: one register write maps no more than any other.
  void stopping(bool on) noexcept { stopping_ = on; }
  /// Bytes that gather() has given since begin().
  [[nodiscard]] std::uint64_t moved() const noexcept { return state_.moved; }

  enum class Piece : std::uint8_t { memory, dropped, fault };
  struct Gathered {
    Piece piece = Piece::fault;
    std::uint64_t bytes = 0;  ///< what was asked for, or whole sectors of it
  };
  /// The next part of the transfer, at most `limit` bytes. For `dropped` the buffer stays empty.
  [[nodiscard]] Gathered gather(DmaBuffer& buffer, std::uint64_t limit) noexcept;

  enum class End : std::uint8_t {
    complete,  ///< all is moved
    shorter,   ///< nothing was: the table was too short
    fault,     ///< memory failed
    error,     ///< the drive failed or was reset
  };
  void finish(End end) noexcept;

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
