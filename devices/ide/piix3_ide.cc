// SPDX-License-Identifier: MIT
#include "devices/ide/piix3_ide.h"

#include "devices/ide/regs.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace dm::ide {

namespace {

struct LegacyPorts {
  std::uint16_t command;
  std::uint16_t control;  ///< only this byte: 0x3f7 is the floppy controller's
  std::uint8_t irq;
  const char* command_name;
  const char* control_name;
};
constexpr std::array<LegacyPorts, 2> kLegacy{{
    {.command = 0x1f0,
     .control = 0x3f6,
     .irq = 14,
     .command_name = "ide0",
     .control_name = "ide0 control"},
    {.command = 0x170,
     .control = 0x376,
     .irq = 15,
     .command_name = "ide1",
     .control_name = "ide1 control"},
}};
constexpr std::uint8_t kBusMasterBar = 4;

PioClaim claim(PioBus& pio, PortRange range, IoHandler handler, const char* name) {
  PioClaim claimed = pio.claim(range, handler, name);
  if (!claimed.ok()) {
    throw std::runtime_error(
        "the ports of " + std::string{name} + " are not to be had" +
        (claimed.holder().empty() ? "" : ": " + std::string{claimed.holder()} + " has them"));
  }
  return claimed;
}

}  // namespace

Piix3Ide::Piix3Ide(PciBus& pci, PioBus& pio, IrqRouter& irqs, GuestMemory& memory, Drives drives)
    : PciFunction{pci, kBdf, "piix3-ide", Config{regs::ConfigMap{}}},
      channels_{Channel{memory, irqs.isa(kLegacy[0].irq)},
                Channel{memory, irqs.isa(kLegacy[1].irq)}} {
  for (std::size_t i = 0; i < kPositions; ++i) {
    channels_[i / Channel::kDrives].attach(static_cast<std::uint8_t>(i % Channel::kDrives),
                                           std::move(drives[i]));
  }
  for (std::size_t i = 0; i < kLegacy.size(); ++i) {
    const LegacyPorts& ports = kLegacy[i];
    const auto last = static_cast<std::uint16_t>(ports.command + regs::kCommandBlockSize - 1);
    legacy_[i].command = claim(
        pio, {ports.command, last},
        IoHandler::bind_with_runs<&Channel::read_command_block, &Channel::write_command_block,
                                  &Channel::read_data_run, &Channel::write_data_run>(channels_[i]),
        ports.command_name);
    legacy_[i].control = claim(
        pio, {ports.control, ports.control},
        IoHandler::bind<&Channel::read_alternate_status, &Channel::write_control>(channels_[i]),
        ports.control_name);
  }
  add_bar(kBusMasterBar, BarKind::io, regs::kBmibaSize,
          IoHandler::bind<&Piix3Ide::read_bus_master, &Piix3Ide::write_bus_master>(*this),
          "ide bus master");
}

void Piix3Ide::config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  follow_command_register();
}

void Piix3Ide::follow_command_register() noexcept {
  for (Channel& channel : channels_) {
    channel.enable_bus_master(bus_master());
  }
}

std::uint64_t Piix3Ide::read_bus_master(IoAccess a) noexcept {
  std::uint64_t value = 0;
  for (std::uint8_t i = 0; i < a.size; ++i) {
    const auto offset = static_cast<std::uint8_t>((a.offset + i) % regs::kBmibaSize);
    const Channel& channel = channels_[offset / regs::kBusMasterSize];
    value |= std::uint64_t{channel.read_bus_master(offset % regs::kBusMasterSize)} << (8U * i);
  }
  return value;
}

void Piix3Ide::write_bus_master(IoAccess a, std::uint64_t value) noexcept {
  for (std::uint8_t i = 0; i < a.size; ++i) {
    const auto offset = static_cast<std::uint8_t>((a.offset + i) % regs::kBmibaSize);
    Channel& channel = channels_[offset / regs::kBusMasterSize];
    channel.write_bus_master(offset % regs::kBusMasterSize,
                             static_cast<std::uint8_t>(value >> (8U * i) & 0xffU));
  }
}

bool Piix3Ide::unplug_disks(bool keep_primary_master) noexcept {
  bool durable = true;
  for (std::size_t i = keep_primary_master ? 1 : 0; i < kPositions; ++i) {
    const Drive* const leaving = drive(i);
    if (leaving != nullptr && leaving->kind() == DriveKind::disk) {
      durable =
          channels_[i / Channel::kDrives].detach(static_cast<std::uint8_t>(i % Channel::kDrives)) &&
          durable;
    }
  }
  return durable;
}

void Piix3Ide::wake() noexcept {
  for (Channel& channel : channels_) {
    channel.reset();
  }
}

void Piix3Ide::settle() noexcept {
  for (Channel& channel : channels_) {
    channel.settle();
  }
}

void Piix3Ide::resume() noexcept {
  for (Channel& channel : channels_) {
    channel.resume();
  }
}

bool Piix3Ide::flush() noexcept {
  bool durable = true;
  for (Channel& channel : channels_) {
    durable = channel.flush() && durable;
  }
  return durable;
}

ControllerState Piix3Ide::state() const noexcept {
  ControllerState out;
  out.config = config().bytes();
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    out.channels[i] = channels_[i].state();
  }
  for (std::size_t i = 0; i < kPositions; ++i) {
    if (const Drive* const present = drive(i); present != nullptr) {
      present->store(out.drives[i]);
    }
  }
  return out;
}

/// All or nothing: drives that took theirs get the old state back when a later one refuses.
bool Piix3Ide::restore_drives(const ControllerState& state) noexcept {
  const auto old = this->state();
  for (std::size_t i = 0; i < kPositions; ++i) {
    Drive* const present =
        channels_[i / Channel::kDrives].drive(static_cast<std::uint8_t>(i % Channel::kDrives));
    const bool was_there = state.drives[i].kind != DriveKind::absent;
    if (was_there && (present == nullptr || !present->restore(state.drives[i]))) {
      for (std::size_t back = 0; back < i; ++back) {
        if (old.drives[back].kind != DriveKind::absent &&
            state.drives[back].kind != DriveKind::absent) {
          (void)channels_[back / Channel::kDrives]
              .drive(static_cast<std::uint8_t>(back % Channel::kDrives))
              ->restore(old.drives[back]);
        }
      }
      return false;
    }
  }
  return true;
}

bool Piix3Ide::restore(const ControllerState& state) noexcept {
  settle();
  if (!validate(state) || !restore_drives(state)) {
    return false;
  }
  // Before a drive leaves: that looks at the interrupt, which has to be adopted by then, not sent.
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    channels_[i].restore(state.channels[i]);
  }
  for (std::size_t i = 0; i < kPositions; ++i) {
    if (state.drives[i].kind == DriveKind::absent) {
      (void)channels_[i / Channel::kDrives].detach(static_cast<std::uint8_t>(i % Channel::kDrives));
    }
  }
  config().bytes() = state.config;
  config().sanitize();
  write_config(0x04, 2, read_config(0x04, 2));  // the windows and bus mastering follow
  return true;
}

}  // namespace dm::ide
