// SPDX-License-Identifier: MIT
// Command decode of an ATA disk, and the commands that move no sectors.
#include "devices/ata/ata_disk.h"
#include "devices/ata/regs.h"
#include "devices/ata/smart.h"

#include <algorithm>
#include <bit>
#include <span>

namespace dm::ata {

namespace {

using regs::DEVICE;

constexpr std::uint8_t kSetFeatures = 0xef;

// SET FEATURES subcommands, ATA/ATAPI-6 table 44.
constexpr std::uint8_t kEnableWriteCache = 0x02;
constexpr std::uint8_t kSetTransferMode = 0x03;
constexpr std::uint8_t kDisableWriteCache = 0x82;

// SMART subcommands, ATA/ATAPI-6 8.41, and the signature that guards them.
constexpr std::uint8_t kSmartMid = 0x4f;
constexpr std::uint8_t kSmartHigh = 0xc2;
constexpr std::uint8_t kFailingMid = 0xf4;
constexpr std::uint8_t kFailingHigh = 0x2c;
constexpr std::uint8_t kSmartReadData = 0xd0;
constexpr std::uint8_t kSmartReadThresholds = 0xd1;
constexpr std::uint8_t kSmartAutosave = 0xd2;
constexpr std::uint8_t kSmartExecuteOffline = 0xd4;
constexpr std::uint8_t kSmartReadLog = 0xd5;
constexpr std::uint8_t kSmartEnable = 0xd8;
constexpr std::uint8_t kSmartDisable = 0xd9;
constexpr std::uint8_t kSmartStatus = 0xda;

}  // namespace

void AtaDisk::begin() noexcept {
  const Action action = current().action;
  if (action != Action::read_pio) {
    ahead_sectors_ = 0;
  }
  switch (action) {
    case Action::abort:
      abort();
      break;
    case Action::success:
      complete();
      break;
    case Action::read_pio:
    case Action::write_pio:
    case Action::read_dma:
    case Action::write_dma:
    case Action::verify:
    case Action::seek:
      begin_transfer();
      break;
    case Action::flush:
      go(Step::flush);
      break;
    case Action::data_set_management:
      data_set_management();
      break;
    case Action::initialize_parameters:
      initialize_parameters();
      break;
    case Action::check_power_mode:
      file().count[0] = 0xff;  // active or idle
      complete();
      break;
    case Action::smart:
      smart();
      break;
    case Action::set_multiple:
      set_multiple();
      break;
    case Action::identify:
      identify();
      break;
    case Action::set_features:
      set_features();
      break;
    case Action::read_native_max:
      read_native_max();
      break;
  }
}

/// Whatever names sectors.
void AtaDisk::begin_transfer() noexcept {
  const Action action = current().action;
  const bool writes = action == Action::write_pio || action == Action::write_dma;
  if ((current().multiple && disk_.multiple == 0) || (writes && info_.read_only)) {
    abort();
    return;
  }
  if (!take_range()) {
    return;
  }
  switch (action) {
    case Action::read_pio:
      begin_read();
      break;
    case Action::write_pio:
      begin_write();
      break;
    case Action::verify:
      go(Step::verify);
      break;
    case Action::seek:
      complete();
      break;
    default:
      await_dma();
      break;
  }
}

void AtaDisk::data_set_management() noexcept {
  const bool trim = (file().features[0] & 1U) != 0;
  // The count of a 48-bit command; but its high byte has nothing to say where IDENTIFY word 105
  // allows eight blocks, and a driver that writes the register once leaves there what it held.
  const std::uint32_t blocks = file().count[0];
  if (!trim || !info_.can_discard || info_.read_only || blocks == 0 || blocks > kMaxTrimBlocks) {
    abort();
    return;
  }
  disk_.remaining = blocks;
  await_dma();
}

void AtaDisk::initialize_parameters() noexcept {
  const std::uint8_t sectors = file().count[0];
  if (sectors == 0) {
    abort();
    return;
  }
  disk_.heads = static_cast<std::uint8_t>(DEVICE::HEAD::get(file().device) + 1);
  disk_.sectors = sectors;
  complete();
}

void AtaDisk::set_multiple() noexcept {
  const std::uint8_t sectors = file().count[0];
  if (sectors != 0 && (sectors > kMaxMultiple || !std::has_single_bit(sectors))) {
    abort();
    return;
  }
  disk_.multiple = sectors;
  complete();
}

void AtaDisk::set_transfer_mode(std::uint8_t mode) noexcept {
  const bool pio = mode <= 0x01 || (mode >= 0x08 && mode <= 0x0c);
  const bool multiword = mode >= 0x20 && mode <= 0x22;
  if (!pio && !multiword) {
    abort();
    return;
  }
  if (multiword) {
    disk_.dma_mode = mode;
  }
  complete();
}

void AtaDisk::set_features() noexcept {
  // Look-ahead, power and acoustic management, reverting to defaults and the older ones of drivers:
  // accepted, nothing to do.
  static constexpr std::uint8_t kAccepted[] = {0x05, 0x42, 0x55, 0x66, 0x67, 0x69,
                                               0x85, 0x96, 0x9a, 0xaa, 0xc2, 0xcc};
  const std::uint8_t feature = file().features[0];
  if (feature == kSetTransferMode) {
    set_transfer_mode(file().count[0]);
  } else if (feature == kEnableWriteCache) {
    disk_.write_cache = true;
    complete();
  } else if (feature == kDisableWriteCache) {
    go(Step::flush);  // what the cache holds has to be safe before it is said to be off
  } else if (std::ranges::find(kAccepted, feature) != std::end(kAccepted)) {
    complete();
  } else {
    abort();
  }
}

void AtaDisk::flush_done(BlockStatus status) noexcept {
  if (status != BlockStatus::ok) {
    // Data is lost: said now and, by the backend's promise, at every later flush.
    ++tally().io_errors;
    disk_.smart.failing = true;
    limit_.warning("ata: flushing ", image()->name(), " failed");
    fail(regs::kMask<regs::ERROR::ABRT>, regs::kMask<regs::STATUS::DF>);
    return;
  }
  if (disk_.command == kSetFeatures) {
    disk_.write_cache = false;
  }
  complete();
}

void AtaDisk::read_native_max() noexcept {
  if (total_ == 0) {
    abort();  // CVE-2015-6855
    return;
  }
  const std::uint64_t sectors = current().extended ? total_ : std::min(total_, kLba28Limit - 1);
  put_address(sectors - 1);
  complete();
}

void AtaDisk::identify() noexcept {
  disk_.remaining = 0;
  build_identify(
      {.identity = identity_,
       .total_sectors = total_,
       .physical_block = info_.physical_block,
       .current = translated_geometry(total_, disk_.heads, disk_.sectors),
       .max_multiple = kMaxMultiple,
       .multiple = disk_.multiple,
       .dma_mode = disk_.dma_mode,
       .unit = unit(),
       .max_trim_blocks = info_.can_discard && !info_.read_only ? kMaxTrimBlocks : std::uint8_t{0},
       .write_cache = disk_.write_cache,
       .smart = disk_.smart.enabled},
      std::span{disk_.block}.first<kSectorSize>());
  offer_block(kSectorSize);
}

void AtaDisk::smart() noexcept {
  const std::uint8_t feature = file().features[0];
  const bool keyed = file().lba_mid[0] == kSmartMid && file().lba_high[0] == kSmartHigh;
  if (!keyed || (!disk_.smart.enabled && feature != kSmartEnable)) {
    abort();
    return;
  }
  switch (feature) {
    case kSmartEnable:
    case kSmartDisable:
      disk_.smart.enabled = feature == kSmartEnable;
      complete();
      break;
    case kSmartAutosave:
      disk_.smart.autosave = file().count[0] != 0;
      complete();
      break;
    case kSmartStatus:
      file().lba_mid[0] = disk_.smart.failing ? kFailingMid : kSmartMid;
      file().lba_high[0] = disk_.smart.failing ? kFailingHigh : kSmartHigh;
      complete();
      break;
    case kSmartExecuteOffline:
      if (execute_offline(disk_.smart, file().lba_low[0])) {
        complete();
      } else {
        abort();
      }
      break;
    default:
      smart_data(feature);
      break;
  }
}

void AtaDisk::smart_data(std::uint8_t feature) noexcept {
  const auto out = std::span{disk_.block}.first<kSectorSize>();
  switch (feature) {
    case kSmartReadData:
      build_smart_data(disk_.smart, out);
      break;
    case kSmartReadThresholds:
      build_smart_thresholds(out);
      break;
    case kSmartReadLog:
      if (file().count[0] != 1 || !build_smart_log(disk_.smart, file().lba_low[0], out)) {
        abort();
        return;
      }
      break;
    default:
      abort();
      return;
  }
  disk_.remaining = 0;
  offer_block(kSectorSize);
}

}  // namespace dm::ata
