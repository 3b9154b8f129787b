// SPDX-License-Identifier: MIT
// DMA commands of an ATA disk: READ DMA, WRITE DMA and DATA SET MANAGEMENT.
#include "core/range.h"
#include "devices/ata/ata_disk.h"
#include "devices/ata/regs.h"

#include <algorithm>
#include <cstring>

namespace dm::ata {

namespace {
constexpr std::uint32_t kRangesInBlock = kSectorSize / kTrimRange;

/// One LBA range entry of DATA SET MANAGEMENT, ACS-2 7.5.3.2.
struct TrimRange {
  std::uint64_t lba;      ///< 48 bits
  std::uint64_t sectors;  ///< 16 bits; 0: skip
};
TrimRange trim_range(std::span<const std::uint8_t> block, std::uint32_t index) noexcept {
  std::uint64_t entry = 0;
  std::memcpy(&entry, block.subspan(index * kTrimRange, kTrimRange).data(), kTrimRange);
  return {.lba = entry & (kLba48Limit - 1), .sectors = entry >> 48U};
}
}  // namespace

/// First unit.
void AtaDisk::start_dma() noexcept {
  if (!begin_dma(std::uint64_t{disk_.remaining} * kSectorSize,
                 current().action == Action::read_dma ? Dma::to_guest : Dma::from_guest)) {
    return;
  }
  if (current().action == Action::data_set_management) {
    take_trim_ranges();
    return;
  }
  disk_.step = Step::dma;
  dma_next();
}

void AtaDisk::dma_next() noexcept {
  const std::uint64_t left = std::uint64_t{disk_.remaining} * kSectorSize;
  if (transfer().interrupted() &&
      !transfer().go_on(left,
                        current().action == Action::read_dma ? Dma::to_guest : Dma::from_guest)) {
    dma_fault();
    return;
  }
  const auto part = transfer().gather(pages(), std::min(left, kMaxSubmission));
  switch (part.piece) {
    case TransferPort::Piece::fault:
      dma_fault();
      break;
    case TransferPort::Piece::dropped:
      dma_advance(part.bytes / kSectorSize);
      break;
    case TransferPort::Piece::memory:
      submit_sectors(current().action == Action::read_dma ? BlockOp::read : BlockOp::write,
                     disk_.lba, part.bytes, pages().spans());
      break;
  }
}

void AtaDisk::dma_done(BlockStatus status) noexcept {
  if (status != BlockStatus::ok) {
    transfer().finish(TransferPort::End::error);
    medium_error(status, request().op == BlockOp::read ? "read" : "write");
    return;
  }
  dma_advance(request().length / kSectorSize);
}

void AtaDisk::dma_advance(std::uint64_t sectors) noexcept {
  disk_.lba += sectors;
  disk_.remaining -= static_cast<std::uint32_t>(sectors);
  if (disk_.remaining != 0) {
    again();
    return;
  }
  transfer().finish(TransferPort::End::complete);
  complete_transfer();
}

void AtaDisk::dma_fault() noexcept {
  ++tally().dma_faults;
  transfer().finish(TransferPort::End::fault);
  fail(regs::kMask<regs::ERROR::ABRT>, 0);
}

/// Are the ranges that are still to be discarded inside the disk?
bool AtaDisk::ranges_fit(const DiskState& in) const noexcept {
  if (in.phase != Phase::work || in.step != DiskStep::trim) {
    return true;
  }
  for (std::uint32_t i = in.pos; i < in.end; ++i) {
    const TrimRange range = trim_range(in.block, i);
    if (range.sectors != 0 && !within(0, total_, range.lba, range.sectors)) {
      return false;
    }
  }
  return true;
}

/// Copies the ranges in, judges all of them, and only then discards. Regions so small that one
/// DmaBuffer does not hold them are a fault: each may cost two mappings.
void AtaDisk::take_trim_ranges() noexcept {
  const std::size_t bytes = std::size_t{disk_.remaining} * kSectorSize;
  const auto part = transfer().gather(pages(), bytes);
  if (part.piece != TransferPort::Piece::memory || part.bytes != bytes) {
    pages().release();
    dma_fault();
    return;
  }
  std::size_t at = 0;
  for (const auto piece : pages().spans()) {
    std::memcpy(disk_.block.data() + at, piece.data(), piece.size());
    at += piece.size();
  }
  pages().release();
  disk_.pos = 0;
  disk_.end = disk_.remaining * kRangesInBlock;
  disk_.step = Step::trim;
  if (!ranges_fit(disk_)) {
    transfer().finish(TransferPort::End::error);
    abort();
    return;
  }
  trim_next();
}

void AtaDisk::trim_next() noexcept {
  while (disk_.pos < disk_.end) {
    const TrimRange range = trim_range(disk_.block, disk_.pos++);
    // A disk that was moved here may be on a host that cannot discard: it is advisory.
    if (range.sectors != 0 && info_.can_discard && !info_.read_only) {
      submit_sectors(BlockOp::discard, range.lba, range.sectors * kSectorSize, {});
      return;
    }
  }
  transfer().finish(TransferPort::End::complete);
  complete();
}

}  // namespace dm::ata
