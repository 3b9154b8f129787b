// SPDX-License-Identifier: MIT
#include "devices/ata/ata_disk.h"

#include "devices/ata/regs.h"

#include <algorithm>
#include <utility>

namespace dm::ata {

namespace {
using regs::STATUS;
constexpr std::uint16_t kAtaSignature = 0x0000;
}  // namespace

AtaDisk::AtaDisk(std::unique_ptr<BlockBackend> image, WorkQueue& work, const DiskIdentity& identity)
    : ImageDrive{std::move(image), work},
      identity_{identity},
      info_{this->image()->info()},
      total_{std::min(info_.size / kSectorSize, kLba48Limit)},
      ahead_{} {}

AtaDisk::~AtaDisk() {
  if (disk_.phase == Phase::work && uses_dma()) {
    transfer().finish(TransferPort::End::error);  // it was unplugged under a transfer
  }
  retire();
}

void AtaDisk::command(std::uint8_t opcode) noexcept {
  ++tally().commands;
  disk_.command = opcode;
  file().error = 0;
  if (in_flight()) {
    go(Step::begin);
    return;
  }
  begin();
}

void AtaDisk::go(Step step) noexcept {
  disk_.step = step;
  take_up();
}

void AtaDisk::run_step() noexcept {
  switch (disk_.step) {
    case Step::begin:
      begin();
      break;
    case Step::pio_read:
      read_ahead();
      break;
    case Step::pio_write:
      write_block();
      break;
    case Step::dma_begin:
      start_dma();
      break;
    case Step::dma:
      dma_next();
      break;
    case Step::verify:
      verify_next();
      break;
    case Step::flush:
      submit(BlockOp::flush, 0, 0, {});
      break;
    case Step::trim:
      trim_next();
      break;
  }
}

void AtaDisk::submit_sectors(BlockOp op,
                             std::uint64_t lba,
                             std::uint64_t bytes,
                             std::span<const std::span<std::byte>> data) noexcept {
  // Without a write cache, and for FUA, nothing is acknowledged that power could take
  // (ATA/ATAPI-6 8.54, 6.14).
  const bool durable = op == BlockOp::write && (current().durable || !disk_.write_cache);
  submit(op, lba * kSectorSize, bytes, data, durable);
}

void AtaDisk::step_done(BlockStatus status) noexcept {
  switch (disk_.step) {
    case Step::pio_read:
      read_ahead_done(status);
      break;
    case Step::pio_write:
      write_block_done(status);
      break;
    case Step::dma:
      dma_done(status);
      break;
    case Step::verify:
      verify_done(status);
      break;
    case Step::flush:
      flush_done(status);
      break;
    case Step::trim:
      again();  // advisory: a range that could not be discarded keeps its data
      break;
    case Step::begin:
    case Step::dma_begin:
      break;
  }
}

bool AtaDisk::uses_dma() const noexcept {
  const Action action = current().action;
  return action == Action::read_dma || action == Action::write_dma ||
         action == Action::data_set_management;
}

void AtaDisk::give_up() noexcept {
  if (uses_dma()) {
    transfer().finish(TransferPort::End::error);
  }
  fail(regs::kMask<regs::ERROR::ABRT>, regs::kMask<STATUS::DF>);
}

/// As after a reset nothing was lost that was acknowledged: the sectors of every request that has
/// been made are on the disk. The registers name the first that is not.
void AtaDisk::abort_dma() noexcept {
  transfer().finish(TransferPort::End::error);
  if (current().action == Action::data_set_management) {
    abort();
  } else {
    ++tally().refused;
    fail_at(disk_.lba, regs::kMask<regs::ERROR::ABRT>, 0);
  }
}

bool AtaDisk::flush() noexcept {
  settle();
  const BlockStatus status = flush_image();
  if (status != BlockStatus::ok) {
    disk_.smart.failing = true;
    limit_.error("ata: the data of ", image()->name(), " could not be made durable");
  }
  return status == BlockStatus::ok;
}

void AtaDisk::reset(Reset kind) noexcept {
  const bool dma = disk_.phase == Phase::work && uses_dma();
  cut_off();
  if (dma) {
    transfer().finish(TransferPort::End::error);
  }
  if (kind == Reset::power_on) {
    disk_ = DiskState{};
  }
  disk_.multiple = kMaxMultiple;
  disk_.remaining = disk_.pos = disk_.end = 0;
  ahead_sectors_ = 0;
  set_interrupt(false);
  if (kind == Reset::software) {
    disk_.phase = Phase::reset;
    file().status = regs::kMask<STATUS::BSY>;
    return;
  }
  show_signature();
  set_interrupt(kind == Reset::diagnostic && unit() == 0);
}

void AtaDisk::release_reset() noexcept {
  if (disk_.phase == Phase::reset) {
    disk_.phase = Phase::idle;
    show_signature();
  }
}

void AtaDisk::show_signature() noexcept {
  load_signature(kAtaSignature);
  file().status = regs::kReady;
}

void AtaDisk::state(DriveState& out) const noexcept {
  out.kind = DriveKind::disk;
  out.intrq = intrq();
  out.file = file();
  out.disk = disk_;
  out.disk.capacity = total_;
  if (disk_.phase != Phase::work) {
    out.disk.step = Step::begin;  // nobody's business
  }
}

/// Is it the same disk as far as its size goes? If the saved state does not tell: do the sectors of
/// a transfer under way exist here?
bool AtaDisk::fits(const DiskState& in) const noexcept {
  // Linux drops a disk whose size has changed, at the next reset (libata-core.c,
  // ata_dev_revalidate).
  if (in.capacity != 0 && in.capacity != total_) {
    return false;
  }
  std::uint64_t sectors = in.remaining;
  const bool gathered = in.phase == Phase::work && in.step == DiskStep::pio_write;
  if (in.phase == Phase::data_out || gathered) {
    sectors += in.end / kSectorSize;
  }
  switch (kAtaCommands[in.command].action) {
    case Action::read_pio:
    case Action::write_pio:
    case Action::read_dma:
    case Action::write_dma:
    case Action::verify:
      return in.phase == Phase::idle || in.phase == Phase::reset ||
             (in.lba <= total_ && sectors <= total_ - in.lba);
    case Action::data_set_management:
      return in.phase == Phase::idle || in.phase == Phase::reset ||
             (in.remaining <= kMaxTrimBlocks && ranges_fit(in));
    default:
      return true;
  }
}

bool AtaDisk::accepts(const DriveState& in) const noexcept {
  return in.kind == DriveKind::disk && validate(in.disk) && fits(in.disk);
}

bool AtaDisk::restore(const DriveState& in) noexcept {
  if (!accepts(in)) {
    return false;
  }
  disk_ = in.disk;
  ahead_sectors_ = 0;
  restore_file(in);
  return true;
}

}  // namespace dm::ata
