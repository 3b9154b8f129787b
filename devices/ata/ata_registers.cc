// SPDX-License-Identifier: MIT
// How an ATA disk reads addresses from its registers and writes results to them.
#include "core/range.h"
#include "devices/ata/ata_disk.h"
#include "devices/ata/regs.h"

#include <algorithm>

namespace dm::ata {

namespace {

using regs::DEVICE;
using regs::ERROR;
using regs::kMask;
using regs::STATUS;

constexpr std::uint32_t low24(const TaskFile& f, std::size_t depth) noexcept {
  return std::uint32_t{f.lba_low[depth]} | std::uint32_t{f.lba_mid[depth]} << 8U |
         std::uint32_t{f.lba_high[depth]} << 16U;
}
constexpr std::uint8_t byte_of(std::uint64_t value, unsigned index) noexcept {
  return static_cast<std::uint8_t>(value >> (8U * index) & 0xffU);
}

}  // namespace

/// Cylinder, head and sector to LBA; nothing when one of them is outside the translation. Sector 0
/// does not exist.
std::optional<std::uint64_t> AtaDisk::chs_address() const noexcept {
  const TaskFile& f = file();
  const Geometry g = translated_geometry(total_, disk_.heads, disk_.sectors);
  const std::uint32_t cylinder = std::uint32_t{f.lba_mid[0]} | std::uint32_t{f.lba_high[0]} << 8U;
  const std::uint32_t head = DEVICE::HEAD::get(f.device);
  const std::uint32_t sector = f.lba_low[0];
  if (sector == 0 || sector > g.sectors || head >= g.heads || cylinder >= g.cylinders) {
    return std::nullopt;
  }
  return (std::uint64_t{cylinder} * g.heads + head) * g.sectors + (sector - 1);
}

std::optional<std::uint64_t> AtaDisk::address() const noexcept {
  const TaskFile& f = file();
  if (current().extended) {
    return std::uint64_t{low24(f, 1)} << 24U | low24(f, 0);
  }
  if (DEVICE::LBA::test(f.device)) {
    return std::uint64_t{DEVICE::HEAD::get(f.device)} << 24U | low24(f, 0);
  }
  return chs_address();
}

/// 0 means 256, or 65536 for 48-bit commands.
std::uint32_t AtaDisk::sector_count() const noexcept {
  const TaskFile& f = file();
  if (current().extended) {
    const std::uint32_t count = std::uint32_t{f.count[1]} << 8U | f.count[0];
    return count == 0 ? 65536 : count;
  }
  return f.count[0] == 0 ? 256 : f.count[0];
}

/// Checks the whole range before anything is moved. False: the command has failed.
bool AtaDisk::take_range() noexcept {
  const auto lba = address();
  const std::uint32_t count = sector_count();
  if (lba && within(0, total_, *lba, count)) {
    disk_.lba = *lba;
    disk_.remaining = count;
    return true;
  }
  ++tally().refused;
  if (lba) {
    put_address(std::max(*lba, total_));  // the first sector that is not there
  }
  fail(kMask<ERROR::IDNF> | kMask<ERROR::ABRT>, 0);
  return false;
}

void AtaDisk::put_chs_address(std::uint64_t lba) noexcept {
  TaskFile& f = file();
  const std::uint32_t track = disk_.sectors;
  const std::uint64_t cylinder = lba / (std::uint64_t{disk_.heads} * track);
  f.lba_low[0] = static_cast<std::uint8_t>(lba % track + 1);
  f.lba_mid[0] = byte_of(cylinder, 0);
  f.lba_high[0] = byte_of(cylinder, 1);
  f.device = DEVICE::HEAD::with(f.device, lba / track % disk_.heads);
}

/// In the way the command gave its own.
void AtaDisk::put_address(std::uint64_t lba) noexcept {
  TaskFile& f = file();
  const bool extended = current().extended;
  if (!extended && !DEVICE::LBA::test(f.device)) {
    put_chs_address(lba);
    return;
  }
  f.lba_low[0] = byte_of(lba, 0);
  f.lba_mid[0] = byte_of(lba, 1);
  f.lba_high[0] = byte_of(lba, 2);
  if (extended) {
    f.lba_low[1] = byte_of(lba, 3);
    f.lba_mid[1] = byte_of(lba, 4);
    f.lba_high[1] = byte_of(lba, 5);
  } else {
    f.device = DEVICE::HEAD::with(f.device, byte_of(lba, 3));
  }
}

void AtaDisk::end(std::uint8_t status, std::uint8_t error) noexcept {
  disk_.phase = Phase::idle;
  file().status = static_cast<std::uint8_t>(regs::kReady | status);
  file().error = error;
}

void AtaDisk::complete() noexcept {
  end(0, 0);
  set_interrupt(true);
}

/// After the last sector: the registers name it and none is left (ATA-3 8.17; later editions leave
/// it open).
void AtaDisk::complete_transfer() noexcept {
  put_address(disk_.lba - 1);
  file().count = {};
  complete();
}

void AtaDisk::abort() noexcept {
  ++tally().refused;
  fail(kMask<ERROR::ABRT>, 0);
}

void AtaDisk::fail(std::uint8_t error, std::uint8_t status_bits) noexcept {
  end(static_cast<std::uint8_t>(kMask<STATUS::ERR> | status_bits), error);
  set_interrupt(true);
}

void AtaDisk::fail_at(std::uint64_t lba, std::uint8_t error, std::uint8_t status_bits) noexcept {
  put_address(lba);
  fail(error, status_bits);
}

/// The host failed at or after disk_.lba. A sector that cannot be read is "uncorrectable"; a write
/// that fails is the drive's own fault.
void AtaDisk::medium_error(BlockStatus status, std::string_view what) noexcept {
  ++tally().io_errors;
  const std::uint64_t lba = disk_.lba + request().done_bytes / kSectorSize;
  limit_.warning("ata: cannot ", what, " sector ", lba, " of ", image()->name(),
                 status == BlockStatus::no_space ? ": no space left" : "");
  if (request().op == BlockOp::read) {
    fail_at(lba, kMask<ERROR::UNC>, 0);
  } else {
    fail_at(lba, kMask<ERROR::ABRT>, kMask<STATUS::DF>);
  }
}

}  // namespace dm::ata
