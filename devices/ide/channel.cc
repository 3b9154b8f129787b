// SPDX-License-Identifier: MIT
#include "devices/ide/channel.h"

#include "devices/ata/regs.h"
#include "devices/ide/regs.h"

#include <algorithm>

namespace dm::ide {

using ata::Drive;
using ata::DriveKind;
using ata::regs::CONTROL;
using ata::regs::DEVICE;
using ata::regs::kCommand;
using ata::regs::kData;
using ata::regs::kDevice;
using ata::regs::kError;
using ata::regs::kMask;
using ata::regs::kStatus;

Channel::~Channel() {
  // One by one, so that a drive that finishes its I/O still finds a channel whose other drive is
  // whole or gone.
  for (auto& drive : drives_) {
    drive.reset();
  }
}

void Channel::attach(std::uint8_t unit, std::unique_ptr<Drive> drive) noexcept {
  drives_[unit] = std::move(drive);
  if (drives_[unit] != nullptr) {
    drives_[unit]->connect(*this, bus_master_, unit);
  }
}

bool Channel::unplug(std::uint8_t unit) noexcept {
  if (drives_[unit] == nullptr) {
    return true;
  }
  const bool durable = drives_[unit]->flush();
  drives_[unit].reset();
  update_irq();
  return durable;
}

void Channel::reset() noexcept {
  for (auto& drive : drives_) {
    if (drive != nullptr) {
      drive->reset(Drive::Reset::power_on);
    }
  }
  bus_master_.restore({});  // after the drives: what they had under way has ended in it
  selected_ = 0;
  control_ = 0;
  update_irq();
}

bool Channel::irq_level() const noexcept {
  const Drive* const drive = selected();
  return drive != nullptr && drive->intrq() && !CONTROL::nIEN::test(control_);
}

void Channel::update_irq() noexcept {
  const bool level = irq_level();
  if (level && !irq_.level()) {
    // 290562, 5.2.2: the bit follows the line's rising edge, whatever the command.
    bus_master_.latch_interrupt();
  }
  irq_.set(level);
}

std::uint8_t Channel::read_register(std::uint8_t offset) noexcept {
  Drive* const drive = selected();
  if (drive == nullptr) {
    // ATA/ATAPI-6 9.16.1: device 0 answers for an absent device 1, with Status and Error 00h.
    // Nobody answers for an absent device 0; zeros, so that a probe's 55h/aah echo fails at once
    // and no BSY is waited for.
    const Drive* const other = selected_ == 1 ? drives_[0].get() : nullptr;
    const bool silent = other == nullptr || offset == kStatus || offset == kError;
    return silent ? std::uint8_t{0} : other->read_register(offset, CONTROL::HOB::test(control_));
  }
  const std::uint8_t value = drive->read_register(offset, CONTROL::HOB::test(control_));
  if (offset == kStatus) {
    drive->clear_interrupt();
  }
  return value;
}

void Channel::write_register(std::uint8_t offset, std::uint8_t value) noexcept {
  // ATA/ATAPI-6 7.5: a write to any command block register clears HOB.
  control_ = CONTROL::HOB::with(control_, 0);
  if (offset == kCommand) {
    write_command(value);
    return;
  }
  if (const Drive* const drive = selected(); drive != nullptr && drive->busy()) {
    ++counters_.ignored_writes;
    return;
  }
  for (auto& drive : drives_) {
    if (drive != nullptr && !drive->busy()) {
      drive->latch_register(offset, value);
    }
  }
  if (offset == kDevice) {
    selected_ = DEVICE::DEV::get(value);
    update_irq();
  }
}

void Channel::write_command(std::uint8_t opcode) noexcept {
  // While SRST is held no drive listens, nor for one that is not there (ATA/ATAPI-6 9.3).
  if (CONTROL::SRST::test(control_)) {
    ++counters_.ignored_writes;
    return;
  }
  Drive* const drive = selected();
  if (drive != nullptr && drive->busy()) {
    // Only a packet device takes a command then, and only DEVICE RESET (ATA/ATAPI-6 7.4).
    if (opcode != ata::regs::kDeviceReset || drive->kind() != DriveKind::cdrom) {
      ++counters_.ignored_writes;
      return;
    }
  }
  if (opcode == ata::regs::kExecuteDiagnostic) {
    run_diagnostic();
    return;
  }
  if (drive == nullptr) {
    ++counters_.lost_commands;
    return;
  }
  drive->clear_interrupt();
  drive->command(opcode);
}

/// Both drives, whichever is selected (ATA/ATAPI-6 8.11).
void Channel::run_diagnostic() noexcept {
  selected_ = 0;
  for (auto& drive : drives_) {
    if (drive != nullptr) {
      drive->reset(Drive::Reset::diagnostic);
    }
  }
  update_irq();
}

std::uint64_t Channel::read_command_block(IoAccess a) noexcept {
  if (a.offset == kData && a.size >= 2) {
    std::array<std::byte, 8> item{};
    if (Drive* const drive = selected(); drive != nullptr) {
      (void)drive->read_data(std::span{item}.first(std::min<std::size_t>(a.size, item.size())));
    }
    std::uint64_t value = 0;
    for (std::size_t i = item.size(); i-- > 0;) {
      value = value << 8U | std::to_integer<std::uint64_t>(item[i]);
    }
    return value;
  }
  std::uint64_t value = 0;
  for (std::uint8_t i = 0; i < a.size; ++i) {
    const auto offset = static_cast<std::uint8_t>(a.offset + i);
    // The data register is 16 bits wide: half of it is not there.
    const std::uint64_t byte = offset == kData ? 0xff : read_register(offset);
    value |= byte << (8U * i);
  }
  return value;
}

void Channel::write_command_block(IoAccess a, std::uint64_t value) noexcept {
  if (a.offset == kData && a.size >= 2) {
    control_ = CONTROL::HOB::with(control_, 0);
    std::array<std::byte, 8> item{};
    for (std::size_t i = 0; i < item.size(); ++i) {
      item[i] = static_cast<std::byte>(value >> (8U * i) & 0xffU);
    }
    if (Drive* const drive = selected(); drive != nullptr) {
      (void)drive->write_data(std::span{item}.first(std::min<std::size_t>(a.size, item.size())));
    }
    return;
  }
  for (std::uint8_t i = 0; i < a.size; ++i) {
    const auto offset = static_cast<std::uint8_t>(a.offset + i);
    if (offset != kData) {
      write_register(offset, static_cast<std::uint8_t>(value >> (8U * i) & 0xffU));
    }
  }
}

std::size_t Channel::read_data_run(IoAccess a, std::span<std::byte> to) noexcept {
  Drive* const drive = selected();
  if (a.offset != kData || a.size < 2 || drive == nullptr) {
    return 0;
  }
  const std::size_t most = std::min(to.size(), drive->data_left());
  return drive->read_data(to.first(most - most % a.size));
}

std::size_t Channel::write_data_run(IoAccess a, std::span<const std::byte> from) noexcept {
  Drive* const drive = selected();
  if (a.offset != kData || a.size < 2 || drive == nullptr) {
    return 0;
  }
  control_ = CONTROL::HOB::with(control_, 0);
  const std::size_t most = std::min(from.size(), drive->data_left());
  return drive->write_data(from.first(most - most % a.size));
}

std::uint64_t Channel::read_alternate_status(IoAccess /*a*/) noexcept {
  const Drive* const drive = selected();
  return drive == nullptr ? 0 : drive->read_register(kStatus, false);
}

void Channel::write_control(IoAccess /*a*/, std::uint64_t value) noexcept {
  constexpr std::uint8_t kWritable =
      kMask<CONTROL::HOB> | kMask<CONTROL::SRST> | kMask<CONTROL::nIEN>;
  const bool was_reset = CONTROL::SRST::test(control_);
  control_ = static_cast<std::uint8_t>(value & kWritable);
  const bool is_reset = CONTROL::SRST::test(control_);
  if (is_reset != was_reset) {
    for (auto& drive : drives_) {
      if (drive == nullptr) {
        continue;
      }
      if (is_reset) {
        drive->reset(Drive::Reset::software);
      } else {
        drive->release_reset();
      }
    }
    selected_ = 0;
  }
  update_irq();
}

void Channel::write_bus_master(std::uint8_t offset, std::uint8_t value) noexcept {
  if (offset != regs::BMICX::kOffset) {
    bus_master_.write(offset, value);
    return;
  }
  if (bus_master_.started() && !regs::BMICX::SSBM::test(value)) {
    for (auto& drive : drives_) {
      if (drive != nullptr) {
        drive->dma_stopped();
      }
    }
  }
  if (bus_master_.write_command(value)) {
    for (auto& drive : drives_) {
      if (drive != nullptr) {
        drive->dma_started();
      }
    }
  }
}

void Channel::settle() noexcept {
  for (auto& drive : drives_) {
    if (drive != nullptr) {
      drive->settle();
    }
  }
}

void Channel::resume() noexcept {
  for (auto& drive : drives_) {
    if (drive != nullptr) {
      drive->resume();
    }
  }
}

bool Channel::flush() noexcept {
  bool durable = true;
  for (auto& drive : drives_) {
    durable = (drive == nullptr || drive->flush()) && durable;
  }
  return durable;
}

bool Channel::hand_over() noexcept {
  return std::all_of(drives_.begin(), drives_.end(),
                     [](const auto& drive) { return drive == nullptr || drive->hand_over(); });
}

bool Channel::take_back() noexcept {
  bool all = true;
  for (auto& drive : drives_) {
    all = (drive == nullptr || drive->take_back()) && all;
  }
  return all;
}

ChannelState Channel::state() const noexcept {
  return {.selected = selected_, .control = control_, .bus_master = bus_master_.state()};
}

void Channel::restore(const ChannelState& state) noexcept {
  selected_ = state.selected;
  control_ = state.control;
  bus_master_.restore(state.bus_master);
  // Xen restored its side of the line by itself: no edge.
  irq_.adopt(irq_level());
}

}  // namespace dm::ide
