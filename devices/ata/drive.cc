// SPDX-License-Identifier: MIT
#include "devices/ata/drive.h"

#include "devices/ata/regs.h"

namespace dm::ata {

void Drive::connect(Cable& cable, TransferPort& port, std::uint8_t unit) noexcept {
  cable_ = &cable;
  port_ = &port;
  unit_ = unit;
  reset(Reset::power_on);
}

std::uint8_t Drive::read_register(std::uint8_t offset, bool high_order) const noexcept {
  const std::size_t depth = high_order ? 1 : 0;
  switch (offset) {
    case regs::kError:
      return file_.error;
    case regs::kSectorCount:
      return file_.count[depth];
    case regs::kLbaLow:
      return file_.lba_low[depth];
    case regs::kLbaMid:
      return file_.lba_mid[depth];
    case regs::kLbaHigh:
      return file_.lba_high[depth];
    case regs::kDevice:
      return file_.device | regs::DEVICE::kAlwaysOne;
    case regs::kStatus:
      return file_.status;
    default:
      return 0;
  }
}

namespace {
void push(TaskFile::Pair& pair, std::uint8_t value) noexcept {
  pair = {value, pair[0]};
}
}  // namespace

void Drive::latch_register(std::uint8_t offset, std::uint8_t value) noexcept {
  switch (offset) {
    case regs::kFeatures:
      push(file_.features, value);
      break;
    case regs::kSectorCount:
      push(file_.count, value);
      break;
    case regs::kLbaLow:
      push(file_.lba_low, value);
      break;
    case regs::kLbaMid:
      push(file_.lba_mid, value);
      break;
    case regs::kLbaHigh:
      push(file_.lba_high, value);
      break;
    case regs::kDevice:
      file_.device = value;
      break;
    default:
      break;
  }
}

bool Drive::busy() const noexcept {
  return (file_.status & (regs::kMask<regs::STATUS::BSY> | regs::kMask<regs::STATUS::DRQ>)) != 0;
}

void Drive::set_interrupt(bool on) noexcept {
  if (on != intrq_) {
    intrq_ = on;
    cable_->interrupt_changed();
  }
}

void Drive::load_signature(std::uint16_t type) noexcept {
  file_.features = {};
  file_.count = {1, 0};
  file_.lba_low = {1, 0};
  file_.lba_mid = {static_cast<std::uint8_t>(type & 0xffU), 0};
  file_.lba_high = {static_cast<std::uint8_t>(type >> 8U), 0};
  file_.device = 0;
  file_.error = regs::kDiagnosticPassed;
}

}  // namespace dm::ata
