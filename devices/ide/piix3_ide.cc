// SPDX-License-Identifier: MIT
#include "devices/ide/piix3_ide.h"

#include "core/backend/block.h"
#include "core/state/show.h"
#include "core/text/list.h"
#include "devices/ata/regs.h"
#include "devices/ide/regs.h"

#include <algorithm>
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

/// As xl.cfg names the place.
std::string name_of(std::size_t position) {
  return {'h', 'd', static_cast<char>('a' + position)};
}

std::string in_words(ata::DriveKind kind) {
  switch (kind) {
    case ata::DriveKind::absent:
      break;
    case ata::DriveKind::disk:
      return "a disk";
    case ata::DriveKind::cdrom:
      return "a CD-ROM drive";
  }
  return "not there";
}

std::array<ata::DriveKind, kPositions> kinds_of(const Piix3Ide::Drives& drives) noexcept {
  std::array<ata::DriveKind, kPositions> kinds{};
  for (std::size_t i = 0; i < kPositions; ++i) {
    kinds[i] = drives[i] != nullptr ? drives[i]->kind() : ata::DriveKind::absent;
  }
  return kinds;
}

}  // namespace

Piix3Ide::Piix3Ide(PciBus& pci, PioBus& pio, IrqRouter& irqs, GuestMemory& memory, Drives drives)
    : PciFunction{pci, kBdf, "piix3-ide", Config{regs::ConfigMap{}}},
      configured_{kinds_of(drives)},
      channels_{Channel{memory, irqs.isa(kLegacy[0].irq)},
                Channel{memory, irqs.isa(kLegacy[1].irq)}} {
  for (std::size_t i = 0; i < kPositions; ++i) {
    channels_[i / Channel::kDrives].attach(static_cast<std::uint8_t>(i % Channel::kDrives),
                                           std::move(drives[i]));
  }
  for (std::size_t i = 0; i < kLegacy.size(); ++i) {
    const LegacyPorts& ports = kLegacy[i];
    const auto last = static_cast<std::uint16_t>(ports.command + ata::regs::kCommandBlockSize - 1);
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

bool Piix3Ide::unplug(UnplugRequest request) noexcept {
  bool durable = true;
  for (std::size_t i = 0; i < kPositions; ++i) {
    const ata::Drive* const leaving = drive(i);
    if (request.takes_disk(i) && leaving != nullptr && leaving->kind() == ata::DriveKind::disk) {
      durable =
          channels_[i / Channel::kDrives].unplug(static_cast<std::uint8_t>(i % Channel::kDrives)) &&
          durable;
    }
  }
  return durable;
}

void Piix3Ide::reset() noexcept {
  reset_config();
  follow_command_register();
  wake();
}

void Piix3Ide::wake() noexcept {
  for (Channel& channel : channels_) {
    channel.reset();
  }
}

void Piix3Ide::pause() noexcept {
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

bool Piix3Ide::hand_over() noexcept {
  return std::all_of(channels_.begin(), channels_.end(),
                     [](Channel& channel) { return channel.hand_over(); });
}

bool Piix3Ide::take_back() noexcept {
  bool all = true;
  for (Channel& channel : channels_) {
    all = channel.take_back() && all;
  }
  return all;
}

ControllerState Piix3Ide::state() const noexcept {
  ControllerState out;
  out.config = config().bytes();
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    out.channels[i] = channels_[i].state();
  }
  for (std::size_t i = 0; i < kPositions; ++i) {
    if (const ata::Drive* const present = drive(i); present != nullptr) {
      present->state(out.drives[i]);
    }
  }
  return out;
}

Result<> Piix3Ide::fits(const ControllerState& state, const UnplugRequest& gone) const {
  std::string differs;
  for (std::size_t i = 0; i < kPositions; ++i) {
    append_item(differs, difference(state.drives[i], i, gone.takes_disk(i)));
  }
  return differs.empty() ? Result<>{} : Error{std::move(differs)};
}

/// Empty: none.
std::string Piix3Ide::difference(const ata::DriveState& saved,
                                 std::size_t position,
                                 bool unplugged) const {
  const std::string where = name_of(position);
  const ata::DriveKind here = configured_[position];
  const bool lost = here == ata::DriveKind::disk && unplugged;
  if (saved.kind != (lost ? ata::DriveKind::absent : here)) {
    return lost ? "the saved state is damaged: " + where + " was unplugged and is in it"
                : "disk: " + where + " was " + in_words(saved.kind) + " and is " + in_words(here);
  }
  if (accepts(saved, position)) {
    return {};
  }
  const ata::Drive* const present = drive(position);
  const BlockBackend* const medium = present != nullptr ? present->medium() : nullptr;
  const std::uint64_t now = medium != nullptr ? medium->info().size / ata::kSectorSize : 0;
  if (saved.kind == ata::DriveKind::disk && saved.disk.capacity != 0 &&
      saved.disk.capacity != now) {
    return "disk: " + where + " had " + std::to_string(saved.disk.capacity) +
           " sectors of 512 bytes and has " + std::to_string(now);
  }
  return "the saved state is damaged: " + where + " moves data that is not on it";
}

bool Piix3Ide::accepts(const ata::DriveState& saved, std::size_t position) const noexcept {
  const ata::Drive* const present = drive(position);
  return saved.kind == ata::DriveKind::absent || (present != nullptr && present->accepts(saved));
}

bool Piix3Ide::drives_accept(const ControllerState& state) const noexcept {
  for (std::size_t i = 0; i < kPositions; ++i) {
    if (!accepts(state.drives[i], i)) {
      return false;
    }
  }
  return true;
}

bool Piix3Ide::restore(const ControllerState& state) noexcept {
  pause();
  if (!validate(state) || !drives_accept(state)) {
    return false;
  }
  for (std::size_t i = 0; i < kPositions; ++i) {
    if (state.drives[i].kind != ata::DriveKind::absent) {
      (void)channels_[i / Channel::kDrives]
          .drive(static_cast<std::uint8_t>(i % Channel::kDrives))
          ->restore(state.drives[i]);
    }
  }
  // Before a drive leaves: that looks at the interrupt, which has to be adopted by then, not sent.
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    channels_[i].restore(state.channels[i]);
  }
  for (std::size_t i = 0; i < kPositions; ++i) {
    if (state.drives[i].kind == ata::DriveKind::absent) {
      (void)channels_[i / Channel::kDrives].unplug(static_cast<std::uint8_t>(i % Channel::kDrives));
    }
  }
  restore_config(state.config);
  follow_command_register();
  return true;
}

void Piix3Ide::show_drive(Inspector& to, std::size_t position) const {
  const BlockBackend* const medium = drive(position)->medium();
  const BlockStats stats = medium != nullptr ? medium->stats() : BlockStats{};
  const auto of = [](BlockOp op, const auto& values) {
    return values[static_cast<std::size_t>(op) % BlockStats::kOps];
  };
  const Inspector::Row row{to, "drives"};
  to.number("position", position);
  to.text("image", medium != nullptr ? medium->name() : "(no disc)");
  to.text("engine", medium != nullptr ? medium->engine() : "-");
  to.number("in_flight", medium != nullptr ? medium->in_flight() : 0);
  to.number("bytes", medium != nullptr ? medium->info().size : 0);
  to.number("reads", of(BlockOp::read, stats.operations));
  to.number("read_bytes", of(BlockOp::read, stats.bytes));
  to.number("writes", of(BlockOp::write, stats.operations));
  to.number("write_bytes", of(BlockOp::write, stats.bytes));
  to.number("flushes", of(BlockOp::flush, stats.operations));
  to.number("read_errors", of(BlockOp::read, stats.failed));
  to.number("write_errors", of(BlockOp::write, stats.failed));
  to.number("flush_errors", of(BlockOp::flush, stats.failed));
}

void Piix3Ide::inspect(Inspector& to, std::string_view name) const {
  {
    const Inspector::Part registers{to, name};
    state::show(state(), to);
  }
  for (std::size_t i = 0; i < kPositions; ++i) {
    if (drive(i) != nullptr) {
      show_drive(to, i);
    }
  }
}

}  // namespace dm::ide
