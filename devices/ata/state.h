// SPDX-License-Identifier: MIT
#pragma once

#include "core/state/describe.h"
#include "devices/ata/geometry.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// All of a drive that a guest can see, as plain aggregates: this is saved, loaded, hashed and
/// dumped. No request is in flight when it is saved, because settle() comes first. settle() may
/// leave a command half done; resume() goes on with it.
namespace dm::ata {

enum class DriveKind : std::uint8_t { absent, disk, cdrom };

/// The registers of one drive. The registers that 48-bit commands use are two deep: [0] is the last
/// value written, [1] the one before (ATA/ATAPI-6 6.20).
struct TaskFile {
  using Pair = std::array<std::uint8_t, 2>;
  Pair features{};
  Pair count{};
  Pair lba_low{};
  Pair lba_mid{};
  Pair lba_high{};
  std::uint8_t device = 0;
  std::uint8_t status = 0;
  std::uint8_t error = 0;
};

/// 65536 sectors, the longest ATA command.
inline constexpr std::uint64_t kMaxDmaBytes = std::uint64_t{32} << 20;
/// Bytes of one LBA range entry of DATA SET MANAGEMENT, ACS-2 7.5.3.2.
inline constexpr std::uint32_t kTrimRange = 8;

/// What a drive is doing.
enum class Phase : std::uint8_t {
  idle,
  data_in,   ///< DRQ: the host takes block[pos, end)
  data_out,  ///< DRQ: the host fills block[pos, end)
  wait_dma,  ///< BSY until the transfer port is armed
  work,      ///< BSY: deferred work and disk I/O
  reset,     ///< BSY: SRST is held
};

/// What the next unit of a disk's work does. Saved as numbers.
enum class DiskStep : std::uint8_t {
  begin,  ///< decodes the command; never saved
  pio_read,
  pio_write,
  dma_begin,
  dma,
  verify,
  flush,
  trim,
};

/// What the next unit of a CD-ROM drive's work does. Saved as numbers.
enum class CdStep : std::uint8_t {
  begin,  ///< decodes the command; never saved
  fetch,
  dma_begin,
  dma,
  dma_raw,
};

/// What SMART remembers.
struct SmartState {
  /// Descriptors of the self-test log, SFF-8035i and ATA/ATAPI-6 8.41.6.8.4.
  static constexpr std::size_t kSelfTests = 21;

  bool enabled = true;
  bool autosave = true;
  bool failing = false;                               ///< a flush has failed: data was lost
  std::uint8_t offline_status = 0;                    ///< 2: completed
  std::uint8_t newest = 0;                            ///< 1-21: last used descriptor; 0: none yet
  std::array<std::uint8_t, kSelfTests> self_tests{};  ///< the subcommand of each
};

/// Most sectors in a block of READ/WRITE MULTIPLE, and so the most that one write to the image
/// gathers in PIO.
inline constexpr std::uint8_t kMaxMultiple = 16;

struct DiskState {
  Phase phase = Phase::idle;
  std::uint8_t command = 0;  ///< the opcode under way
  /// Sectors in a block of READ/WRITE MULTIPLE; 0: those abort.
  std::uint8_t multiple = kMaxMultiple;
  std::uint8_t heads = 16;  ///< of the current CHS translation
  std::uint8_t sectors = 63;
  bool write_cache = true;
  std::uint8_t dma_mode = 0x22;  ///< as SET FEATURES 03h had it: 20h-22h multiword DMA; 0: none
  /// PIO in: the sector after the block. PIO out: the first sector of the block. DMA: the next
  /// sector.
  std::uint64_t lba = 0;
  std::uint32_t remaining = 0;  ///< sectors still to come, not counting those in the block
  /// Bytes of the block moved so far, and those that belong to it; for DiskStep::trim, ranges of
  /// the block.
  std::uint32_t pos = 0;
  std::uint32_t end = 0;
  DiskStep step = DiskStep::begin;  ///< in Phase::work
  SmartState smart;
  /// Sectors of the disk. 0: not told, in a state of 0.1.0 before December 2026.
  std::uint64_t capacity = 0;
  /// PIO data on its way.
  std::array<std::uint8_t, std::size_t{kMaxMultiple} * kSectorSize> block{};
};

/// The answer to REQUEST SENSE (SPC-2 7.23). All zero: nothing to report.
struct Sense {
  std::uint8_t key = 0;
  std::uint8_t asc = 0;   ///< additional sense code
  std::uint8_t ascq = 0;  ///< and its qualifier
  friend bool operator==(const Sense&, const Sense&) noexcept = default;
};

/// A CD-ROM drive: its tray, what it has to tell, and the packet command under way.
struct CdState {
  static constexpr std::size_t kPacket = 12;  ///< bytes of a packet
  /// Data on its way by PIO, and every reply that is not the disc's data.
  static constexpr std::size_t kBuffer = 32768;
  // Unit attention conditions that wait to be told.
  static constexpr std::uint8_t kAttentionReset = 1;
  static constexpr std::uint8_t kAttentionChanged = 2;
  // Media events that GET EVENT STATUS NOTIFICATION has not told yet.
  static constexpr std::uint8_t kEventRemoval = 1;
  static constexpr std::uint8_t kEventNew = 2;
  static constexpr std::uint8_t kEventEjectRequest = 4;
  static constexpr std::array<std::uint8_t, 2> kDefaultRecovery{0x00, 0x05};

