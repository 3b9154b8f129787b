// SPDX-License-Identifier: MIT
#include "devices/ide/ata_disk.h"

#include "devices/ide/regs.h"

#include <algorithm>
#include <utility>

namespace dm::ide {

namespace {
using regs::STATUS;
constexpr std::uint16_t kAtaSignature = 0x0000;
}  // namespace

AtaDisk::AtaDisk(std::unique_ptr<BlockBackend> image, WorkQueue& work, const DiskIdentity& identity)
    : image_{std::move(image)},
      identity_{identity},
      info_{image_->info()},
      total_{std::min(info_.size / kSectorSize, kLba48Limit)},
      work_{Work::bind<&AtaDisk::run_unit>(work, *this)},
      ahead_{} {
  request_.owner = this;
  request_.done = [](BlockRequest& r, BlockStatus status) noexcept {
    static_cast<AtaDisk*>(r.owner)->done(status);
  };
}

AtaDisk::~AtaDisk() {
  ++generation_;
  disk_.phase = Phase::idle;
  work_.cancel();
  if (in_flight_) {
    image_->drain();
  }
}

void AtaDisk::command(std::uint8_t opcode) noexcept {
  ++counters_.commands;
  disk_.command = opcode;
  file().error = 0;
  if (in_flight_) {
    // A request from before a reset has not come back although it was drained. What it uses stays
    // its own.
    go(Step::begin);
    return;
  }
  begin();
}

/// BSY now, and one unit of work after the guest has its answer.
void AtaDisk::go(Step step) noexcept {
  disk_.phase = Phase::work;
  step_ = step;
  file().status = regs::kMask<STATUS::BSY> | regs::kMask<STATUS::DRDY> | regs::kMask<STATUS::DSC>;
  work_.schedule();
}

/// Returns false always: the completion of one unit schedules the next.
bool AtaDisk::run_unit() noexcept {
  if (in_flight_ || disk_.phase != Phase::work) {
    return false;
  }
  switch (step_) {
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
  return false;
}

void AtaDisk::submit(BlockOp op,
                     std::uint64_t lba,
                     std::uint64_t bytes,
                     std::span<const std::span<std::byte>> data) noexcept {
  request_.op = op;
  request_.offset = lba * kSectorSize;
  request_.length = bytes;
  request_.data = data;
  // Without a write cache, and for FUA, nothing is acknowledged that power could take
  // (ATA/ATAPI-6 8.54, 6.14).
  request_.durable = op == BlockOp::write && (current().durable || !disk_.write_cache);
  request_.done_bytes = 0;
  request_.generation = generation_;
  in_flight_ = true;
  ++counters_.submissions;
  image_->submit(request_);
}

void AtaDisk::done(BlockStatus status) noexcept {
  in_flight_ = false;
  buffer_.release();  // guest memory is whole and reported before any interrupt says so
  if (request_.generation != generation_) {
    ++counters_.stale;
    if (disk_.phase == Phase::work) {
      work_.schedule();
    }
    return;
  }
  switch (step_) {
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
      work_.schedule();  // advisory: a range that could not be discarded keeps its data
      break;
    case Step::begin:
    case Step::dma_begin:
      break;
  }
}

bool AtaDisk::is_dma() const noexcept {
  const Action action = current().action;
  return action == Action::read_dma || action == Action::write_dma ||
         action == Action::data_set_management;
}

/// A drained backend still holds the request: it broke its word. The guest gets an error; the
/// request keeps its memory.
void AtaDisk::abandon() noexcept {
  ++generation_;
  work_.cancel();
  if (is_dma()) {
    bus_master().finish(BusMaster::End::error);
  }
  fail(regs::kMask<regs::ERROR::ABRT>, regs::kMask<STATUS::DF>);
}

void AtaDisk::settle() noexcept {
  if (in_flight_) {
    image_->drain();
  }
  while (disk_.phase == Phase::work) {
    if (in_flight_) {
      image_->drain();
      if (in_flight_) {
        abandon();
      }
    } else {
      work_.cancel();
      (void)run_unit();
    }
  }
}

bool AtaDisk::flush() noexcept {
  settle();
  const BlockStatus status = image_->flush_now();
  if (status != BlockStatus::ok) {
    disk_.smart.failing = true;
    limit_.error("ide: the data of ", image_->name(), " could not be made durable");
  }
  return status == BlockStatus::ok;
}

void AtaDisk::dma_started() noexcept {
  if (disk_.phase == Phase::wait_dma && bus_master().armed()) {
    go(Step::dma_begin);
  }
}

void AtaDisk::dma_stopped() noexcept {
  if (disk_.phase == Phase::work && is_dma()) {
    settle();
  }
}

void AtaDisk::reset(Reset kind) noexcept {
  // The new generation first: draining must not finish the command, whose interrupt nobody expects
  // any more.
  ++generation_;
  const bool dma = disk_.phase == Phase::work && is_dma();
  disk_.phase = Phase::idle;
  work_.cancel();
  if (in_flight_) {
    image_->drain();
  }
  if (dma) {
    bus_master().finish(BusMaster::End::error);
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
  file().status = regs::kMask<STATUS::DRDY> | regs::kMask<STATUS::DSC>;
}

void AtaDisk::store(DriveState& out) const noexcept {
  out.kind = DriveKind::disk;
  out.intrq = intrq();
  out.file = file();
  out.disk = disk_;
}

/// Do the sectors of a transfer under way exist here? Saved bytes say nothing about the size of
/// this image.
bool AtaDisk::fits(const DiskState& in) const noexcept {
  std::uint64_t sectors = in.remaining;
  if (in.phase == Phase::data_out) {
    sectors += in.end / kSectorSize;
  }
  switch (kAtaCommands[in.command].action) {
    case Action::read_pio:
    case Action::write_pio:
    case Action::read_dma:
    case Action::write_dma:
      return in.phase == Phase::idle || in.phase == Phase::reset ||
             (in.lba <= total_ && sectors <= total_ - in.lba);
    case Action::data_set_management:
      return in.phase == Phase::idle || in.phase == Phase::reset || in.remaining <= kMaxTrimBlocks;
    default:
      return true;
  }
}

bool AtaDisk::restore(const DriveState& in) noexcept {
  if (in.kind != DriveKind::disk || !validate(in.disk) || !fits(in.disk)) {
    return false;
  }
  file() = in.file;
  disk_ = in.disk;
  ahead_sectors_ = 0;
  restore_interrupt(in.intrq);
  // BSY and DRQ are what the phase says, or the drive could never be spoken to again.
  const bool bsy = disk_.phase == Phase::wait_dma || disk_.phase == Phase::reset;
  const bool drq = disk_.phase == Phase::data_in || disk_.phase == Phase::data_out;
  file().status = STATUS::BSY::with(STATUS::DRQ::with(file().status, drq ? 1 : 0), bsy ? 1 : 0);
  return true;
}

}  // namespace dm::ide
