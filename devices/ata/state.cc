// SPDX-License-Identifier: MIT
#include "devices/ata/state.h"

#include "devices/ata/ata_command.h"
#include "devices/ata/atapi_command.h"

#include <bit>

namespace dm::ata {

namespace {

/// Is it a step of the command, and does it have what it needs?
bool step_fits(const DiskState& s) noexcept {
  const Action action = kAtaCommands[s.command].action;
  const bool dma = action == Action::read_dma || action == Action::write_dma;
  switch (s.step) {
    case DiskStep::begin:
      return false;
    case DiskStep::pio_read:
      return action == Action::read_pio && s.remaining != 0;
    case DiskStep::pio_write:
      return action == Action::write_pio && s.end != 0 && s.end % kSectorSize == 0 &&
             s.end <= s.block.size();
    case DiskStep::dma_begin:
      return (dma || action == Action::data_set_management) && s.remaining != 0;
    case DiskStep::dma:
      return dma && s.remaining != 0;
    case DiskStep::verify:
      return action == Action::verify && s.remaining != 0;
    case DiskStep::flush:
      return action == Action::flush || action == Action::set_features;
    case DiskStep::trim:
      return action == Action::data_set_management && s.pos <= s.end &&
             s.end <= s.block.size() / kTrimRange;
  }
  return false;
}

/// Does the command under way have this phase at all?
bool phase_fits(const DiskState& s) noexcept {
  const Action action = kAtaCommands[s.command].action;
  switch (s.phase) {
    case Phase::idle:
    case Phase::reset:
      return true;
    case Phase::data_in:
      return action == Action::read_pio ||
             ((action == Action::identify || action == Action::smart) && s.remaining == 0 &&
              s.end == kSectorSize);
    case Phase::data_out:
      return action == Action::write_pio;
    case Phase::wait_dma:
      return action == Action::read_dma || action == Action::write_dma ||
             action == Action::data_set_management;
    case Phase::work:
      return step_fits(s);
  }
  return false;
}

bool block_fits(const DiskState& s) noexcept {
  if (s.phase != Phase::data_in && s.phase != Phase::data_out) {
    return true;
  }
  return s.pos < s.end && s.end <= s.block.size() && s.pos % 2 == 0 && s.end % kSectorSize == 0;
}

bool validate(const SmartState& s) noexcept {
  return s.newest <= SmartState::kSelfTests;
}

constexpr std::uint32_t even(std::uint32_t bytes) noexcept {
  return bytes + bytes % 2;
}

/// Is there a place in the buffer for the burst under way, and is there one after it?
bool burst_fits(const CdState& s) noexcept {
  return s.pos < s.end && s.pos % 2 == 0 && s.end % 2 == 0 && s.filled <= s.buffer.size() &&
         s.end <= even(s.filled);
}

bool step_fits(const CdState& s) noexcept {
  switch (s.step) {
    case CdStep::begin:
      return false;
    case CdStep::fetch:
      return !s.dma && s.byte_limit >= 2 && s.remaining != 0;
    case CdStep::dma_begin:
      return s.dma && (s.remaining != 0 || s.filled != 0);
    case CdStep::dma:
      return s.dma && s.remaining != 0 && s.frame == kBlock;
    case CdStep::dma_raw:
      return s.dma && s.remaining != 0 && s.frame == kRawFrame;
  }
  return false;
}

bool phase_fits(const CdState& s) noexcept {
  const bool packet = s.command == kPacketCommand;
  const bool selects = packet && s.packet[0] == kModeSelect10 && s.remaining == 0;
  switch (s.phase) {
    case Phase::idle:
    case Phase::reset:
      return true;
    case Phase::data_in:
      if (s.command == kIdentifyPacketDevice) {
        return burst_fits(s) && s.filled == kSectorSize && s.end == kSectorSize && s.remaining == 0;
      }
      return packet && !s.dma && s.byte_limit >= 2 && burst_fits(s);
    case Phase::data_out:
      if (s.awaits_packet) {
        return packet && burst_fits(s) && s.filled == CdState::kPacket && s.end == s.filled;
      }
      return selects && !s.dma && s.byte_limit >= 2 && burst_fits(s);
    case Phase::wait_dma:
      return packet && s.dma && s.filled <= s.buffer.size() && (s.remaining != 0 || s.filled != 0);
    case Phase::work:
      return packet && s.filled <= s.buffer.size() && step_fits(s);
  }
  return false;
}

}  // namespace

bool validate(const DiskState& s) noexcept {
  const bool multiple =
      s.multiple == 0 || (std::has_single_bit(s.multiple) && s.multiple <= kMaxMultiple);
  const bool mode = s.dma_mode == 0 || (s.dma_mode >= 0x20 && s.dma_mode <= 0x22);
  // DRQ blocks of READ/WRITE MULTIPLE need a size.
  const bool sized = s.multiple != 0 || !kAtaCommands[s.command].multiple ||
                     s.phase == Phase::idle || s.phase == Phase::reset;
  return multiple && mode && sized && s.heads >= 1 && s.heads <= 16 && s.sectors >= 1 &&
         s.lba <= kLba48Limit && s.remaining <= 65536 && phase_fits(s) && block_fits(s) &&
         validate(s.smart);
}

bool validate(const CdState& s) noexcept {
  const bool mode = s.dma_mode == 0 || (s.dma_mode >= 0x20 && s.dma_mode <= 0x22);
  constexpr std::uint8_t kAttentions = CdState::kAttentionReset | CdState::kAttentionChanged;
  constexpr std::uint8_t kEvents =
      CdState::kEventRemoval | CdState::kEventNew | CdState::kEventEjectRequest;
  // No burst runs between commands, so nothing is left to fetch then.
  const bool fetching =
      s.remaining == 0 || ((s.frame == kBlock || s.frame == kRawFrame) &&
                           s.remaining <= kMaxBlocks && s.lba <= kMaxBlocks - s.remaining);
  return mode && (s.attention & ~kAttentions) == 0 && (s.events & ~kEvents) == 0 &&
         s.sense.key <= 0x0f && s.disc_blocks <= kMaxBlocks && fetching && phase_fits(s);
}

bool validate(const DriveState& s) noexcept {
  switch (s.kind) {
    case DriveKind::absent:
      return true;
    case DriveKind::disk:
      return validate(s.disk);
    case DriveKind::cdrom:
      return validate(s.cd);
  }
  return false;
}

bool transfers(const DriveState& s) noexcept {
  switch (s.kind) {
    case DriveKind::absent:
      return false;
    case DriveKind::disk:
      return s.disk.phase == Phase::work &&
             (s.disk.step == DiskStep::dma || s.disk.step == DiskStep::trim);
    case DriveKind::cdrom:
      return s.cd.phase == Phase::work &&
             (s.cd.step == CdStep::dma || s.cd.step == CdStep::dma_raw);
  }
  return false;
}

bool held_by_reset(const DriveState& s) noexcept {
  switch (s.kind) {
    case DriveKind::absent:
      return false;
    case DriveKind::disk:
      return s.disk.phase == Phase::reset;
    case DriveKind::cdrom:
      return s.cd.phase == Phase::reset;
  }
  return false;
}

}  // namespace dm::ata
