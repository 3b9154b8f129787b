// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/ports/disc_image.h"
#include "core/ports/machine_control.h"
#include "platform/linux/unique_fd.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::rig {

/// An image that nothing is read from. There is none at /missing.
class FakeDisc final : public DiscImage {
 public:
  FakeDisc(std::string name, host::UniqueFd file, ImageFormat format)
      : name_{std::move(name)}, file_{std::move(file)}, format_{format} {}
  void open(Opened opened) override {
    if (name_ == "/missing") {
      opened(Error{"disk /missing: cannot find it"});
    } else {
      opened(std::unique_ptr<BlockBackend>{std::make_unique<Medium>(name_, format_)});
    }
  }

 private:
  class Medium final : public BlockBackend {
   public:
    Medium(std::string name, ImageFormat format)
        : name_{std::move(name)}, format_{name_of(format)} {}
    [[nodiscard]] BlockInfo info() const noexcept override { return {.format = format_.c_str()}; }
    void submit(BlockRequest& request) noexcept override {
      request.done(request, BlockStatus::io_error);
    }
    void drain() noexcept override {}
    [[nodiscard]] BlockStatus flush_now() noexcept override { return BlockStatus::ok; }
    [[nodiscard]] std::string_view name() const noexcept override { return name_; }
    [[nodiscard]] std::string_view engine() const noexcept override { return "none"; }
    [[nodiscard]] std::uint64_t in_flight() const noexcept override { return 0; }

   private:
    std::string name_;
    std::string format_;
  };

  std::string name_;
  host::UniqueFd file_;
  ImageFormat format_;
};

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
  /// What turns a name into an image for insert().
  [[nodiscard]] auto discs() {
    return [this](const std::string& name, host::UniqueFd file, ImageFormat format) {
      fds_inserted += file ? 1 : 0;
      return std::unique_ptr<DiscImage>{std::make_unique<FakeDisc>(name, std::move(file), format)};
    };
  }
  void insert(std::string_view drive, std::unique_ptr<DiscImage> image, Inserted done) override {
    insertions.push_back(
        [this, name = std::string{drive}, image = std::shared_ptr{std::move(image)}, done] {
          image->open(
              [&](const Result<std::unique_ptr<BlockBackend>>& disc) { done(put_in(name, disc)); });
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
                            const Result<std::unique_ptr<BlockBackend>>& disc) {
    if (!disc) {
      return disc.error();
    }
    if (const DiscChange out = eject(drive, false); out != DiscChange::done) {
      return out;
    }
    find(drive)->image = (*disc)->name();
    find(drive)->format = (*disc)->info().format;
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
    images_here = true;
    is_running = true;
    is_prelaunch = false;
  }
  void stop() noexcept override {
    ++stops;
    is_running = false;
  }
  [[nodiscard]] std::vector<std::byte> save(std::size_t padding) override {
    saved_running = saved_running || is_running;
    std::vector<std::byte> padded = state;
    padded.resize(state.size() + padding);
    return padded;
  }
  [[nodiscard]] bool durable() const noexcept override { return is_durable; }
  [[nodiscard]] bool hand_over() noexcept override {
    ++hand_overs;
    images_here = images_stay;
    return !images_stay;
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
  std::vector<std::byte> state = std::vector<std::byte>(3000, std::byte{0x5a});
  bool saved_running = false;  ///< save() was called in a machine that was not stopped
  bool is_durable = true;
  int hand_overs = 0;
  bool images_here = true;
  bool images_stay = false;  ///< cannot be handed over
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
