// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/ports/machine_control.h"
#include "ioreq/machine/machine.h"
#include "platform/linux/loop/host_clock.h"
#include "platform/linux/unique_fd.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace dm {

/// What the management side may do with the machine: start it, stop it, ask about it.
/// Thread rule: the loop's thread only.
class Control final : public MachineControl {
 public:
  struct Actions {
    /// The first cont of a machine that was started with -S: opens the gate for requests. False
    /// when that failed.
    std::function<bool()> launch;
    std::function<void()> quit;
    /// S3: is the guest asleep, and let it go on. Empty: it never sleeps.
    std::function<bool()> asleep{};
    std::function<void()> wake{};
    /// Devices beside the machine (PV backends): stop() and cont() of theirs. Empty: there are
    /// none.
    std::function<void()> pause{};
    std::function<void()> resume{};
    /// Opens an image for a CD-ROM drive: the descriptor, or the file if there is none. Calls
    /// `opened` once, from inside or later, but not when the Control has gone. Empty: there are no
    /// images to be had.
    using Opened = std::function<void(Result<std::unique_ptr<BlockBackend>>)>;
    std::function<void(
        const std::string& name, host::UniqueFd fd, ImageFormat format, Opened opened)>
        open_disc{};
  };

  /// `dirty` hears of pages while a migration wants to know.
  Control(const MachineConfig& config,
          Machine& machine,
          host::HostClock& clock,
          DirtySink& dirty,
          Actions actions);

  [[nodiscard]] std::vector<ChardevInfo> chardevs() const override;
  [[nodiscard]] unsigned vcpus_online() const noexcept override;
  [[nodiscard]] unsigned vcpus_max() const noexcept override { return config_.vcpus_max; }
  [[nodiscard]] bool vcpu_online(unsigned index) const noexcept override;
  PlugResult plug_vcpu(unsigned index) noexcept override;
  [[nodiscard]] std::vector<DriveInfo> drives() const override;
  DiscChange eject(std::string_view drive, bool force) noexcept override;
  void insert(std::string_view drive,
              const std::string& filename,
              int fd,
              ImageFormat format,
              Inserted done) override;
  [[nodiscard]] std::vector<PciFunctionInfo> pci_functions() const override;
  void track_dirty(bool on) noexcept override;
  void wake() noexcept override;
  [[nodiscard]] bool running() const noexcept override { return running_; }
  [[nodiscard]] bool prelaunch() const noexcept override { return prelaunch_; }
  void cont() noexcept override;
  void stop() noexcept override;
  void quit() noexcept override { actions_.quit(); }

 private:
  [[nodiscard]] Result<DiscChange> put_in(std::string_view drive,
                                          Result<std::unique_ptr<BlockBackend>> disc);
  [[nodiscard]] std::string drive_name(std::size_t position, bool disc) const;
  [[nodiscard]] ide::AtapiDrive* find_cd(std::string_view name) noexcept;

  const MachineConfig& config_;
  Machine& machine_;
  host::HostClock& clock_;
  DirtySink& dirty_;
  Actions actions_;
  bool tracking_ = false;
  bool prelaunch_;
  bool running_;
};

}  // namespace dm