  Phase phase = Phase::idle;
  std::uint8_t command = 0;      ///< the ATA opcode under way
  bool awaits_packet = false;    ///< in data_out: the packet comes, not its parameters
  bool dma = false;              ///< data of the packet command go by DMA
  std::uint8_t dma_mode = 0x22;  ///< as in DiskState
  std::uint16_t byte_limit = 0;  ///< of one DRQ burst; odd ones as the guest gave them
  std::array<std::uint8_t, kPacket> packet{};

  CdStep step = CdStep::begin;  ///< in Phase::work
  bool disc_lost = false;       ///< the disc has gone since the command under way began

  bool tray_open = false;
  bool locked = false;  ///< PREVENT ALLOW MEDIUM REMOVAL
  std::uint8_t attention = 0;
  std::uint8_t events = 0;
  Sense sense;
  std::array<std::uint8_t, 2> recovery = kDefaultRecovery;  ///< mode page 01h, bytes 2 and 3
  std::uint32_t disc_blocks = 0;  ///< of the disc in the tray, open or not; 0: none

  std::uint32_t lba = 0;        ///< the next block to fetch
  std::uint32_t remaining = 0;  ///< blocks still to fetch
  std::uint16_t frame = 0;      ///< bytes that the guest gets for each: 2048 or 2352
  std::uint32_t pos = 0;        ///< in the buffer: the byte that the guest takes or fills next
  std::uint32_t end = 0;        ///< of this DRQ burst; even
  std::uint32_t filled = 0;     ///< valid bytes, or bytes expected
  std::array<std::uint8_t, kBuffer> buffer{};
};

struct DriveState {
  DriveKind kind = DriveKind::absent;
  bool intrq = false;
  TaskFile file;
  DiskState disk;  ///< for a disk only
  CdState cd;      ///< for a CD-ROM drive only
};

template <class Visitor>
void describe(Visitor& v, TaskFile& s) {
  v.field(1, "features", s.features);
  v.field(2, "count", s.count);
  v.field(3, "lba_low", s.lba_low);
  v.field(4, "lba_mid", s.lba_mid);
  v.field(5, "lba_high", s.lba_high);
  v.field(6, "device", s.device);
  v.field(7, "status", s.status);
  v.field(8, "error", s.error);
}

template <class Visitor>
void describe(Visitor& v, SmartState& s) {
  v.field(1, "enabled", s.enabled);
  v.field(2, "autosave", s.autosave);
  v.field(3, "failing", s.failing);
  v.field(4, "offline_status", s.offline_status);
  v.field(5, "newest", s.newest);
  v.field(6, "self_tests", s.self_tests);
}

/// True when the contents of the block matter: then they are saved.
[[nodiscard]] constexpr bool block_counts(const DiskState& s) noexcept {
  return s.phase == Phase::data_in || s.phase == Phase::data_out ||
         (s.phase == Phase::work && (s.step == DiskStep::pio_write || s.step == DiskStep::trim));
}

template <class Visitor>
void describe(Visitor& v, DiskState& s) {
  v.field(1, "phase", s.phase);
  v.field(2, "command", s.command);
  v.field(3, "multiple", s.multiple);
  v.field(4, "heads", s.heads);
  v.field(5, "sectors", s.sectors);
  v.field(6, "write_cache", s.write_cache);
  v.field(7, "dma_mode", s.dma_mode);
  v.field(8, "lba", s.lba);
  v.field(9, "remaining", s.remaining);
  v.field(10, "pos", s.pos);
  v.field(11, "end", s.end);
  v.field(12, "smart", s.smart);
  v.field(15, "capacity", s.capacity);
  if (s.phase == Phase::work) {
    v.field(14, "step", s.step);
  }
  if (block_counts(s)) {
    v.field(13, "block", s.block);
  }
}

template <class Visitor>
void describe(Visitor& v, Sense& s) {
  v.field(1, "key", s.key);
  v.field(2, "asc", s.asc);
  v.field(3, "ascq", s.ascq);
}

template <class Visitor>
void describe(Visitor& v, CdState& s) {
  v.field(1, "phase", s.phase);
  v.field(2, "command", s.command);
  v.field(3, "awaits_packet", s.awaits_packet);
  v.field(4, "dma", s.dma);
  v.field(5, "dma_mode", s.dma_mode);
  v.field(6, "byte_limit", s.byte_limit);
  v.field(7, "packet", s.packet);
  v.field(8, "tray_open", s.tray_open);
  v.field(9, "locked", s.locked);
  v.field(10, "attention", s.attention);
  v.field(11, "events", s.events);
  v.field(12, "sense", s.sense);
  v.field(13, "recovery", s.recovery);
  v.field(14, "disc_blocks", s.disc_blocks);
  v.field(15, "lba", s.lba);
  v.field(16, "remaining", s.remaining);
  v.field(17, "frame", s.frame);
  v.field(18, "pos", s.pos);
  v.field(19, "end", s.end);
  v.field(20, "filled", s.filled);
  v.field(22, "disc_lost", s.disc_lost);
  if (s.phase == Phase::work) {
    v.field(23, "step", s.step);
  }
  if (s.phase != Phase::idle && s.phase != Phase::reset) {
    v.field(21, "buffer", s.buffer);
  }
}

template <class Visitor>
void describe(Visitor& v, DriveState& s) {
  v.field(1, "kind", s.kind);
  if (s.kind == DriveKind::absent) {
    return;
  }
  v.field(2, "intrq", s.intrq);
  v.field(3, "file", s.file);
  if (s.kind == DriveKind::disk) {
    v.field(4, "disk", s.disk);
  } else {
    v.field(5, "cd", s.cd);
  }
}

/// True when the device itself could have produced every number. A drive checks against its disk's
/// size when it takes the state.
[[nodiscard]] bool validate(const DiskState& s) noexcept;
[[nodiscard]] bool validate(const CdState& s) noexcept;
[[nodiscard]] bool validate(const DriveState& s) noexcept;

/// True in the middle of a transfer by the port. The port's state must agree with it.
[[nodiscard]] bool transfers(const DriveState& s) noexcept;
/// True while SRST holds the drive. The controller's state must agree with it.
[[nodiscard]] bool held_by_reset(const DriveState& s) noexcept;

}  // namespace dm::ata
