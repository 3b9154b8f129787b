// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/machine_control.h"
#include "platform/pv/backends.h"

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace dm {

/// What management may ask of a PV domain's backends: there is no machine to stop. Thread rule: the
/// loop's thread only.
class PvControl final : public MachineControl {
 public:
  PvControl(const pv::Backends& backends, std::function<void()> quit)
      : backends_{backends}, quit_{std::move(quit)} {}

  [[nodiscard]] std::vector<ChardevInfo> chardevs() const override { return backends_.chardevs(); }
  [[nodiscard]] unsigned vcpus_online() const noexcept override { return 0; }
  [[nodiscard]] unsigned vcpus_max() const noexcept override { return 0; }
  [[nodiscard]] bool vcpu_online(unsigned) const noexcept override { return false; }
  PlugResult plug_vcpu(unsigned) noexcept override { return PlugResult::out_of_range; }
  [[nodiscard]] std::vector<DriveInfo> drives() const override { return backends_.drives(); }
  /// Refused: libxl changes a PV disc in xenstore.
  DiscChange eject(std::string_view, bool) noexcept override { return DiscChange::no_such_drive; }
  void insert(std::string_view, std::unique_ptr<DiscImage>, Inserted done) override {
    done(DiscChange::no_such_drive);
  }
  [[nodiscard]] std::vector<PciFunctionInfo> pci_functions() const override { return {}; }
  void track_dirty(bool) noexcept override {}
  void wake() noexcept override {}
  [[nodiscard]] bool running() const noexcept override { return true; }
  [[nodiscard]] bool prelaunch() const noexcept override { return false; }
  void cont() noexcept override {}
  void stop() noexcept override {}
  [[nodiscard]] bool durable() const noexcept override { return true; }
  /// Back ends keep nothing that their front ends do not bring again. Not offered by QMP.
  [[nodiscard]] std::vector<std::byte> save(std::size_t) override { return {}; }
  [[nodiscard]] bool hand_over() noexcept override { return false; }
  void quit() noexcept override { quit_(); }

 private:
  const pv::Backends& backends_;
  std::function<void()> quit_;
};

}  // namespace dm
