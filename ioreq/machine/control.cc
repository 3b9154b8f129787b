// SPDX-License-Identifier: MIT
#include "ioreq/machine/control.h"

#include "core/addr.h"
#include "core/obs/log.h"
#include "ioreq/machine/machine_state.h"

#include <string>
#include <utility>

namespace dm {

Control::Control(const MachineConfig& config,
                 Machine& machine,
                 ClockSwitch& clock,
                 DirtySink& dirty,
                 ControlHost& host)
    : config_{config},
      machine_{machine},
      clock_{clock},
      dirty_{dirty},
      host_{host},
      launched_{!config.start_paused},
      prelaunch_{config.start_paused && !config.incoming_fd},
      running_{!config.start_paused && !config.incoming_fd},
      arrived_{config.incoming_fd.has_value()} {
  if (!running_) {
    clock_.pause();
  }
}

std::vector<ChardevInfo> Control::chardevs() const {
  std::vector<ChardevInfo> all;
  for (std::size_t i = 0; i < machine_.serial().size(); ++i) {
    if (const auto& port = machine_.serial()[i]; port != nullptr) {
      all.push_back({.label = "serial" + std::to_string(i),
                     .filename = std::string{port->backend().description()}});
    }
  }
  return all;
}

unsigned Control::vcpus_online() const noexcept {
  return machine_.chipset().vcpus_online();
}

bool Control::vcpu_online(unsigned index) const noexcept {
  return index < config_.vcpus_max && machine_.chipset().vcpu_online(index);
}

PlugResult Control::plug_vcpu(unsigned index) noexcept {
  if (index >= config_.vcpus_max) {
    return PlugResult::out_of_range;
  }
  if (machine_.chipset().vcpu_online(index)) {
    return PlugResult::already_there;
  }
  return machine_.chipset().plug_vcpu(index) ? PlugResult::done : PlugResult::no_acpi;
}

/// As libxl calls it, or else as QEMU would.
std::string Control::drive_name(std::size_t position, bool disc) const {
  for (const DiskConfig& disk : config_.disks) {
    if (disk.index == position && !disk.id.empty()) {
      return disk.id;
    }
  }
  return "ide" + std::to_string(position / 2) + (disc ? "-cd" : "-hd") +
         std::to_string(position % 2);
}

std::vector<DriveInfo> Control::drives() const {
  std::vector<DriveInfo> all;
  for (std::size_t i = 0; i < ide::kPositions; ++i) {
    const ata::Drive* const drive = machine_.ide().drive(i);
    if (drive == nullptr) {
      continue;
    }
    const bool disc = drive->kind() == ata::DriveKind::cdrom;
    DriveInfo info{.name = drive_name(i, disc), .image = {}, .removable = disc, .stats = {}};
    if (disc) {
      const auto& cd = static_cast<const ata::AtapiDrive&>(*drive);
      info.tray_open = cd.tray_open();
      info.locked = cd.locked();
    }
    if (const BlockBackend* const medium = drive->medium(); medium != nullptr) {
      info.image = medium->name();
      info.read_only = medium->info().read_only;
      info.size = medium->info().size;
      info.format = medium->info().format;
      info.stats = medium->stats();
    }
    all.push_back(std::move(info));
  }
  return all;
}

ata::AtapiDrive* Control::find_cd(std::string_view name) noexcept {
  for (std::size_t i = 0; i < ide::kPositions; ++i) {
    if (auto* const cd = machine_.cd_drive(i); cd != nullptr && drive_name(i, true) == name) {
      return cd;
    }
  }
  return nullptr;
}

DiscChange Control::eject(std::string_view drive, bool force) noexcept {
  auto* const cd = find_cd(drive);
  if (cd == nullptr) {
    return DiscChange::no_such_drive;
  }
  if (!cd->eject(force)) {
    return DiscChange::locked;
  }
  log::info("CD-ROM drive ", drive, " is empty");
  return DiscChange::done;
}

void Control::insert(std::string_view drive, std::unique_ptr<DiscImage> image, Inserted done) {
  if (find_cd(drive) == nullptr) {
    done(DiscChange::no_such_drive);
    return;
  }
  image->open([this, name = std::string{drive},
               done = std::move(done)](Result<std::unique_ptr<BlockBackend>> disc) {
    done(put_in(name, std::move(disc)));
  });
}

/// The drive may have gone, or been locked, while the image was being opened.
Result<DiscChange> Control::put_in(std::string_view drive,
                                   Result<std::unique_ptr<BlockBackend>> disc) {
  auto* const cd = find_cd(drive);
  if (!disc) {
    return disc.error();
  }
  if (cd == nullptr) {
    return DiscChange::no_such_drive;
  }
  if (!cd->eject(false)) {
    return DiscChange::locked;
  }
  log::info("CD-ROM drive ", drive, ": ", (*disc)->name());
  cd->insert(std::move(*disc));
  return DiscChange::done;
}

std::vector<PciFunctionInfo> Control::pci_functions() const {
  std::vector<PciFunctionInfo> all;
  for (unsigned devfn = 0; devfn < 256; ++devfn) {
    PciFunction* const function = machine_.pci().at(
        {static_cast<std::uint8_t>(devfn >> 3), static_cast<std::uint8_t>(devfn & 7U)});
    if (function == nullptr) {
      continue;
    }
    const auto word = [function](std::uint8_t at) {
      return static_cast<std::uint16_t>(function->read_config(at, 2));
    };
    PciFunctionInfo info{.name = std::string{function->name()},
                         .device = devfn >> 3,
                         .function = devfn & 7U,
                         .vendor_id = word(0x00),
                         .device_id = word(0x02),
                         .subsystem_vendor_id = word(0x2c),
                         .subsystem_id = word(0x2e),
                         .class_code = word(0x0a),
                         .irq_line = static_cast<std::uint8_t>(function->read_config(0x3c, 1)),
                         .irq_pin = static_cast<std::uint8_t>(function->read_config(0x3d, 1)),
                         .windows = {}};
    for (std::size_t i = 0; const auto window = function->window(i); ++i) {
      info.windows.push_back({.bar = window->index,
                              .io = window->kind == BarKind::io,
                              .prefetchable = window->kind == BarKind::prefetchable,
                              .size = window->size,
                              .address = window->base});
    }
    all.push_back(std::move(info));
  }
  return all;
}

void Control::track_dirty(bool on) noexcept {
  if (tracking_ && !on) {
    dirty_.flush();
  }
  tracking_ = on;
  machine_.track_dirty(on ? &dirty_ : nullptr);
}

void Control::wake() noexcept {
  if (!host_.asleep()) {
    return;
  }
  log::info("the guest wakes up");
  machine_.wake();
  host_.wake();
}

void Control::cont() noexcept {
  if (running_) {
    return;
  }
  prelaunch_ = false;
  if (!launched_) {
    launched_ = true;
    if (!host_.launch()) {
      host_.quit();
      return;
    }
  }
  if (std::exchange(handed_over_, false)) {
    machine_.take_back();
    host_.take_back_others();
  }
  running_ = true;
  clock_.resume();
  machine_.resume();
  host_.resume_others();
  if (std::exchange(arrived_, false)) {
    machine_.announce();
  }
}

void Control::stop() noexcept {
  if (running_) {
    machine_.pause();
    const bool others_durable = host_.pause_others();
    durable_ = machine_.make_durable() && others_durable;
    if (tracking_) {
      dirty_.flush();
    }
    clock_.pause();
    running_ = false;
  }
}

/// Xen does not save that a guest sleeps (HVM_PARAM_ACPI_S_STATE), but it does save vCPUs that
/// begin at the firmware's entry. So a guest that was saved asleep wakes where it is restored, and
/// its devices are saved as waking leaves them. They do nothing until then, here too.
std::vector<std::byte> Control::save(std::size_t padding) {
  if (host_.asleep()) {
    machine_.wake();
  }
  std::vector<std::byte> saved = machine_.save();
  frame_saved_state(saved, {.number = ++saves_, .padding = padding});
  return saved;
}

bool Control::hand_over() noexcept {
  handed_over_ = true;
  return machine_.hand_over() && host_.hand_over_others();
}

}  // namespace dm
