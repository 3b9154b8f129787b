// SPDX-License-Identifier: MIT
// PIO data commands of an ATA disk, and READ VERIFY, which uses the same buffer.
#include "devices/ata/ata_disk.h"
#include "devices/ata/regs.h"

#include <algorithm>
#include <cstring>

namespace dm::ata {

namespace {
using regs::STATUS;
constexpr std::uint8_t kDataRequest = regs::kReady | regs::kMask<STATUS::DRQ>;
}  // namespace

std::uint32_t AtaDisk::block_sectors() const noexcept {
  return current().multiple ? disk_.multiple : 1;
}

std::size_t AtaDisk::data_left() const noexcept {
  return disk_.phase == Phase::data_in || disk_.phase == Phase::data_out ? disk_.end - disk_.pos
                                                                         : 0;
}

std::size_t AtaDisk::read_data(std::span<std::byte> to) noexcept {
  if (disk_.phase != Phase::data_in) {
    return 0;
  }
  const std::size_t bytes = std::min(to.size(), data_left());
  std::memcpy(to.data(), disk_.block.data() + disk_.pos, bytes);
  disk_.pos += static_cast<std::uint32_t>(bytes);
  if (disk_.pos == disk_.end) {
    block_taken();
  }
  return bytes;
}

std::size_t AtaDisk::write_data(std::span<const std::byte> from) noexcept {
  if (disk_.phase != Phase::data_out) {
    return 0;
  }
  const std::size_t bytes = std::min(from.size(), data_left());
  std::memcpy(disk_.block.data() + disk_.pos, from.data(), bytes);
  disk_.pos += static_cast<std::uint32_t>(bytes);
  if (disk_.pos == disk_.end) {
    block_filled();
  }
  return bytes;
}

void AtaDisk::begin_read() noexcept {
  sequential_ = disk_.lba == expected_lba_;
  expected_lba_ = disk_.lba + disk_.remaining;
  exact_ = false;
  next_block_in();
}

void AtaDisk::next_block_in() noexcept {
  const std::uint32_t sectors = std::min(block_sectors(), disk_.remaining);
  const bool here = disk_.lba >= ahead_lba_ && disk_.lba - ahead_lba_ <= ahead_sectors_ &&
                    sectors <= ahead_sectors_ - (disk_.lba - ahead_lba_);
  if (!here) {
    go(Step::pio_read);
    return;
  }
  const std::size_t bytes = std::size_t{sectors} * kSectorSize;
  std::memcpy(disk_.block.data(), ahead_.data() + (disk_.lba - ahead_lba_) * kSectorSize, bytes);
  disk_.lba += sectors;
  disk_.remaining -= sectors;
  offer_block(static_cast<std::uint32_t>(bytes));
}

void AtaDisk::offer_block(std::uint32_t bytes) noexcept {
  disk_.phase = Phase::data_in;
  disk_.pos = 0;
  disk_.end = bytes;
  file().status = kDataRequest;
  set_interrupt(true);
}

void AtaDisk::block_taken() noexcept {
  if (disk_.remaining != 0) {
    next_block_in();
    return;
  }
  // The last word ends the command without another interrupt (ATA/ATAPI-6 9.5).
  if (current().action == Action::read_pio) {
    put_address(disk_.lba - 1);
    file().count = {};
  }
  end(0, 0);
}

/// One backend read: the rest of the command at least, as much as the buffer holds for a sequential
/// reader.
void AtaDisk::read_ahead() noexcept {
  ahead_sectors_ = 0;
  std::uint64_t sectors = std::min(disk_.remaining, kReadAhead);
  if (exact_) {
    sectors = std::min(block_sectors(), disk_.remaining);
  } else if (sequential_) {
    sectors = std::min<std::uint64_t>(kReadAhead, total_ - disk_.lba);
  }
  single_ = std::span{ahead_}.first(sectors * kSectorSize);
  submit_sectors(BlockOp::read, disk_.lba, single_.size(), {&single_, 1});
}

void AtaDisk::read_ahead_done(BlockStatus status) noexcept {
  const std::uint64_t wanted = request().length / kSectorSize;
  const std::uint64_t got =
      status == BlockStatus::ok ? wanted : std::min(request().done_bytes / kSectorSize, wanted);
  const std::uint32_t block = std::min(block_sectors(), disk_.remaining);
  if (got >= block) {
    ahead_lba_ = disk_.lba;
    ahead_sectors_ = static_cast<std::uint32_t>(got);
    next_block_in();
  } else if (wanted > block) {
    exact_ = true;  // the error may be in sectors that nobody has asked for
    again();
  } else {
    medium_error(status, "read");
  }
}

void AtaDisk::begin_write() noexcept {
  disk_.pos = disk_.end = 0;
  want_block(false);  // DRQ at once, and no interrupt before the first block (ATA/ATAPI-6 9.6)
}

/// Opens the data port for the next DRQ block, behind those that wait in the buffer.
void AtaDisk::want_block(bool interrupt) noexcept {
  const std::uint32_t sectors = std::min(block_sectors(), disk_.remaining);
  disk_.remaining -= sectors;
  disk_.end += sectors * kSectorSize;
  disk_.phase = Phase::data_out;
  file().status = kDataRequest;
  if (interrupt) {
    set_interrupt(true);
  }
}

/// Blocks of one command are gathered; only its end, which is what the guest relies on, waits for
/// all of them.
void AtaDisk::block_filled() noexcept {
  const std::size_t next = std::size_t{std::min(block_sectors(), disk_.remaining)} * kSectorSize;
  if (next != 0 && disk_.end + next <= disk_.block.size()) {
    want_block(true);
  } else {
    go(Step::pio_write);
  }
}

void AtaDisk::write_block() noexcept {
  single_ = std::as_writable_bytes(std::span{disk_.block}.first(disk_.end));
  submit_sectors(BlockOp::write, disk_.lba, single_.size(), {&single_, 1});
}

void AtaDisk::write_block_done(BlockStatus status) noexcept {
  if (status != BlockStatus::ok) {
    medium_error(status, "write");
    return;
  }
  disk_.lba += disk_.end / kSectorSize;
  disk_.pos = disk_.end = 0;
  if (disk_.remaining != 0) {
    want_block(true);
  } else {
    complete_transfer();
  }
}

void AtaDisk::verify_next() noexcept {
  const std::uint32_t sectors = std::min(disk_.remaining, kReadAhead);
  single_ = std::span{ahead_}.first(std::size_t{sectors} * kSectorSize);
  submit_sectors(BlockOp::read, disk_.lba, single_.size(), {&single_, 1});
}

void AtaDisk::verify_done(BlockStatus status) noexcept {
  if (status != BlockStatus::ok) {
    medium_error(status, "read");
    return;
  }
  const auto sectors = static_cast<std::uint32_t>(request().length / kSectorSize);
  disk_.lba += sectors;
  disk_.remaining -= sectors;
  if (disk_.remaining != 0) {
    again();
  } else {
    complete_transfer();
  }
}

}  // namespace dm::ata
