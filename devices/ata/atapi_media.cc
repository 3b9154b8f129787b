// SPDX-License-Identifier: MIT
// The tray of a CD-ROM drive: discs come and go by the host's hand and the guest's word.
#include "devices/ata/atapi_drive.h"
#include "devices/ata/atapi_sense.h"

#include <algorithm>
#include <utility>

namespace dm::ata {

/// Of the image; nothing to do with its being readable.
std::uint32_t AtapiDrive::blocks_in_tray() const noexcept {
  if (image() == nullptr) {
    return 0;
  }
  const std::uint64_t blocks = image()->info().size / kBlock;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(blocks, kMaxBlocks));
}

bool AtapiDrive::readable() const noexcept {
  return !cd_.tray_open && cd_.disc_blocks != 0;
}

Sense AtapiDrive::not_ready() const noexcept {
  return cd_.tray_open ? sense::kNoDiscTrayOpen : sense::kNoDiscTrayClosed;
}

/// The next condition that waits to be told, or none. Reset comes before all others (SPC-2 5.6.4).
Sense AtapiDrive::take_attention() noexcept {
  if ((cd_.attention & CdState::kAttentionReset) != 0) {
    cd_.attention = static_cast<std::uint8_t>(cd_.attention & ~CdState::kAttentionReset);
    return sense::kReset;
  }
  if (std::exchange(cd_.attention, std::uint8_t{0}) != 0) {
    return sense::kDiscChanged;
  }
  return sense::kNoSense;
}

/// A disc can be read that could not before.
void AtapiDrive::disc_arrived() noexcept {
  cd_.attention |= CdState::kAttentionChanged;
  cd_.events |= CdState::kEventNew;
}

/// What has not been told of a disc that is gone need not be told any more.
void AtapiDrive::disc_left() noexcept {
  cd_.attention = static_cast<std::uint8_t>(cd_.attention & ~CdState::kAttentionChanged);
  cd_.events = CdState::kEventRemoval;
  cd_.disc_lost = true;
}

void AtapiDrive::open_tray() noexcept {
  if (!cd_.tray_open) {
    cd_.tray_open = true;
    if (cd_.disc_blocks != 0) {
      disc_left();
    }
  }
}

void AtapiDrive::close_tray() noexcept {
  if (cd_.tray_open) {
    cd_.tray_open = false;
    if (cd_.disc_blocks != 0) {
      disc_arrived();
    }
  }
}

bool AtapiDrive::eject(bool force) noexcept {
  if (force) {
    cd_.locked = false;  // as QEMU: what the guest had locked is gone, the next disc is not locked
  }
  if (image() == nullptr) {
    cd_.tray_open = true;
    return true;
  }
  if (cd_.locked && !cd_.tray_open) {
    cd_.events |= CdState::kEventEjectRequest;
    return false;
  }
  close_image();
  open_tray();
  cd_.disc_lost = true;
  cd_.disc_blocks = 0;
  return true;
}

void AtapiDrive::insert(std::unique_ptr<BlockBackend> disc) noexcept {
  if (image() != nullptr && !eject(true)) {
    return;
  }
  open_image(std::move(disc));
  cd_.disc_blocks = blocks_in_tray();
  cd_.tray_open = false;
  if (cd_.disc_blocks != 0) {
    disc_arrived();
  }
}

/// MMC-3 6.1.42, SFF-8020i 10.8.25.
void AtapiDrive::start_stop() noexcept {
  const std::uint8_t what = cd_.packet[4];
  const bool power_condition = (what & 0xf0U) != 0;
  const bool load_eject = (what & 0x02U) != 0;
  const bool start = (what & 0x01U) != 0;
  if (!power_condition && load_eject && !start) {
    if (cd_.locked && !cd_.tray_open) {
      refuse(sense::kRemovalPrevented);
      return;
    }
    open_tray();
  } else if (!power_condition && load_eject) {
    close_tray();
  } else if (!power_condition && start && !readable()) {
    refuse(not_ready());
    return;
  }
  finish_packet();
}

/// The event code of GET EVENT STATUS NOTIFICATION (MMC-3 table 141), oldest first; 0: nothing has
/// happened.
std::uint8_t AtapiDrive::take_event() noexcept {
  constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 3> kCodes{{
      {CdState::kEventRemoval, std::uint8_t{3}},
      {CdState::kEventNew, std::uint8_t{2}},
      {CdState::kEventEjectRequest, std::uint8_t{1}},
  }};
  for (const auto& [bit, code] : kCodes) {
    if ((cd_.events & bit) != 0) {
      cd_.events = static_cast<std::uint8_t>(cd_.events & ~bit);
      return code;
    }
  }
  return 0;
}

/// Is the disc whose size was checked still in the drive? False: the command has failed.
bool AtapiDrive::disc_is_still_there() noexcept {
  if (!cd_.disc_lost && image() != nullptr && readable()) {
    return true;
  }
  end_dma();
  const Sense told = readable() ? take_attention() : not_ready();
  refuse(told == sense::kNoSense ? sense::kDiscChanged : told);
  return false;
}

}  // namespace dm::ata
