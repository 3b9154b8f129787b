// SPDX-License-Identifier: MIT
// A CD-ROM drive as an ATA device: commands other than PACKET, resets, units of work, save.
#include "devices/ata/atapi_drive.h"

#include "devices/ata/atapi_sense.h"
#include "devices/ata/regs.h"

#include <algorithm>
#include <utility>

namespace dm::ata {

namespace {
using regs::kMask;
using regs::kReady;
using regs::STATUS;
constexpr std::uint16_t kAtapiSignature = 0xeb14;
}  // namespace

AtapiDrive::AtapiDrive(std::unique_ptr<BlockBackend> disc,
                       WorkQueue& work,
                       const DiskIdentity& identity)
    : ImageDrive{std::move(disc), work}, identity_{identity} {}

AtapiDrive::~AtapiDrive() {
  retire();
}

void AtapiDrive::command(std::uint8_t opcode) noexcept {
  ++tally().commands;
  if (opcode == regs::kDeviceReset) {
    device_reset();
    return;
  }
  cd_.command = opcode;
  file().error = 0;
  if (in_flight()) {
    go(Step::begin);
    return;
  }
  begin();
}

void AtapiDrive::begin() noexcept {
  switch (kCdCommands[cd_.command]) {
    case CdAction::abort:
    case CdAction::device_reset:
      abort();
      break;
    case CdAction::abort_with_signature:
      show_signature(true);
      abort();
      break;
    case CdAction::success:
      complete();
      break;
    case CdAction::check_power_mode:
      file().count[0] = 0xff;  // active or idle
      complete();
      break;
    case CdAction::packet:
      begin_packet();
      break;
    case CdAction::identify:
      identify();
      break;
    case CdAction::set_features:
      set_features();
      break;
  }
}

void AtapiDrive::identify() noexcept {
  cd_.awaits_packet = cd_.dma = false;
  cd_.remaining = 0;
  build_packet_identify(identity_, cd_.dma_mode, unit(),
                        std::span{cd_.buffer}.first<kSectorSize>());
  cd_.phase = Phase::data_in;
  cd_.pos = 0;
  cd_.end = cd_.filled = kSectorSize;
  file().status = kReady | kMask<STATUS::DRQ>;
  set_interrupt(true);
}

/// ATA/ATAPI-6 table 44: the transfer mode counts; what else drivers send changes nothing.
void AtapiDrive::set_features() noexcept {
  static constexpr std::uint8_t kSetTransferMode = 0x03;
  static constexpr std::uint8_t kAccepted[] = {0x02, 0x05, 0x42, 0x55, 0x66, 0x82,
                                               0x85, 0x95, 0x31, 0xaa, 0xc2, 0xcc};
  const std::uint8_t feature = file().features[0];
  const std::uint8_t mode = file().count[0];
  const bool pio = mode <= 0x01 || (mode >= 0x08 && mode <= 0x0c);
  const bool multiword = mode >= 0x20 && mode <= 0x22;
  if (feature == kSetTransferMode && multiword) {
    cd_.dma_mode = mode;
  } else if (feature == kSetTransferMode
                 ? !pio
                 : std::ranges::find(kAccepted, feature) == std::end(kAccepted)) {
    abort();
    return;
  }
  complete();
}

void AtapiDrive::go(Step step) noexcept {
  cd_.step = step;
  take_up();
}

void AtapiDrive::run_step() noexcept {
  switch (cd_.step) {
    case Step::begin:
      begin();
      break;
    case Step::fetch:
    case Step::dma_raw:
      fetch();
      break;
    case Step::dma_begin:
      start_dma();
      break;
    case Step::dma:
      dma_next();
      break;
  }
}

void AtapiDrive::step_done(BlockStatus status) noexcept {
  switch (cd_.step) {
    case Step::fetch:
      fetched(status);
      break;
    case Step::dma:
      dma_done(status);
      break;
    case Step::dma_raw:
      dma_raw_done(status);
      break;
    case Step::begin:
    case Step::dma_begin:
      break;
  }
}

void AtapiDrive::give_up() noexcept {
  end_dma();
  abort();
}

void AtapiDrive::abort_dma() noexcept {
  end_dma();
  ++tally().refused;
  refuse(sense::kDataPhaseError);
}

/// The guest is about to end: raw frames on their way, which completing would copy, need not come.
bool AtapiDrive::flush() noexcept {
  transfer().stopping(true);
  settle();
  transfer().stopping(false);
  return true;
}

/// DEVICE RESET: like a reset of this drive alone, and without an interrupt (ATA/ATAPI-6 8.10).
void AtapiDrive::device_reset() noexcept {
  start_over(Reset::diagnostic);
}

void AtapiDrive::reset(Reset kind) noexcept {
  start_over(kind);
  if (kind == Reset::diagnostic && unit() == 0) {
    set_interrupt(true);
  }
}

void AtapiDrive::start_over(Reset kind) noexcept {
  cut_off();
  end_dma();
  if (kind == Reset::power_on) {
    const bool open = cd_.tray_open;  // no drive closes its tray by itself
    cd_ = CdState{};
    cd_.tray_open = open;
    cd_.attention = CdState::kAttentionReset;
    cd_.disc_blocks = blocks_in_tray();
  }
  if (kind != Reset::diagnostic) {
    cd_.sense = {};
    cd_.locked = false;
  }
  cd_.awaits_packet = cd_.dma = false;
  cd_.remaining = cd_.pos = cd_.end = cd_.filled = 0;
  set_interrupt(false);
  if (kind == Reset::software) {
    cd_.phase = Phase::reset;
    file().status = kMask<STATUS::BSY>;
    return;
  }
  show_signature(false);
}

void AtapiDrive::release_reset() noexcept {
  if (cd_.phase == Phase::reset) {
    cd_.phase = Phase::idle;
    show_signature(false);
  }
}

/// No DRDY until the first command: a packet device lets nobody take it for a disk (ATA/ATAPI-6
/// 9.12).
void AtapiDrive::show_signature(bool keep_device) noexcept {
  const std::uint8_t device = file().device;
  load_signature(kAtapiSignature);
  if (keep_device) {
    file().device = device;
  }
  file().status = 0;
}

void AtapiDrive::end(std::uint8_t status, std::uint8_t error) noexcept {
  cd_.phase = Phase::idle;
  cd_.remaining = 0;
  file().status = static_cast<std::uint8_t>(kReady | status);
  file().error = error;
}

void AtapiDrive::complete() noexcept {
  end(0, 0);
  set_interrupt(true);
}

/// On the level of ATA: no sense data.
void AtapiDrive::abort() noexcept {
  ++tally().refused;
  end(kMask<STATUS::ERR>, kMask<regs::ERROR::ABRT>);
  set_interrupt(true);
}

void AtapiDrive::state(DriveState& out) const noexcept {
  out.kind = DriveKind::cdrom;
  out.intrq = intrq();
  out.file = file();
  out.cd = cd_;
  if (cd_.phase != Phase::work) {
    out.cd.step = Step::begin;  // nobody's business
  }
}

bool AtapiDrive::accepts(const DriveState& in) const noexcept {
  return in.kind == DriveKind::cdrom && validate(in.cd);
}

bool AtapiDrive::restore(const DriveState& in) noexcept {
  if (!accepts(in)) {
    return false;
  }
  const std::uint32_t here = cd_.disc_blocks;
  cd_ = in.cd;
  restore_file(in);
  dma_running_ = cd_.phase == Phase::work && (cd_.step == Step::dma || cd_.step == Step::dma_raw);
  if (cd_.disc_blocks != here || cd_.lba > here || cd_.remaining > here - cd_.lba) {
    cd_.disc_lost = cd_.disc_lost || cd_.remaining != 0;
    if (cd_.disc_blocks != here) {
      const std::uint32_t was = std::exchange(cd_.disc_blocks, here);
      if (was != 0) {
        disc_left();
      }
      if (here != 0 && !cd_.tray_open) {
        disc_arrived();
      }
    }
  }
  return true;
}

}  // namespace dm::ata
