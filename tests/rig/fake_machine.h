// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/machine_control.h"

#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::rig {

/// A machine for the management side that only remembers what it was told.
class FakeMachine final : public MachineControl {
 public:
  [[nodiscard]] std::vector<ChardevInfo> chardevs() const override { return list; }
  [[nodiscard]] unsigned vcpus_online() const noexcept override { return online; }
  [[nodiscard]] unsigned vcpus_max() const noexcept override { return 8; }
  [[nodiscard]] bool vcpu_online(unsigned index) const noexcept override {
    return index < 8 && (index < online || plugged[index]);
  }
  PlugResult plug_vcpu(unsigned index) noexcept override {
    if (index >= 8 || vcpu_online(index) || !acpi) {
      return index >= 8           ? PlugResult::out_of_range
             : vcpu_online(index) ? PlugResult::already_there
                                  : PlugResult::no_acpi;
    }
    plugged[index] = true;
    return PlugResult::done;
  }
  [[nodiscard]] std::vector<DriveInfo> drives() const override { return drive_list; }
  /// Drives are those of drive_list that are removable.
  DiscChange eject(std::string_view drive, bool force) noexcept override {
    DriveInfo* const found = find(drive);
    if (found == nullptr) {
      return DiscChange::no_such_drive;
    }
    if (found->locked && !force && !found->image.empty()) {
      return DiscChange::locked;
    }
    found->image.clear();
    found->tray_open = true;
    return DiscChange::done;
  }
  void insert(std::string_view drive,
              const std::string& filename,
              int fd,
              ImageFormat format,
              Inserted done) override {
    if (fd >= 0) {
      ++fds_inserted;
      ::close(fd);
    }
    insertions.push_back([this, name = std::string{drive}, filename, format, done] {
      done(put_in(name, filename, format));
    });
    if (!slow) {
      finish_insertion();
    }
  }
  /// The oldest that has not finished; with `slow` nothing else ends one.
  void finish_insertion() {
    const auto finish = insertions.front();
    insertions.erase(insertions.begin());
    finish();
  }
  Result<DiscChange> put_in(std::string_view drive,
                            const std::string& filename,
                            ImageFormat format) {
    if (filename == "/missing") {
      return Error{"disk /missing: cannot find it"};
    }
    if (const DiscChange out = eject(drive, false); out != DiscChange::done) {
      return out;
    }
    find(drive)->image = filename;
    find(drive)->format = name_of(format);
    find(drive)->tray_open = false;
    return DiscChange::done;
  }
  [[nodiscard]] std::vector<PciFunctionInfo> pci_functions() const override { return pci_list; }
  void track_dirty(bool on) noexcept override { tracking.push_back(on); }
  void wake() noexcept override { ++wakes; }
  [[nodiscard]] bool running() const noexcept override { return is_running; }
  [[nodiscard]] bool prelaunch() const noexcept override { return is_prelaunch; }
  void cont() noexcept override {
    ++conts;
    is_running = true;
    is_prelaunch = false;
  }
  void stop() noexcept override {
    ++stops;
    is_running = false;
  }
  void quit() noexcept override { ++quits; }

  std::vector<ChardevInfo> list = {{"serial0", "pty:/dev/pts/5", true}};
  std::vector<DriveInfo> drive_list;
  std::vector<PciFunctionInfo> pci_list;
  std::vector<bool> tracking;
  int wakes = 0;
  std::array<bool, 8> plugged{};
  bool acpi = true;
  unsigned online = 2;
  bool is_running = true;
  bool is_prelaunch = false;
  int conts = 0;
  int stops = 0;
  int quits = 0;
  int fds_inserted = 0;
  bool slow = false;
  std::vector<std::function<void()>> insertions;

 private:
  DriveInfo* find(std::string_view name) noexcept {
    for (DriveInfo& drive : drive_list) {
      if (drive.removable && drive.name == name) {
        return &drive;
      }
    }
    return nullptr;
  }
};

}  // namespace dm::rig
