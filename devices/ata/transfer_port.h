// SPDX-License-Identifier: MIT
#pragma once

#include "core/mem/guest_memory.h"

#include <cstdint>

namespace dm::ata {

/// How a drive reaches guest memory by DMA. The drive's controller implements it: it knows where,
/// and in which form, the guest has described its memory. The drive knows how many bytes it has to
/// move, and when.
///
/// The order of a transfer: armed() -> begin() -> gather() until all is moved -> finish(). The port
/// moves no data itself: a drive passes what gather() gives to its image. begin() and finish() are
/// called once for each command, gather() once for each request to the image, of up to 1 MiB;
/// nothing is called for each sector or region.
///
/// Thread rule: the loop's thread only. No allocation, no exception.
class TransferPort {
 public:
  TransferPort() = default;
  TransferPort(const TransferPort&) = delete;
  TransferPort& operator=(const TransferPort&) = delete;

  /// The size of the memory that the guest gave, compared with what the drive has to move.
  enum class Fit : std::uint8_t {
    shorter,  ///< the memory is too small
    equal,
    longer,  ///< the memory is larger
    fault,   ///< the description is not in memory
  };
  enum class Piece : std::uint8_t {
    memory,   ///< the buffer has spans of guest memory
    dropped,  ///< only for data to the guest: it is discarded and counts as moved
    fault,    ///< the guest named something that is not memory
  };
  struct Gathered {
    Piece piece = Piece::fault;
    std::uint64_t bytes = 0;  ///< the bytes asked for, or fewer: whole sectors of 512
  };
  enum class End : std::uint8_t {
    complete,  ///< all is moved
    shorter,   ///< nothing was moved: there was too little memory
    fault,     ///< an access to memory failed
    error,     ///< the drive failed or was reset
  };

  /// True if the guest has started a transfer, and no begin() has used this start yet.
  [[nodiscard]] virtual bool armed() const noexcept = 0;
  /// Reads the description of the guest's memory, for a transfer of `bytes`, and uses up the start.
  /// After `shorter` or `fault` nothing is moved: call finish() next.
  [[nodiscard]] virtual Fit begin(std::uint64_t bytes, Dma direction) noexcept = 0;
  /// True if a transfer was saved half done and has been loaded: call go_on() before the next
  /// gather().
  [[nodiscard]] virtual bool interrupted() const noexcept = 0;
  /// Reads the description again and skips what was moved; `left` bytes are still to come. False:
  /// the description is not in memory any more, or describes less.
  [[nodiscard]] virtual bool go_on(std::uint64_t left, Dma direction) noexcept = 0;
  /// Bytes that gather() has given since begin().
  [[nodiscard]] virtual std::uint64_t moved() const noexcept = 0;
  /// The next part of the transfer, at most `limit` bytes. For `dropped` the buffer stays empty.
  [[nodiscard]] virtual Gathered gather(DmaBuffer& buffer, std::uint64_t limit) noexcept = 0;
  /// While it is on, gather() takes no region beyond the second window of guest memory. A stop uses
  /// it while it waits for the end of a transfer, so that one register write maps no more than any
  /// other.
  virtual void stopping(bool on) noexcept = 0;
  virtual void finish(End end) noexcept = 0;

 protected:
  ~TransferPort() = default;
};

}  // namespace dm::ata
