// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/ports/clock_switch.h"
#include "core/ports/machine_control.h"
#include "ioreq/machine/machine.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dm {

/// Port from Control to the process around the machine. Thread rule: the loop's thread only.
class ControlHost {
 public:
  ControlHost() = default;
  ControlHost(const ControlHost&) = delete;
  ControlHost& operator=(const ControlHost&) = delete;
  virtual ~ControlHost() = default;

  /// The first cont of a machine that was started with -S: lets requests come. False if that
  /// failed.
  [[nodiscard]] virtual bool launch() noexcept = 0;
  virtual void quit() noexcept = 0;
  /// S3: whether the guest sleeps; wakes it.
  [[nodiscard]] virtual bool asleep() noexcept = 0;
  virtual void wake() noexcept = 0;
  /// Stops and continues the devices beside the machine (PV backends). False when some of what they
  /// have acknowledged could not be made durable.
  [[nodiscard]] virtual bool pause_others() noexcept = 0;
  virtual void resume_others() noexcept = 0;
  /// As Machine::hand_over() and Machine::take_back(), for those devices.
  [[nodiscard]] virtual bool hand_over_others() noexcept = 0;
  virtual void take_back_others() noexcept = 0;
};

/// What the management side may do with the machine: start it, stop it, ask about it.
/// Thread rule: the loop's thread only.
class Control final : public MachineControl {
 public:
  /// All of them outlive this object. `clock` is the guest's time. `dirty` is told of pages while a
  /// migration tracks them.
  Control(const MachineConfig& config,
          Machine& machine,
          ClockSwitch& clock,
          DirtySink& dirty,
          ControlHost& host);

  [[nodiscard]] std::vector<ChardevInfo> chardevs() const override;
  [[nodiscard]] unsigned vcpus_online() const noexcept override;
  [[nodiscard]] unsigned vcpus_max() const noexcept override { return config_.vcpus_max; }
  [[nodiscard]] bool vcpu_online(unsigned index) const noexcept override;
  PlugResult plug_vcpu(unsigned index) noexcept override;
  [[nodiscard]] std::vector<DriveInfo> drives() const override;
  DiscChange eject(std::string_view drive, bool force) noexcept override;
  void insert(std::string_view drive, std::unique_ptr<DiscImage> image, Inserted done) override;
  [[nodiscard]] std::vector<PciFunctionInfo> pci_functions() const override;
  void track_dirty(bool on) noexcept override;
  void wake() noexcept override;
  [[nodiscard]] bool running() const noexcept override { return running_; }
  [[nodiscard]] bool prelaunch() const noexcept override { return prelaunch_; }
  void cont() noexcept override;
  void stop() noexcept override;
  [[nodiscard]] bool durable() const noexcept override { return durable_; }
  [[nodiscard]] std::vector<std::byte> save(std::size_t padding) override;
  [[nodiscard]] bool hand_over() noexcept override;
  void quit() noexcept override { host_.quit(); }

 private:
  [[nodiscard]] Result<DiscChange> put_in(std::string_view drive,
                                          Result<std::unique_ptr<BlockBackend>> disc);
  [[nodiscard]] std::string drive_name(std::size_t position, bool disc) const;
  [[nodiscard]] ata::AtapiDrive* find_cd(std::string_view name) noexcept;

  const MachineConfig& config_;
  Machine& machine_;
  ClockSwitch& clock_;
  DirtySink& dirty_;
  ControlHost& host_;
  bool tracking_ = false;
  bool launched_;   ///< requests may come
  bool prelaunch_;  ///< and no cont yet; a guest that was saved is paused instead
  bool running_;
  bool arrived_;  ///< a guest that was saved has not been announced yet
  std::uint32_t saves_ = 0;
  bool durable_ = true;
  bool handed_over_ = false;  ///< perhaps in part
};

}  // namespace dm
